namespace Lb;

/// <summary>
/// A peak-sensitive moving average of a server's latency in one 64-bit word: value (32-bit float, microseconds) and time stamp (32 bits, milliseconds).
/// It jumps up to a slow sample at once and comes down with time. Finagle's definition; the decay is worked out when it is read and not written back,
/// because a read must not be a write. Any thread.
/// </summary>
internal struct PeakEwma
{
    private const double TauMilliseconds = 10_000;

    private long _cell;

    /// <summary>Takes a sample.</summary>
    /// <param name="sample">The latency.</param>
    /// <param name="now">Milliseconds of the pool's clock; wraps after 49 days.</param>
    public void Observe(TimeSpan sample, uint now)
    {
        // Zero means "no sample yet".
        float microseconds = Math.Max(0.1f, (float)sample.TotalMicroseconds);
        while (true)
        {
            long before = Volatile.Read(ref _cell);
            (float value, uint stamp) = Unpack(before);
            float next;
            if (microseconds >= value)
            {
                next = microseconds;
            }
            else
            {
                double keep = Decay(now - stamp);
                next = (float)((value * keep) + (microseconds * (1 - keep)));
            }

            if (Interlocked.CompareExchange(ref _cell, Pack(next, now), before) == before) return;
        }
    }

    /// <summary>The average as it is now, in microseconds; 0 before the first sample.</summary>
    /// <param name="now">Milliseconds of the pool's clock.</param>
    public readonly double Read(uint now)
    {
        (float value, uint stamp) = Unpack(Volatile.Read(in _cell));
        return value == 0 ? 0 : value * Decay(now - stamp);
    }

    // Clocks read by several threads may differ by a little: an age below zero is none.
    private static double Decay(uint age) => age > int.MaxValue ? 1 : Math.Exp(-age / TauMilliseconds);

    private static long Pack(float value, uint stamp) => (long)BitConverter.SingleToUInt32Bits(value) << 32 | stamp;

    private static (float Value, uint Stamp) Unpack(long cell) => (BitConverter.UInt32BitsToSingle((uint)(cell >> 32)), (uint)cell);
}
