using System.Threading.Tasks.Sources;

namespace Lb.Health;

/// <summary>The waiting for the planned time, which callers and others may cut short.</summary>
internal sealed partial class ProbeLoop : IValueTaskSource<bool>
{
    // The sleep may be cut short by other threads.
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<bool> _wake;
    private TimeSpan _planned;
    private TimeSpan _hurry = TimeSpan.MaxValue;
    private bool _asleep;
    private bool _waits;

    // Whether the thread was given back since the last sleep.
    private bool _gaveWay;

    /// <summary>Callers have failed on the server: the next check comes soon. Any thread; does not block.</summary>
    public void Hurry()
    {
        lock (_lock)
        {
            if (!_stopped) HurryTo(_plan.Schedule.Hurry(Now));
        }
    }

    /// <summary>Has the next check start now. Any thread; does not block.</summary>
    public void Wake()
    {
        lock (_lock)
        {
            if (!_stopped) HurryTo(Now);
        }
    }

    /// <summary>How late a check is that is due and has not started; zero or less: none is. Any thread.</summary>
    /// <param name="since">What was before that does not count: the end of the last pause of this process, by the clock's timestamp.</param>
    public TimeSpan Late(long since)
    {
        lock (_lock)
        {
            if (!_waits || _stopped) return TimeSpan.Zero;
            TimeSpan late = Now - _planned, running = _time.GetElapsedTime(since);
            return late < running ? late : running;
        }
    }

    /// <summary>The sleep is over.</summary>
    protected internal override void Reached()
    {
        lock (_lock)
        {
            if (!_asleep) return;
            TimeSpan left = _planned - Now;
            if (left > TimeSpan.Zero)
            {
                _queue.Set(this, left);
                return;
            }

            _asleep = false;
        }

        _wake.SetResult(true);
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _wake.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);

    // Under the lock.
    private void HurryTo(TimeSpan latest)
    {
        if (latest < _hurry) _hurry = latest;
        if (!_asleep) return;
        if (_hurry < _planned)
        {
            _planned = _hurry;
            _queue.Set(this, _planned - Now);
        }

        _hurry = TimeSpan.MaxValue;
    }

    /// <summary>A check starts: it is the one that was wanted by now.</summary>
    private void Begin(TimeSpan started)
    {
        lock (_lock)
        {
            _waits = false;
            if (_hurry <= started) _hurry = TimeSpan.MaxValue;
        }
    }

    /// <summary>Sleeps until the planned time, or less when callers fail meanwhile or have failed since the last sleep.</summary>
    /// <returns>False when the loop is to end.</returns>
    private ValueTask<bool> SleepAsync()
    {
        lock (_lock)
        {
            if (_stopped) return new(false);
            if (_hurry < _planned) _planned = _hurry;
            _hurry = TimeSpan.MaxValue;
            _waits = true;
            TimeSpan delay = _planned - Now;
            bool gaveWay = _gaveWay;
            _gaveWay = false;

            // A checker that never waits must not keep the thread of whoever started the loop: a turn that did not wait ends in the queue.
            if (delay <= TimeSpan.Zero && gaveWay) return new(true);
            _wake.Reset();
            _asleep = true;
            _queue.Set(this, delay);
            return new(this, _wake.Version);
        }
    }
}
