namespace Lb;

/// <summary>What a server is known by on a hash ring (HAProxy <c>hash-key</c>): nodes agree only if they see the same.</summary>
public enum HashKey
{
    /// <summary>
    /// Its number in the pool. Numbers count servers as they join while the process lives: nodes agree only if they list the same servers in the same order
    /// and have reloaded alike. Better <see cref="AddrPort"/> where there are several nodes.
    /// </summary>
    Id,

    /// <summary>Its IP address.</summary>
    Addr,

    /// <summary>Its IP address and port.</summary>
    AddrPort,
}

/// <summary>Sorted points of 32 bits with their owners: the engine of HAProxy's and nginx's rings. Immutable.</summary>
internal sealed class ConsistentRing
{
    private readonly PointIndex<uint> _points;
    private readonly ushort[] _owners;

    /// <summary>Makes it of sorted points; equal ones in the order in which they take precedence.</summary>
    public ConsistentRing(uint[] points, ushort[] owners)
    {
        _points = new PointIndex<uint>(points);
        _owners = owners;
    }

    /// <summary>
    /// HAProxy's points (<c>lb_chash.c</c>): 16 a unit of weight, each the avalanche of a seed of the server's plus the point's number. The weight is the live
    /// one, as HAProxy's effective weight is; where it is no whole number of points it is rounded, and a server has one at least.
    /// </summary>
    public static ConsistentRing BuildHaproxy(PoolSnapshot snapshot, HashKey key)
    {
        int total = 0;
        foreach (int weight in snapshot.LiveWeights) total += PointsOf(weight, snapshot.LiveScale);
        uint[] points = new uint[total];
        ushort[] owners = new ushort[total];
        int next = 0;
        for (int i = 0; i < snapshot.Servers.Length; i++)
        {
            uint seed = Seed(snapshot.Servers[i], key);
            int count = PointsOf(snapshot.LiveWeights[i], snapshot.LiveScale);
            for (uint n = 0; n < count; n++, next++)
            {
                points[next] = FullAvalanche.Mix(seed + n);
                owners[next] = (ushort)i;
            }
        }

        // Equal points keep the order of the servers, as a tree that takes them in turn would.
        PointSort.Sort(ref points, ref owners);
        return new ConsistentRing(points, owners);
    }

    private static int PointsOf(int weight, int scale)
    {
        const int pointsPerWeight = 16;
        return (int)Math.Max(1, (((long)weight * pointsPerWeight * 2) + scale) / (2L * scale));
    }

    // The range of weights times the points of one: every id has room for its points.
    private const uint IdRange = 4096;

    private static uint Seed(Server server, HashKey key)
    {
        if (key == HashKey.Id || server.EndPoint is not System.Net.IPEndPoint endPoint) return (uint)server.Id * IdRange;
        PeerAddress address = PeerAddress.From(endPoint);
        return key == HashKey.Addr ? FullAvalanche.Mix(address.FoldedWords) : FullAvalanche.Mix(FullAvalanche.Mix(address.Port) + address.FoldedWords);
    }

    public int Length => _owners.Length;

    public uint PointAt(int position) => _points.Points[position];

    public int OwnerAt(int position) => _owners[position];

    public int Next(int position) => position + 1 == _owners.Length ? 0 : position + 1;

    /// <summary>First point at or after the hash, going round.</summary>
    public int FindClockwise(uint hash) => _points.Find(hash);

    /// <summary>The point nearest to the hash in either direction, the one before in a tie: HAProxy's rule.</summary>
    public int FindClosest(uint hash)
    {
        uint[] points = _points.Points;
        int next = _points.Find(hash);
        int previous = next == 0 ? points.Length - 1 : next - 1;
        uint before = hash - points[previous], after = points[next] - hash;
        return before <= after ? previous : next;
    }
}
