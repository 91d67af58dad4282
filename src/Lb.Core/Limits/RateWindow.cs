namespace Lb;

/// <summary>
/// Events of the last period, by HAProxy's estimate: those of the present period and the part of the one before that the window still covers. 16 bytes, no
/// list of events. Not thread-safe.
/// </summary>
internal struct RateWindow
{
    private long _started;
    private int _current;
    private int _before;

    /// <summary>True when one more event would keep the estimate within the limit.</summary>
    /// <param name="now">A timestamp.</param>
    /// <param name="period">Length of a period in timestamp units.</param>
    /// <param name="limit">Events allowed in a period, 1 or more.</param>
    public bool HasRoom(long now, long period, int limit) => Read(now, period) + 1 <= limit;

    /// <summary>The estimate.</summary>
    public double Read(long now, long period)
    {
        Roll(now, period);
        return _current + (_before * Left(now, period));
    }

    /// <summary>Counts an event.</summary>
    public void Count(long now, long period)
    {
        Roll(now, period);
        _current++;
    }

    /// <summary>Timestamp units until there is room for one more event, if none comes meanwhile; 0 = there is.</summary>
    public long Wait(long now, long period, int limit)
    {
        if (HasRoom(now, period, limit)) return 0;
        long left = _started + period - now;

        // Room in this period, when enough of the one before is out of sight; else in the next one, when enough of this one is.
        return _current + 1 <= limit
            ? left - (long)(period * ((double)(limit - 1 - _current) / _before))
            : left + period - (long)(period * ((double)(limit - 1) / _current));
    }

    private readonly double Left(long now, long period) => 1 - ((double)Math.Max(0, now - _started) / period);

    private void Roll(long now, long period)
    {
        long elapsed = now - _started;
        if (elapsed < period) return;
        _before = elapsed < 2 * period ? _current : 0;
        _current = 0;
        _started = elapsed < 2 * period ? _started + period : now;
    }
}
