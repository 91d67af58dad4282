namespace Lb;

/// <summary>
/// Lets so many through in a period and tells the others how long to wait (HAProxy <c>rate-limit sessions</c>): what is limited is delayed, not refused. A
/// sliding window, so that two bursts at the edge of two periods don't make twice the limit. Any thread; a short lock, no allocation.
/// </summary>
public sealed class RateGate
{
    private readonly Lock _lock = new();
    private readonly long _second;
    private readonly long _period;
    private readonly int _limit;
    private RateWindow _window;

    /// <summary>Makes it.</summary>
    /// <param name="limit">How many in a period, 1 or more.</param>
    /// <param name="period">The period, above 0.</param>
    /// <param name="timestampsPerSecond">Units of the timestamps that it will be given: <see cref="TimeProvider.TimestampFrequency"/>.</param>
    public RateGate(int limit, TimeSpan period, long timestampsPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(timestampsPerSecond, 1);
        _limit = limit;
        _second = timestampsPerSecond;
        _period = Math.Max(1, (long)(period.TotalSeconds * timestampsPerSecond));
    }

    /// <summary>Counts one, whether it had to wait or not.</summary>
    /// <param name="now">A timestamp.</param>
    /// <returns>Zero: there is room for another one. Else the time until there is.</returns>
    public TimeSpan Take(long now)
    {
        lock (_lock)
        {
            _window.Count(now, _period);
            return ToTime(_window.Wait(now, _period, _limit));
        }
    }

    /// <summary>The time until there is room for one more; zero = there is.</summary>
    /// <param name="now">A timestamp.</param>
    public TimeSpan Wait(long now)
    {
        lock (_lock) return ToTime(_window.Wait(now, _period, _limit));
    }

    /// <summary>How many in the last period, by estimate.</summary>
    /// <param name="now">A timestamp.</param>
    public double Read(long now)
    {
        lock (_lock) return _window.Read(now, _period);
    }

    private TimeSpan ToTime(long units) => new((long)Math.Ceiling((double)units / _second * TimeSpan.TicksPerSecond));
}
