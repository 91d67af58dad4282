namespace Lb;

/// <summary>
/// How much of its weight and of its connections a server gets that has been back for a while. <see cref="SlowStartCurve.Steps"/> is HAProxy's
/// <c>slowstart</c>, <see cref="SlowStartCurve.Aggression"/> Envoy's slow start. Pure.
/// </summary>
/// <param name="Window">How long it takes; 0 = everything at once.</param>
/// <param name="Curve">The shape.</param>
/// <param name="Aggression">Hundredths, 1 or more: the exponent of Envoy's curve is 100 / this.</param>
/// <param name="Minimum">Percent of the weight that Envoy's curve begins with, 1 to 100.</param>
internal readonly record struct SlowStart(TimeSpan Window, SlowStartCurve Curve, int Aggression, int Minimum)
{
    private const int Sixteenths = 16;

    /// <summary>What live weights are multiplied by, so that a weight of 1 has steps too.</summary>
    public int Scale => Curve == SlowStartCurve.Aggression ? 64 : Sixteenths;

    /// <summary>The weight after <paramref name="elapsed"/>, in units of 1/<see cref="Scale"/>: 1 to weight × Scale; 0 stays 0.</summary>
    public int LiveWeight(int weight, TimeSpan elapsed)
    {
        if (weight <= 0) return 0;
        long full = (long)weight * Scale;
        if (elapsed >= Window) return (int)full;
        long live = Curve == SlowStartCurve.Aggression
            ? (long)Math.Round(full * Share(elapsed), MidpointRounding.AwayFromZero)
            : weight * (1 + (Sixteenths * Counted(elapsed) / Window.Ticks));
        return (int)Math.Clamp(live, 1, full);
    }

    /// <summary>The connection limit after <paramref name="elapsed"/>: 1 to the full one; 0 (no limit) stays 0.</summary>
    public int Limit(int maxConnections, TimeSpan elapsed)
    {
        if (maxConnections <= 0 || elapsed >= Window) return maxConnections;

        // HAProxy works in whole percents. Envoy has no such limit; with its curve the limit goes the way of the weight.
        double limit = Curve == SlowStartCurve.Aggression
            ? maxConnections * Share(elapsed)
            : maxConnections * (100 * Counted(elapsed) / Window.Ticks) / 100;
        return Math.Max(1, (int)limit);
    }

    /// <summary>Time until weight and limit should be worked out anew; 0 = never, they are full.</summary>
    public TimeSpan StepAfter(TimeSpan elapsed)
    {
        if (elapsed >= Window) return TimeSpan.Zero;
        long shortest = CountsSeconds ? TimeSpan.TicksPerSecond : 10 * TimeSpan.TicksPerMillisecond;
        long step = Math.Max(shortest, Window.Ticks / 20);
        long past = Math.Max(0, elapsed.Ticks);
        return TimeSpan.FromTicks(Math.Min(step - (past % step), Window.Ticks - past));
    }

    // HAProxy counts whole seconds; a window too short for that would have no steps.
    private bool CountsSeconds => Curve == SlowStartCurve.Steps && Window.Ticks >= TimeSpan.TicksPerSecond;

    private long Counted(TimeSpan elapsed)
    {
        long ticks = Math.Max(0, elapsed.Ticks);
        return CountsSeconds ? ticks - (ticks % TimeSpan.TicksPerSecond) : ticks;
    }

    // Envoy begins with the first millisecond: zero to any power would be zero.
    private double Share(TimeSpan elapsed)
    {
        double time = Math.Min(1, Math.Max(1, elapsed.TotalMilliseconds) / Window.TotalMilliseconds);
        return Math.Max(Math.Pow(time, 100.0 / Aggression), Minimum / 100.0);
    }
}
