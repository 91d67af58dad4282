namespace Lb;

/// <summary>What a server is known by on a hash ring (HAProxy <c>hash-key</c>): nodes agree only if they see the same.</summary>
public enum HashKey
{
    /// <summary>Its number in the pool: nodes must list their servers in the same order.</summary>
    Id,

    /// <summary>Its IP address.</summary>
    Addr,

    /// <summary>Its IP address and port.</summary>
    AddrPort,
}

/// <summary>
/// Sorted points with their owners: the engine of ring policies. Immutable. A lookup is a binary search, 14 steps for 16 Ki points.
/// </summary>
internal sealed class ConsistentRing
{
    private readonly uint[] _points;
    private readonly ushort[] _owners;

    private ConsistentRing(uint[] points, ushort[] owners)
    {
        _points = points;
        _owners = owners;
    }

    /// <summary>HAProxy's points (<c>lb_chash.c</c>): 16 a unit of weight, each the avalanche of a seed of the server's plus the point's number.</summary>
    public static ConsistentRing BuildHaproxy(PoolSnapshot snapshot, HashKey key)
    {
        const int pointsPerWeight = 16;
        int total = 0;
        foreach (int weight in snapshot.Weights) total += weight * pointsPerWeight;
        uint[] points = new uint[total];
        ushort[] owners = new ushort[total];
        int next = 0;
        for (int i = 0; i < snapshot.Servers.Length; i++)
        {
            uint seed = Seed(snapshot.Servers[i], key);
            for (uint n = 0; n < snapshot.Weights[i] * pointsPerWeight; n++, next++)
            {
                points[next] = FullAvalanche.Mix(seed + n);
                owners[next] = (ushort)i;
            }
        }

        // Equal points keep the order of the servers, as a tree that takes them in turn would.
        Sort(points, owners);
        return new ConsistentRing(points, owners);
    }

    private static void Sort(uint[] points, ushort[] owners)
    {
        ulong[] both = new ulong[points.Length];
        for (int i = 0; i < points.Length; i++) both[i] = (ulong)points[i] << 32 | owners[i];
        Array.Sort(both);
        for (int i = 0; i < points.Length; i++)
        {
            points[i] = (uint)(both[i] >> 32);
            owners[i] = (ushort)both[i];
        }
    }

    // The range of weights times the points of one: every id has room for its points.
    private const uint IdRange = 4096;

    private static uint Seed(Server server, HashKey key)
    {
        if (key == HashKey.Id || server.EndPoint is not System.Net.IPEndPoint endPoint) return (uint)server.Id * IdRange;
        PeerAddress address = PeerAddress.From(endPoint);
        return key == HashKey.Addr ? FullAvalanche.Mix(address.FoldedWords) : FullAvalanche.Mix(FullAvalanche.Mix(address.Port) + address.FoldedWords);
    }

    public int Length => _points.Length;

    public int OwnerAt(int position) => _owners[position];

    public int Next(int position) => position + 1 == _points.Length ? 0 : position + 1;

    /// <summary>First point at or after the hash, going round.</summary>
    public int FindClockwise(uint hash)
    {
        uint[] points = _points;
        int low = 0, count = points.Length;
        while (count > 0)
        {
            int half = count >> 1;
            bool less = points[low + half] < hash;
            low = less ? low + half + 1 : low;
            count = less ? count - half - 1 : half;
        }

        return low == points.Length ? 0 : low;
    }

    /// <summary>The point nearest to the hash in either direction, the one before in a tie: HAProxy's rule.</summary>
    public int FindClosest(uint hash)
    {
        int next = FindClockwise(hash);
        int previous = next == 0 ? _points.Length - 1 : next - 1;
        uint before = hash - _points[previous], after = _points[next] - hash;
        return before <= after ? previous : next;
    }
}
