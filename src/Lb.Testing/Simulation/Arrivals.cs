namespace Lb.Testing;

/// <summary>When requests come. Immutable; any thread.</summary>
public abstract class Arrivals
{
    private protected Arrivals()
    {
    }

    /// <summary>Independent of each other (a Poisson process).</summary>
    /// <param name="perSecond">Mean rate; above 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not positive.</exception>
    public static Arrivals Poisson(double perSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perSecond);
        return new PoissonArrivals(perSecond);
    }

    /// <summary>Independent of each other, at a higher rate in the first part of each period.</summary>
    /// <param name="perSecond">Rate between bursts; above 0.</param>
    /// <param name="burstPerSecond">Rate in a burst; not below <paramref name="perSecond"/>.</param>
    /// <param name="burst">Length of a burst; above zero.</param>
    /// <param name="period">Time from burst to burst; longer than a burst.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public static Arrivals Bursts(double perSecond, double burstPerSecond, TimeSpan burst, TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perSecond);
        ArgumentOutOfRangeException.ThrowIfLessThan(burstPerSecond, perSecond);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(burst, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, burst);
        return new BurstArrivals(perSecond, burstPerSecond, burst.Ticks, period.Ticks);
    }

    /// <summary>Evenly spaced; the first one comes at the start.</summary>
    /// <param name="interval">Above zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">The interval is not positive.</exception>
    public static Arrivals Every(TimeSpan interval)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(interval, TimeSpan.Zero);
        return new EvenArrivals(interval.Ticks);
    }

    /// <summary>At the times given, and no more.</summary>
    /// <param name="times">In order, from the start of the run.</param>
    /// <exception cref="ArgumentException">The times are not in order, or begin before zero.</exception>
    public static Arrivals At(params ReadOnlySpan<TimeSpan> times)
    {
        long[] ticks = new long[times.Length];
        for (int i = 0; i < ticks.Length; i++)
        {
            ticks[i] = times[i].Ticks;
            if (ticks[i] < (i == 0 ? 0 : ticks[i - 1])) throw new ArgumentException("The times must be in order, from zero on.", nameof(times));
        }

        return new GivenArrivals(ticks);
    }

    /// <summary>When the next request comes, in ticks; <see cref="long.MaxValue"/> = never.</summary>
    /// <param name="index">Number of the request, from 0.</param>
    /// <param name="previous">When the one before came; 0 for the first.</param>
    /// <param name="random">The arrivals' own chance.</param>
    internal abstract long Next(int index, long previous, ref SimulationRandom random);

    private sealed class PoissonArrivals(double perSecond) : Arrivals
    {
        private readonly double _meanGap = TimeSpan.TicksPerSecond / perSecond;

        internal override long Next(int index, long previous, ref SimulationRandom random) =>
            previous + (long)Math.Round(_meanGap * random.NextExponential());
    }

    // Thinned: drawn at the highest rate, of which between bursts only a share is kept.
    private sealed class BurstArrivals(double perSecond, double burstPerSecond, long burst, long period) : Arrivals
    {
        private readonly double _meanGap = TimeSpan.TicksPerSecond / burstPerSecond;
        private readonly double _kept = perSecond / burstPerSecond;

        internal override long Next(int index, long previous, ref SimulationRandom random)
        {
            while (true)
            {
                previous += (long)Math.Round(_meanGap * random.NextExponential());
                if (previous % period < burst || random.NextDouble() < _kept) return previous;
            }
        }
    }

    private sealed class EvenArrivals(long interval) : Arrivals
    {
        internal override long Next(int index, long previous, ref SimulationRandom random) => index * interval;
    }

    private sealed class GivenArrivals(long[] times) : Arrivals
    {
        internal override long Next(int index, long previous, ref SimulationRandom random) => index < times.Length ? times[index] : long.MaxValue;
    }
}
