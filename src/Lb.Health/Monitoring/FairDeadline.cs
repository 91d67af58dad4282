namespace Lb.Health;

/// <summary>
/// A time limit that a pause of this process does not eat. It runs in slices: a slice that ends late, because the host was suspended, a collection ran
/// or the CPU was elsewhere, does not count, so what arrived meanwhile has at least one more slice to be read. May be used again and again. Any thread.
/// </summary>
/// <remarks>
/// With a single timer the answer and the time-out race after a pause, and servers are declared dead for our own sleep. Forgiveness ends after
/// <see cref="MaxForgiven"/> slices: on a host that is always late the limit grows, but it stays one.
/// </remarks>
internal abstract class FairDeadline(TimeProvider time) : Deadline
{
    private const int Slices = 8;
    private const int MaxForgiven = 8;
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly DeadlineQueue _queue = DeadlineQueue.Of(time);
    private TimeSpan _slice;
    private TimeSpan _left;
    private TimeSpan _armed;
    private long _armedAt;
    private int _run;
    private int _forgiven;
    private bool _paused;
    private bool _expired;
    private bool _ended = true;

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>True when this process did not run for longer than <see cref="ProbeSchedule.Slack"/> since the start.</summary>
    public bool SawPause
    {
        get
        {
            lock (_lock) return _paused || (!_ended && IsPause(time.GetElapsedTime(_armedAt)));
        }
    }

    /// <summary>Starts the time; it must not be running.</summary>
    /// <param name="limit">Above zero.</param>
    /// <returns>Number of this run, other than 0.</returns>
    protected int Begin(TimeSpan limit)
    {
        lock (_lock)
        {
            _left = limit;
            _slice = limit / Slices;
            _forgiven = 0;
            _paused = _expired = _ended = false;
            if (++_run == 0) _run = 1;
            Arm();
            return _run;
        }
    }

    /// <summary>Stops the time.</summary>
    /// <returns>False when it was up before: then <see cref="Expired"/> has been called or is about to be.</returns>
    protected bool End()
    {
        lock (_lock)
        {
            if (_ended) return !_expired;
            _ended = true;
            _paused |= IsPause(time.GetElapsedTime(_armedAt));
            _queue.Remove(this);
            return true;
        }
    }

    /// <summary>The time is up.</summary>
    /// <param name="run">Which run's: another may have begun meanwhile.</param>
    protected abstract void Expired(int run);

    protected internal sealed override void Reached()
    {
        int run;
        lock (_lock)
        {
            if (_ended) return;
            TimeSpan elapsed = time.GetElapsedTime(_armedAt);
            _paused |= IsPause(elapsed);
            if (elapsed - _armed <= Late || ++_forgiven > MaxForgiven) _left -= elapsed;
            if (_left > TimeSpan.Zero)
            {
                Arm();
                return;
            }

            _ended = _expired = true;
            run = _run;
        }

        Expired(run);
    }

    private bool IsPause(TimeSpan elapsed) => elapsed - _armed > ProbeSchedule.Slack;

    private void Arm()
    {
        // The last slice is half to one and a half of the others, never a sliver.
        _armed = _left <= _slice * 1.5 ? _left : _slice;
        _armedAt = time.GetTimestamp();
        _queue.Set(this, _armed);
    }
}
