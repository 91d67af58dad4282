namespace Lb.Health;

/// <summary>
/// A time-out that a pause of this process does not eat. It runs in slices: a slice that ends late, because the host was suspended, a collection ran
/// or the CPU was elsewhere, does not count, so what arrived meanwhile has at least one more slice to be read. Any thread.
/// </summary>
/// <remarks>
/// With a single timer the answer and the time-out race after a pause, and servers are declared dead for our own sleep. Forgiveness ends after
/// <see cref="MaxForgiven"/> slices: on a host that is always late the limit grows, but it stays one.
/// </remarks>
internal sealed class FairTimeout : IDisposable
{
    private const int Slices = 8;
    private const int MaxForgiven = 8;
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _source;
    private readonly ITimer _timer;
    private readonly TimeSpan _slice;
    private TimeSpan _left;
    private TimeSpan _armed;
    private long _armedAt;
    private int _forgiven;
    private bool _paused;
    private bool _ended;

    /// <summary>Starts the time-out.</summary>
    /// <param name="limit">Above zero.</param>
    /// <param name="time">The clock.</param>
    /// <param name="ct">Cancels <see cref="Token"/> too.</param>
    public FairTimeout(TimeSpan limit, TimeProvider time, CancellationToken ct)
    {
        _time = time;
        _left = limit;
        _slice = limit / Slices;
        _source = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Token = _source.Token;
        _timer = time.CreateTimer(static state => ((FairTimeout)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lock (_lock) Arm();
    }

    /// <summary>Cancelled when the time is up.</summary>
    public CancellationToken Token { get; }

    /// <summary>True when this process did not run for longer than <see cref="ProbeSchedule.Slack"/> since the start.</summary>
    public bool SawPause
    {
        get
        {
            lock (_lock) return _paused || (!_ended && IsPause(_time.GetElapsedTime(_armedAt)));
        }
    }

    public void Dispose()
    {
        lock (_lock) _ended = true;
        _timer.Dispose();
        _source.Dispose();
    }

    private void Tick()
    {
        lock (_lock)
        {
            if (_ended) return;
            TimeSpan elapsed = _time.GetElapsedTime(_armedAt);
            _paused |= IsPause(elapsed);
            if (elapsed - _armed <= Late || ++_forgiven > MaxForgiven) _left -= elapsed;
            if (_left > TimeSpan.Zero)
            {
                Arm();
                return;
            }

            _ended = true;
        }

        Cancellation.Cancel(_source);
    }

    private bool IsPause(TimeSpan elapsed) => elapsed - _armed > ProbeSchedule.Slack;

    private void Arm()
    {
        // The last slice is half to one and a half of the others, never a sliver.
        _armed = _left <= _slice * 1.5 ? _left : _slice;
        _armedAt = _time.GetTimestamp();
        _timer.Change(Delays.Ceiling(_armed), Timeout.InfiniteTimeSpan);
    }
}
