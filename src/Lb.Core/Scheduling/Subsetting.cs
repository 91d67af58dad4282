using System.Text;

namespace Lb;

/// <summary>
/// Chooses the servers that one of many balancers talks to, so that not everyone is connected with everyone, and each server still has about as many
/// balancers as the others.
/// </summary>
internal static class Subsetting
{
    /// <summary>The subset that the options ask for: positions in the list, ascending.</summary>
    /// <param name="servers">The servers, with what they are known by to all balancers.</param>
    /// <param name="options">Kind and size.</param>
    /// <param name="client">What tells this balancer from the others when the options don't say.</param>
    public static int[] Choose(ReadOnlySpan<Server> servers, SubsetOptions options, string client)
    {
        if (options.Size == 0 || options.Size >= servers.Length) return [.. Enumerable.Range(0, servers.Length)];
        if (string.Equals(options.Type, "ringsteady", StringComparison.OrdinalIgnoreCase))
        {
            int[] numbers = new int[servers.Length];
            for (int i = 0; i < numbers.Length; i++) numbers[i] = servers[i].Id - 1;
            return RingSteady(numbers, options.ClientIndex ?? 0, options.Size);
        }

        string[] identities = new string[servers.Length];
        for (int i = 0; i < identities.Length; i++) identities[i] = ServerIdentity.Text(servers[i]);
        return Rendezvous(identities, options.Client ?? client, options.Size);
    }

    /// <summary>gRFC A68: those whose addresses hash lowest with the balancer's seed. A server that comes or goes changes one place of a subset.</summary>
    /// <param name="identities">What the servers are known by.</param>
    /// <param name="client">What tells this balancer from the others; its XXH64 is the seed.</param>
    /// <param name="size">How many, at most.</param>
    /// <returns>Positions, ascending.</returns>
    public static int[] Rendezvous(ReadOnlySpan<string> identities, string client, int size)
    {
        ulong seed = XxHash64.Hash(Encoding.UTF8.GetBytes(client));
        ulong[] hashes = new ulong[identities.Length];
        for (int i = 0; i < hashes.Length; i++) hashes[i] = XxHash64.Hash(Encoding.UTF8.GetBytes(identities[i]), seed);
        return First(hashes, size, start: 0);
    }

    /// <summary>
    /// Google's Ringsteady (Ward, Wester et al., "Reinventing Backend Subsetting at Google", CACM 2023): servers and balancers sit on one circle at the van
    /// der Corput fractions of their numbers (0, 1/2, 1/4, 3/4, …), which stay put and stay even when there are more; a balancer takes the servers that
    /// follow it.
    /// </summary>
    /// <param name="numbers">The servers' numbers, each only once, small and stable.</param>
    /// <param name="client">Number of this balancer, from 0 without gaps.</param>
    /// <param name="size">How many, at most.</param>
    /// <returns>Positions, ascending.</returns>
    public static int[] RingSteady(ReadOnlySpan<int> numbers, int client, int size)
    {
        ulong[] places = new ulong[numbers.Length];
        for (int i = 0; i < places.Length; i++) places[i] = Reverse((uint)numbers[i]);
        return First(places, size, Reverse((uint)client));
    }

    private static int[] First(ulong[] places, int size, ulong start)
    {
        int[] order = [.. Enumerable.Range(0, places.Length)];
        ulong[] distances = Array.ConvertAll(places, place => place - start);

        // Equal places keep the order of the list.
        int[] chosen = [.. order.OrderBy(i => distances[i]).Take(size)];
        Array.Sort(chosen);
        return chosen;
    }

    // The fraction in 64 bits, so that a difference goes round the circle by itself.
    private static ulong Reverse(uint number)
    {
        ulong reversed = 0;
        for (int bit = 0; bit < 32; bit++) reversed |= (ulong)(number >> bit & 1) << (63 - bit);
        return reversed;
    }
}
