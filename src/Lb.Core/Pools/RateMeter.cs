namespace Lb;

/// <summary>
/// Estimates the events of the last second from a running total, rolled when it is read: counting costs nothing. The estimate is HAProxy's: the
/// current second's events plus the share of the previous second that the window still covers. Concurrent reads may disturb each other slightly.
/// </summary>
internal struct RateMeter
{
    private long _windowStart;
    private long _totalAtStart;
    private double _previous;

    public double Read(long total, long now, long timestampsPerSecond)
    {
        long elapsed = now - _windowStart;
        if (elapsed >= timestampsPerSecond)
        {
            double seconds = (double)elapsed / timestampsPerSecond;
            _previous = seconds < 2 ? (total - _totalAtStart) / seconds : 0;
            _totalAtStart = total;
            _windowStart = now;
            elapsed = 0;
        }

        double remaining = 1 - ((double)Math.Max(0, elapsed) / timestampsPerSecond);
        return total - _totalAtStart + (_previous * remaining);
    }
}
