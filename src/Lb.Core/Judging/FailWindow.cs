namespace Lb;

/// <summary>
/// Counts the failures of a server as nginx does (<c>max_fails</c>, <c>fail_timeout</c>): a failure joins those before it unless the last of them is
/// older than the window, and successes in between forgive nothing. Once full it stays full until a trial succeeds. Pure; not thread-safe.
/// </summary>
/// <remarks>
/// nginx forgets old failures with the first success after the window, we with the first failure after it: the same, but when nothing succeeds between
/// the end of the window and that failure. There nginx would count failures that lie any time apart.
/// </remarks>
internal struct FailWindow
{
    private int _fails;
    private long _last;
    private bool _isFull;

    /// <summary>Takes in a failure: of any lease, and of the trial.</summary>
    /// <param name="now">A timestamp.</param>
    /// <param name="windowTicks">The fail time-out in timestamps; it is also how long the server is out then, counted from this failure.</param>
    /// <param name="maxFails">Failures that take the server out; 0 = never.</param>
    /// <returns>True when the server is out from now on, or once more.</returns>
    public bool Observe(long now, long windowTicks, int maxFails)
    {
        if (maxFails <= 0) return false;
        if (now - _last > windowTicks) _fails = 0;
        if (_fails < maxFails) _fails++;
        _last = now;
        return _isFull |= _fails >= maxFails;
    }

    /// <summary>A lease succeeded after the time out (nginx: one that was picked after it): all is forgiven. Not for other successes.</summary>
    public void TrialSucceeded() => this = default;
}
