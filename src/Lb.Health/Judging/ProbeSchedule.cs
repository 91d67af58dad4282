namespace Lb.Health;

/// <summary>
/// When a check starts. All times are on one monotonic axis: a wall clock that is set has no effect. Pure.
/// </summary>
/// <remarks>
/// <para>A wake-up later than <see cref="Slack"/> means that this process did not run: it was suspended, stopped, collecting garbage or starved of CPU.
/// Then all checks of the host are late at once, and running them at once would be a burst, with time-outs of our own making. So a late check is put
/// off once, by a random part of its interval, as at the start.</para>
/// <para>It is put off only once in a row: a host that is always late still checks, at half the pace in the worst case.</para>
/// </remarks>
/// <param name="Interval">From start to start while the verdict is clear.</param>
/// <param name="FastInterval">While it is in question.</param>
/// <param name="DownInterval">While the server is fully down.</param>
internal readonly record struct ProbeSchedule(TimeSpan Interval, TimeSpan FastInterval, TimeSpan DownInterval)
{
    /// <summary>The longest delay that counts as ordinary.</summary>
    public static readonly TimeSpan Slack = TimeSpan.FromSeconds(1);

    public static ProbeSchedule From(CheckOptions options) =>
        new(options.Interval, options.FastInterval ?? options.Interval, options.DownInterval ?? options.Interval);

    /// <summary>The same with every interval so many times as long.</summary>
    public ProbeSchedule Stretched(double factor) => factor == 1 ? this : new(Interval * factor, FastInterval * factor, DownInterval * factor);

    /// <summary>The interval that holds in this state.</summary>
    public TimeSpan IntervalFor(in HealthJudge judge) => judge.IsFullyDown ? DownInterval : judge.IsInTransition ? FastInterval : Interval;

    /// <summary>Start of check <paramref name="index"/> of <paramref name="count"/> that begin together, after now: spread over one interval.</summary>
    public TimeSpan FirstDelay(int index, int count) => TimeSpan.FromTicks((long)((Int128)Interval.Ticks * index / count));

    /// <summary>Next start after a check that has ended.</summary>
    /// <param name="lastStart">When it started.</param>
    /// <param name="judge">The state with its result.</param>
    /// <param name="spreadPercent">Random change of the interval in both directions, 0 to 50.</param>
    /// <param name="chance">A random number, 0 to below 1; 0.5 changes nothing.</param>
    /// <param name="now">When it ended.</param>
    /// <returns>Never before <paramref name="now"/>: a check that took longer than the interval is followed at once, not overlapped.</returns>
    public TimeSpan Next(TimeSpan lastStart, in HealthJudge judge, int spreadPercent, double chance, TimeSpan now)
    {
        TimeSpan planned = lastStart + (IntervalFor(judge) * (1 + (spreadPercent / 100.0 * (1 - (2 * chance)))));
        return planned > now ? planned : now;
    }

    /// <summary>The latest start of the next check once callers have failed on the server: HAProxy hurries every reaction of <c>on-error</c>.</summary>
    /// <param name="now">When they failed.</param>
    public TimeSpan Hurry(TimeSpan now) => now + FastInterval;

    /// <summary>True when a check that was planned for then is overdue now.</summary>
    public static bool IsOverdue(TimeSpan planned, TimeSpan now) => now - planned > Slack;

    /// <summary>New start of an overdue check: within one interval from now.</summary>
    /// <param name="judge">The state.</param>
    /// <param name="chance">A random number, 0 to below 1.</param>
    /// <param name="now">The time.</param>
    public TimeSpan PutOff(in HealthJudge judge, double chance, TimeSpan now) => now + (IntervalFor(judge) * chance);
}
