namespace Lb;

/// <summary>Notices that a server goes down too often: more than so many times within a while. Remembers only as many times. Pure; not thread-safe.</summary>
internal struct FlapJudge
{
    // A ring of the last times down; _next is the oldest once it is full.
    private long[]? _times;
    private int _count;
    private int _next;

    /// <summary>The server went down.</summary>
    /// <param name="now">A timestamp.</param>
    /// <param name="withinTicks">The while, in timestamps; its end counts.</param>
    /// <param name="flaps">How often is allowed; 0 = no damping. Another number than before begins anew.</param>
    /// <returns>True when it should be held down.</returns>
    public bool WentDown(long now, long withinTicks, int flaps)
    {
        if (flaps <= 0) return false;
        if (_times?.Length != flaps)
        {
            _times = new long[flaps];
            _count = _next = 0;
        }

        bool tooOften = _count == flaps && now - _times[_next] <= withinTicks;
        _times[_next] = now;
        _next = (_next + 1) % flaps;
        if (_count < flaps) _count++;
        return tooOften;
    }
}
