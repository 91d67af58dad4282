namespace Lb.Testing;

/// <summary>How long a worker of a simulated server needs for a request, at full speed. Immutable; any thread.</summary>
public abstract class ServiceTime
{
    private protected ServiceTime()
    {
    }

    /// <summary>Always the same.</summary>
    /// <param name="time">Above zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">A time is not positive.</exception>
    public static ServiceTime Constant(TimeSpan time) => new ConstantTime(Ticks(time, nameof(time)));

    /// <summary>Exponential: many short, few long; the usual model of independent requests.</summary>
    /// <param name="mean">Above zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">A time is not positive.</exception>
    public static ServiceTime Exponential(TimeSpan mean) => new ExponentialTime(Ticks(mean, nameof(mean)));

    /// <summary>Lognormal: a heavy tail. With a sigma of 1.5 the median is a third of the mean and one request in a hundred takes ten times the mean.</summary>
    /// <param name="mean">Above zero.</param>
    /// <param name="sigma">Standard deviation of the logarithm; above zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is not positive.</exception>
    public static ServiceTime LogNormal(TimeSpan mean, double sigma)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sigma);
        return new LogNormalTime(Ticks(mean, nameof(mean)), sigma);
    }

    /// <summary>Normal, cut off below zero.</summary>
    /// <param name="mean">Above zero.</param>
    /// <param name="deviation">Standard deviation; not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public static ServiceTime Normal(TimeSpan mean, TimeSpan deviation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(deviation, TimeSpan.Zero);
        return new NormalTime(Ticks(mean, nameof(mean)), deviation.Ticks);
    }

    /// <summary>Two kinds of requests.</summary>
    /// <param name="most">Time of most requests; above zero.</param>
    /// <param name="some">Time of the others; above zero.</param>
    /// <param name="share">Share of the others, 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public static ServiceTime Bimodal(TimeSpan most, TimeSpan some, double share)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1);
        return new BimodalTime(Ticks(most, nameof(most)), Ticks(some, nameof(some)), share);
    }

    /// <summary>Draws from times that were measured, each as likely as the others.</summary>
    /// <param name="times">At least one; all above zero.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A time is not positive.</exception>
    public static ServiceTime Measured(IReadOnlyList<TimeSpan> times)
    {
        ArgumentNullException.ThrowIfNull(times);
        if (times.Count == 0) throw new ArgumentException("At least one time is needed.", nameof(times));
        return new MeasuredTime([.. times.Select(static t => Ticks(t, nameof(times)))]);
    }

    /// <summary>Work of one request in ticks of a worker at full speed.</summary>
    internal abstract double Draw(ref SimulationRandom random);

    private static double Ticks(TimeSpan time, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, name);
        return time.Ticks;
    }

    private sealed class ConstantTime(double time) : ServiceTime
    {
        internal override double Draw(ref SimulationRandom random) => time;
    }

    private sealed class ExponentialTime(double mean) : ServiceTime
    {
        internal override double Draw(ref SimulationRandom random) => mean * random.NextExponential();
    }

    private sealed class LogNormalTime(double mean, double sigma) : ServiceTime
    {
        private readonly double _median = mean * Math.Exp(-sigma * sigma / 2);

        internal override double Draw(ref SimulationRandom random) => _median * Math.Exp(sigma * random.NextNormal());
    }

    private sealed class NormalTime(double mean, double deviation) : ServiceTime
    {
        internal override double Draw(ref SimulationRandom random) => Math.Max(0, mean + (deviation * random.NextNormal()));
    }

    private sealed class BimodalTime(double most, double some, double share) : ServiceTime
    {
        internal override double Draw(ref SimulationRandom random) => random.NextDouble() < share ? some : most;
    }

    private sealed class MeasuredTime(double[] times) : ServiceTime
    {
        internal override double Draw(ref SimulationRandom random) => times[random.Next(times.Length)];
    }
}
