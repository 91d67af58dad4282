namespace Lb;

/// <summary>
/// What the LVS schedulers have in common. LVS counts active × 256 + inactive connections; a lease has no inactive time, so <see cref="Server.InFlight"/>
/// is the active count, the inactive one is 0, and the factor drops out. Callers in the queue don't count: LVS has no queue. Destinations stand in the
/// order of declaration (the kernel puts the one added last in front).
/// </summary>
internal static class LvsRules
{
    /// <summary>True when LVS would not call the server overloaded, and the caller has no reason to avoid it.</summary>
    public static bool CanTake(Server server, in PickContext context) => server.HasRoom && !(context.HasExclusions && context.Excludes(server));

    public static bool AnyCanTake(Server[] servers, in PickContext context)
    {
        foreach (Server server in servers)
        {
            if (CanTake(server, in context)) return true;
        }

        return false;
    }

    /// <summary>The server with the fewest leases for its weight, the first among equals; null when none can take one more.</summary>
    public static Server? LeastForWeight(Server[] servers, int[] weights, in PickContext context)
    {
        Server? least = null;
        long leastLoad = 0, leastWeight = 1;
        for (int i = 0; i < servers.Length; i++)
        {
            if (!CanTake(servers[i], in context)) continue;

            // least/weight <= load/weight without a division; 64 bits hold 16 million × 65 535.
            long load = servers[i].InFlight;
            if (least is not null && leastLoad * weights[i] <= load * leastWeight) continue;
            (least, leastLoad, leastWeight) = (servers[i], load, weights[i]);
        }

        return least;
    }

    /// <summary>The kernel's <c>hash_32</c>: multiplies by 2³² over the golden ratio and keeps the highest bits.</summary>
    public static uint Hash32(uint value, int bits) => (value * 0x61C88647) >> (32 - bits);

    /// <summary>What the policies that go by the destination go by.</summary>
    public static bool TryGetDestination(in PickContext context, out ulong key)
    {
        key = context.Destination.FoldedWords;
        return !context.Destination.IsEmpty;
    }
}
