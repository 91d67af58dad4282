using System.Globalization;

namespace Lb;

/// <summary>
/// Envoy's ring hashing (<c>ring</c>): points are the XXH64 or MurmurHash2 of <c>address_number</c>, in proportion to the weights. The key is
/// <see cref="PickContext.Key"/>, else the client's address.
/// </summary>
/// <remarks>The ring keeps its size when a server goes: those who stay get more points, and with them some keys of each other. Rendezvous moves none.</remarks>
public sealed class HashRing : ISchedulingPolicy
{
    private readonly int _minimum;
    private readonly int _maximum;
    private readonly RingHash _hash;
    private readonly TurnCounter _turn = new();

    /// <summary>Makes the policy.</summary>
    /// <param name="minimumRingSize">Points at least, 1 to 8 388 608; default 16 384. Envoy's own 1024 makes the busiest of 100 servers 1.8 times as busy as the average.</param>
    /// <param name="maximumRingSize">Points at most, from the minimum to 8 388 608, the default.</param>
    /// <param name="hash">What makes the points; default XXH64. The key's hash is always its XXH64, as Envoy's is.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is out of range.</exception>
    public HashRing(int minimumRingSize = 16_384, int maximumRingSize = 8 * 1024 * 1024, RingHash hash = RingHash.Xxhash)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minimumRingSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maximumRingSize, 8 * 1024 * 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumRingSize, minimumRingSize);
        _minimum = minimumRingSize;
        _maximum = maximumRingSize;
        _hash = hash;
    }

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new HashedScheduler<PointRing>(snapshot, Ring(snapshot, _minimum, _maximum, _hash), _turn);
    }

    internal static PointRing Ring(PoolSnapshot snapshot, int minimum, int maximum, RingHash hash = RingHash.Xxhash)
    {
        double sum = 0, least = double.MaxValue;
        foreach (int weight in snapshot.Weights)
        {
            sum += weight;
            least = Math.Min(least, weight);
        }

        // Envoy's scale: the lightest server has a whole number of points, and the ring is at least the minimum.
        double lightest = least / sum;
        double scale = Math.Min(Math.Ceiling(lightest * minimum) / lightest, maximum);
        List<ulong> points = new((int)Math.Ceiling(scale) + 1);
        List<ushort> owners = new(points.Capacity);
        byte[] digitsOfAnInt = new byte[10];
        double current = 0, target = 0;
        for (int i = 0; i < snapshot.Servers.Length; i++)
        {
            // Number n is written behind the address over and over.
            byte[] text = [.. ServerIdentity.Bytes(snapshot.Servers[i]), (byte)'_', .. digitsOfAnInt];
            Span<byte> number = text.AsSpan(text.Length - 10);
            target += scale * (snapshot.Weights[i] / sum);
            for (int n = 0; current < target; n++, current++)
            {
                n.TryFormat(number, out int digits, provider: CultureInfo.InvariantCulture);
                points.Add(Point(text.AsSpan(0, text.Length - 10 + digits), hash));
                owners.Add((ushort)i);
            }
        }

        return new PointRing([.. points], [.. owners]);
    }

    private static ulong Point(ReadOnlySpan<byte> text, RingHash hash) => hash == RingHash.Murmur2 ? Murmur2.Hash(text) : XxHash64.Hash(text);
}

/// <summary>What makes the points of a ring (Envoy <c>hash_function</c>). A wire contract: nodes must agree on it.</summary>
public enum RingHash
{
    /// <summary>XXH64, Envoy's default.</summary>
    Xxhash,

    /// <summary>MurmurHash2 of 64 bits as <c>std::hash</c> of GNU's C++ library computes it (Envoy <c>MURMUR_HASH_2</c>).</summary>
    Murmur2,
}
