using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Lb;

/// <summary>
/// nginx's consistent hashing (<c>ketama</c>; nginx <c>hash … consistent</c>): 160 points a unit of weight, each the CRC-32 of host, zero byte, port and the
/// point before. The ring is nginx's to the bit, so a site can move from nginx without moving its keys. The key is <see cref="PickContext.Key"/>, else the
/// text of the client's address.
/// </summary>
public sealed class Ketama : ISchedulingPolicy
{
    private const int PointsPerWeight = 160;

    private readonly TurnCounter _turn = new();

    // The ring of the last build. A flip takes a server's points out of it or puts them in: to make and sort all of them takes fifty times as long.
    private Built? _last;

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        _last = Built.From(snapshot, _last);
        return new Scheduler(snapshot, _last.Ring, _turn);
    }

    /// <summary>The ring of the last build.</summary>
    internal ConsistentRing? Ring => _last?.Ring;

    private static void AddPoints(Server server, int count, ref Span<uint> points)
    {
        // The part before the last point is the same for all of them.
        (string host, string port) = HostAndPort(server);
        uint seed = KeyHash.Crc32([.. Encoding.UTF8.GetBytes(host), 0, .. Encoding.UTF8.GetBytes(port)]);
        uint point = 0;
        Span<byte> bytes = stackalloc byte[4];
        for (int n = 0; n < count; n++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, point);
            points[n] = point = KeyHash.Crc32(bytes, seed);
        }

        points = points[count..];
    }

    private static (string Host, string Port) HostAndPort(Server server) => server.EndPoint switch
    {
        IPEndPoint ip => (ip.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{ip.Address}]" : ip.Address.ToString(), $"{ip.Port}"),
        DnsEndPoint name => (name.Host, $"{name.Port}"),
        _ => (ServerIdentity.Text(server), ""),
    };

    private sealed class Scheduler(PoolSnapshot snapshot, ConsistentRing ring, TurnCounter turn) : IScheduler
    {
        private readonly Server[] _servers = snapshot.ServerArray;

        public Server Pick(in PickContext context, long now)
        {
            return Find(TryHash(in context, out uint hash) ? hash : (uint)turn.Next(), in context);
        }

        public SchedulerAnswer Explain(in PickContext context, long now) =>
            TryHash(in context, out uint hash)
                ? new SchedulerAnswer(Find(hash, in context), hash, "the key's point on the ring")
                : new SchedulerAnswer(Find((uint)turn.Coming, in context), null, TurnCounter.NoKey);

        private Server Find(uint hash, in PickContext context)
        {
            Server server = _servers[Find(hash, 0)];
            if (!context.HasExclusions) return server;
            for (int attempt = 1; attempt <= _servers.Length && context.Excludes(server); attempt++) server = _servers[Find(hash, attempt)];
            return server;
        }

        // A second attempt goes on along the ring past everything of the server before. Of equal points only the first exists for nginx.
        private int Find(uint hash, int attempt)
        {
            int position = ring.FindClockwise(hash);
            int owner = ring.OwnerAt(position);
            for (; attempt > 0; attempt--)
            {
                int last = owner;
                for (int n = 0; n < ring.Length && owner == last; n++)
                {
                    uint point = ring.PointAt(position);
                    position = ring.Next(position);
                    if (position == 0 || ring.PointAt(position) != point) owner = ring.OwnerAt(position);
                }
            }

            return owner;
        }

        private static bool TryHash(in PickContext context, out uint hash)
        {
            if (context.Key.HasValue)
            {
                hash = KeyHash.Crc32(context.Key.Bytes.Span);
                return true;
            }

            Span<byte> text = stackalloc byte[64];
            hash = KeyHash.Crc32(text[..context.Source.WriteAddressText(text)]);
            return !context.Source.IsEmpty;
        }
    }

    /// <summary>A ring and what it was made of.</summary>
    private sealed record Built(PoolSnapshot Snapshot, EndPoint[] EndPoints, uint[] Points, ushort[] Owners, ConsistentRing Ring)
    {
        private const ushort Gone = ushort.MaxValue;

        public static Built From(PoolSnapshot snapshot, Built? last)
        {
            EndPoint[] endPoints = Array.ConvertAll(snapshot.ServerArray, static s => s.EndPoint);
            ushort[] moved = Match(snapshot, endPoints, last, out bool[] known);

            int added = 0, kept = 0;
            for (int i = 0; i < known.Length; i++)
            {
                if (known[i]) kept += snapshot.Weights[i] * PointsPerWeight;
                else added += snapshot.Weights[i] * PointsPerWeight;
            }

            uint[] newPoints = GC.AllocateUninitializedArray<uint>(added);
            ushort[] newOwners = GC.AllocateUninitializedArray<ushort>(added);
            Span<uint> rest = newPoints;
            for (int i = 0; i < known.Length; i++)
            {
                if (known[i]) continue;
                int count = snapshot.Weights[i] * PointsPerWeight;
                newOwners.AsSpan(added - rest.Length, count).Fill((ushort)i);
                AddPoints(snapshot.Servers[i], count, ref rest);
            }

            PointSort.Sort(ref newPoints, ref newOwners);
            (uint[] points, ushort[] owners) = last is null || kept == 0 ? (newPoints, newOwners) : Merge(last, moved, kept, newPoints, newOwners);
            return new Built(snapshot, endPoints, points, owners, new ConsistentRing(points, owners));
        }

        // Where the servers of the last ring stand now, if they are the same with the same weight and address, and which ones need no new points.
        private static ushort[] Match(PoolSnapshot snapshot, EndPoint[] endPoints, Built? last, out bool[] known)
        {
            known = new bool[endPoints.Length];
            ushort[] moved = new ushort[last?.EndPoints.Length ?? 0];
            Array.Fill(moved, Gone);

            // Both are in the order of ids.
            for (int old = 0, now = 0; old < moved.Length && now < known.Length;)
            {
                Server before = last!.Snapshot.Servers[old], after = snapshot.Servers[now];
                if (before.Id < after.Id) old++;
                else if (before.Id > after.Id) now++;
                else
                {
                    if (last.Snapshot.Weights[old] == snapshot.Weights[now] && ReferenceEquals(before, after) && last.EndPoints[old].Equals(endPoints[now]))
                    {
                        moved[old] = (ushort)now;
                        known[now] = true;
                    }

                    old++;
                    now++;
                }
            }

            return moved;
        }

        private static (uint[] Points, ushort[] Owners) Merge(Built last, ushort[] moved, int kept, uint[] newPoints, ushort[] newOwners)
        {
            uint[] points = GC.AllocateUninitializedArray<uint>(kept + newPoints.Length);
            ushort[] owners = GC.AllocateUninitializedArray<ushort>(points.Length);
            uint[] oldPoints = last.Points;
            ushort[] oldOwners = last.Owners;
            int next = 0, at = 0;
            for (int i = 0; i < oldPoints.Length; i++)
            {
                ushort owner = moved[oldOwners[i]];
                if (owner == Gone) continue;
                uint point = oldPoints[i];
                while (next < newPoints.Length && (newPoints[next] < point || (newPoints[next] == point && newOwners[next] < owner)))
                {
                    (points[at], owners[at]) = (newPoints[next], newOwners[next]);
                    at++;
                    next++;
                }

                (points[at], owners[at]) = (point, owner);
                at++;
            }

            newPoints.AsSpan(next).CopyTo(points.AsSpan(at));
            newOwners.AsSpan(next).CopyTo(owners.AsSpan(at));
            return (points, owners);
        }
    }
}
