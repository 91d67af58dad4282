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

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new Scheduler(snapshot, Ring(snapshot), _turn);
    }

    internal static PointRing Ring(PoolSnapshot snapshot)
    {
        List<(ulong Point, ushort Owner)> points = [];
        for (int i = 0; i < snapshot.Servers.Length; i++)
        {
            (string host, string port) = HostAndPort(snapshot.Servers[i]);
            byte[] seed = [.. Encoding.UTF8.GetBytes(host), 0, .. Encoding.UTF8.GetBytes(port), 0, 0, 0, 0];
            uint point = 0;
            for (int n = 0; n < snapshot.Weights[i] * PointsPerWeight; n++)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(seed.AsSpan(seed.Length - 4), point);
                point = KeyHash.Crc32(seed);
                points.Add((point, (ushort)i));
            }
        }

        return new PointRing(points);
    }

    private static (string Host, string Port) HostAndPort(Server server) => server.EndPoint switch
    {
        IPEndPoint ip => (ip.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{ip.Address}]" : ip.Address.ToString(), $"{ip.Port}"),
        DnsEndPoint name => (name.Host, $"{name.Port}"),
        _ => (ServerIdentity.Text(server), ""),
    };

    private sealed class Scheduler(PoolSnapshot snapshot, PointRing ring, TurnCounter turn) : IScheduler
    {
        private readonly Server[] _servers = snapshot.ServerArray;

        public Server Pick(in PickContext context, long now)
        {
            ulong hash = Hash(in context);
            Server server = _servers[ring.Find(hash, 0)];
            if (!context.HasExclusions) return server;
            for (int attempt = 1; attempt <= _servers.Length && context.Excludes(server); attempt++) server = _servers[ring.Find(hash, attempt)];
            return server;
        }

        private uint Hash(in PickContext context)
        {
            if (context.Key.HasValue) return KeyHash.Crc32(context.Key.Bytes.Span);
            if (context.Source.IsEmpty) return (uint)PickHash.Mix((ulong)Interlocked.Increment(ref turn.Value));
            Span<byte> text = stackalloc byte[64];
            return KeyHash.Crc32(text[..context.Source.WriteAddressText(text)]);
        }
    }
}
