namespace Lb.Testing;

/// <summary>
/// Something that happens to a simulated server. Times count from the start of the run, the warm-up included. Several conditions of a server multiply their
/// speeds; work in progress slows down and speeds up with the server. Immutable; any thread.
/// </summary>
public abstract class ServerCondition
{
    private protected ServerCondition()
    {
    }

    /// <summary>Slow for a while.</summary>
    /// <param name="from">Start.</param>
    /// <param name="until">End; after the start.</param>
    /// <param name="speed">Above 0; 0.1 = ten times as slow, above 1 = faster.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public static ServerCondition Slow(TimeSpan from, TimeSpan until, double speed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(speed);
        return new SpeedWindow(Window.Of(from, until), speed);
    }

    /// <summary>Stands still for a while, as in a garbage collection; what it had in work goes on afterwards.</summary>
    /// <param name="from">Start.</param>
    /// <param name="until">End; after the start.</param>
    /// <exception cref="ArgumentOutOfRangeException">The end is not after the start.</exception>
    public static ServerCondition Pause(TimeSpan from, TimeSpan until) => new SpeedWindow(Window.Of(from, until), 0);

    /// <summary>Answers every request that a worker begins in this time with an error, and fast.</summary>
    /// <param name="from">Start.</param>
    /// <param name="until">End; after the start.</param>
    /// <param name="after">Time to the error; zero or more, whatever the speed.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public static ServerCondition FailFast(TimeSpan from, TimeSpan until, TimeSpan after)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(after, TimeSpan.Zero);
        return new FixedWindow(Window.Of(from, until), after.Ticks, fails: true);
    }

    /// <summary>Needs the same time for every request that a worker begins in this time, whatever the work and the speed.</summary>
    /// <param name="from">Start.</param>
    /// <param name="until">End; after the start.</param>
    /// <param name="time">Zero or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public static ServerCondition FixedTime(TimeSpan from, TimeSpan until, TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        return new FixedWindow(Window.Of(from, until), time.Ticks, fails: false);
    }

    /// <summary>Cold: begins slow and comes up to full speed in a hundred equal steps. Before the start it is at full speed.</summary>
    /// <param name="from">Start.</param>
    /// <param name="duration">Time to full speed; above zero.</param>
    /// <param name="speed">Speed at the start, above 0 and below 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public static ServerCondition ColdStart(TimeSpan from, TimeSpan duration, double speed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(speed);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(speed, 1);
        return new Ramp(from.Ticks, duration.Ticks, speed);
    }

    /// <summary>Neighbours that take the machine's time: in each period, by chance and for each server apart, slow.</summary>
    /// <param name="period">Length of a period; above zero.</param>
    /// <param name="chance">Chance that a period is slow, 0 to 1.</param>
    /// <param name="speed">Speed in a slow period; above 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public static ServerCondition Antagonists(TimeSpan period, double chance, double speed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegative(chance);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chance, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(speed);
        return new ByChance(period.Ticks, chance, speed);
    }

    /// <summary>Speed from <paramref name="time"/> until the next change; 1 is full speed.</summary>
    /// <param name="time">Ticks since the start.</param>
    /// <param name="seed">The server's.</param>
    internal virtual double SpeedAt(long time, ulong seed) => 1;

    /// <summary>When the speed may change next, after <paramref name="time"/>; <see cref="long.MaxValue"/> = never.</summary>
    internal virtual long NextChange(long time) => long.MaxValue;

    /// <summary>True when a request that begins now does not depend on work and speed.</summary>
    internal virtual bool Overrides(long time, out long takes, out bool fails)
    {
        takes = 0;
        fails = false;
        return false;
    }

    private readonly record struct Window(long From, long Until)
    {
        public static Window Of(TimeSpan from, TimeSpan until)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(from, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(until, from);
            return new Window(from.Ticks, until.Ticks);
        }

        public bool Contains(long time) => time >= From && time < Until;

        public long NextEdge(long time) => time < From ? From : time < Until ? Until : long.MaxValue;
    }

    private sealed class SpeedWindow(Window window, double speed) : ServerCondition
    {
        internal override double SpeedAt(long time, ulong seed) => window.Contains(time) ? speed : 1;

        internal override long NextChange(long time) => window.NextEdge(time);
    }

    private sealed class FixedWindow(Window window, long time, bool fails) : ServerCondition
    {
        internal override bool Overrides(long now, out long takes, out bool isFailure)
        {
            takes = time;
            isFailure = fails;
            return window.Contains(now);
        }
    }

    private sealed class Ramp(long from, long duration, double speed) : ServerCondition
    {
        private const int Steps = 100;

        internal override double SpeedAt(long time, ulong seed) =>
            time < from || time >= from + duration ? 1 : speed + ((1 - speed) * Step(time) / Steps);

        internal override long NextChange(long time) =>
            time < from ? from : time >= from + duration ? long.MaxValue : EndOf(Step(time));

        private long Step(long time) => (long)((Int128)(time - from) * Steps / duration);

        // Rounded up: the first tick whose step is the next one.
        private long EndOf(long step) => from + (long)((((Int128)(step + 1) * duration) + Steps - 1) / Steps);
    }

    private sealed class ByChance(long period, double chance, double speed) : ServerCondition
    {
        internal override double SpeedAt(long time, ulong seed)
        {
            SimulationRandom random = new(SimulationRandom.Seed(seed, (ulong)(time / period)));
            return random.NextDouble() < chance ? speed : 1;
        }

        internal override long NextChange(long time) => ((time / period) + 1) * period;
    }
}
