using System.Globalization;

namespace Lb;

/// <summary>
/// Envoy's ring hashing (<c>ring</c>): points are the XXH64 of <c>address_number</c>, in proportion to the weights. The key is
/// <see cref="PickContext.Key"/>, else the client's address.
/// </summary>
/// <remarks>The ring keeps its size when a server goes: those who stay get more points, and with them some keys of each other. Rendezvous moves none.</remarks>
public sealed class HashRing : ISchedulingPolicy
{
    private readonly int _minimum;
    private readonly int _maximum;
    private readonly TurnCounter _turn = new();

    /// <summary>Makes the policy.</summary>
    /// <param name="minimumRingSize">Points at least, 1 to 8 388 608; default 16 384. Envoy's own 1024 makes the busiest of 100 servers 1.8 times as busy as the average.</param>
    /// <param name="maximumRingSize">Points at most, from the minimum to 8 388 608, the default.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is out of range.</exception>
    public HashRing(int minimumRingSize = 16_384, int maximumRingSize = 8 * 1024 * 1024)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minimumRingSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maximumRingSize, 8 * 1024 * 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumRingSize, minimumRingSize);
        _minimum = minimumRingSize;
        _maximum = maximumRingSize;
    }

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new HashedScheduler<PointRing>(snapshot, Ring(snapshot, _minimum, _maximum), _turn);
    }

    internal static PointRing Ring(PoolSnapshot snapshot, int minimum, int maximum)
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
            target += scale * snapshot.Weights[i] / sum;
            for (int n = 0; current < target; n++, current++)
            {
                n.TryFormat(number, out int digits, provider: CultureInfo.InvariantCulture);
                points.Add(XxHash64.Hash(text.AsSpan(0, text.Length - 10 + digits)));
                owners.Add((ushort)i);
            }
        }

        return new PointRing([.. points], [.. owners]);
    }
}
