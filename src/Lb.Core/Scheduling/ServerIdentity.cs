using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb;

/// <summary>
/// What a server is known by in tables that several nodes must build alike: its address and port as text. Not its name or number, which may differ from
/// node to node, and not its place in the list.
/// </summary>
internal static class ServerIdentity
{
    public static string Text(Server server) => server.EndPoint switch
    {
        DnsEndPoint name => $"{name.Host}:{name.Port}",
        UnixDomainSocketEndPoint path => $"unix:{path}",
        EndPoint other => other.ToString()!,
    };

    public static byte[] Bytes(Server server) => Encoding.UTF8.GetBytes(Text(server));

    /// <summary>Positions in the snapshot, ordered by identity: the order in which tables are filled must not depend on who is listed first.</summary>
    public static int[] Order(PoolSnapshot snapshot)
    {
        string[] names = new string[snapshot.Servers.Length];
        for (int i = 0; i < names.Length; i++) names[i] = Text(snapshot.Servers[i]);
        int[] order = [.. Enumerable.Range(0, names.Length)];
        Array.Sort(order, (a, b) => string.CompareOrdinal(names[a], names[b]));
        return order;
    }
}

/// <summary>The 64-bit hash that modern policies go by: of the caller's key, else of the client's address, else none.</summary>
internal static class PickHash
{
    public static bool TryGet(in PickContext context, out ulong hash)
    {
        if (context.Key.HasValue)
        {
            hash = context.Key.Hash;
            return true;
        }

        if (context.Source.IsEmpty)
        {
            hash = 0;
            return false;
        }

        Span<byte> bytes = stackalloc byte[16];
        hash = XxHash64.Hash(bytes[..context.Source.WriteBytes(bytes)]);
        return true;
    }

    /// <summary>Stafford's thirteenth mix: turns a counter or a hash with few good bits into 64 good ones.</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9;
        value = (value ^ value >> 27) * 0x94D049BB133111EB;
        return value ^ value >> 31;
    }

    /// <summary>A number below <paramref name="count"/> by multiplication: no division, and even for any count.</summary>
    public static int Below(ulong hash, int count) => (int)Math.BigMul(hash, (ulong)count, out _);
}
