namespace Lb.Vrrp;

/// <summary>What is to be done about something tracked that can be started again.</summary>
internal enum RestartAdvice
{
    /// <summary>It is well.</summary>
    Well,

    /// <summary>It is not, and is to be started again now; nobody is told yet.</summary>
    Restart,

    /// <summary>It is not, and has been started again a short while ago; nobody is told yet.</summary>
    Wait,

    /// <summary>It is not, and starting it again did not help, or is not wanted.</summary>
    NotWell,
}

/// <summary>
/// Decides when a failed service is started again and when that is given up: so many attempts, each followed by twice the wait of the one before. Pure; not
/// thread-safe. Times are on one monotonic axis.
/// </summary>
/// <remarks>
/// Attempts are forgotten when the service has been well for as long as the next wait would be: one that dies again and again is not restarted for ever while
/// the addresses stay where they are.
/// </remarks>
internal struct RestartPolicy(int attempts, TimeSpan backOff)
{
    private int _tried;
    private bool _isDown;
    private bool _gaveUp;
    private TimeSpan _nextAt;
    private TimeSpan _wellSince;

    /// <summary>Attempts made that are not forgotten.</summary>
    public readonly int Tried => _tried;

    /// <summary>Takes in what is known now.</summary>
    /// <param name="well">True when it is well.</param>
    /// <param name="now">When.</param>
    public RestartAdvice Observe(bool well, TimeSpan now)
    {
        if (well)
        {
            if (_isDown) _wellSince = now;
            _isDown = _gaveUp = false;
            if (_tried > 0 && now - _wellSince >= Wait(attempts)) _tried = 0;
            return RestartAdvice.Well;
        }

        bool isNew = !_isDown;
        _isDown = true;
        if (_gaveUp) return RestartAdvice.NotWell;
        if (!isNew && _tried > 0 && now < _nextAt) return RestartAdvice.Wait;
        if (_tried < attempts)
        {
            _tried++;
            Ran(now);
            return RestartAdvice.Restart;
        }

        _gaveUp = true;
        return RestartAdvice.NotWell;
    }

    /// <summary>The attempt has come to its end: the wait begins now.</summary>
    public void Ran(TimeSpan now) => _nextAt = now + Wait(_tried - 1);

    private readonly TimeSpan Wait(int doublings) => TimeSpan.FromTicks(Math.Min(backOff.Ticks << Math.Min(doublings, 20), TimeSpan.TicksPerHour));
}
