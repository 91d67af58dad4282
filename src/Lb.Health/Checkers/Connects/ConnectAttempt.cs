using System.Net;
using System.Threading.Tasks.Sources;

namespace Lb.Health;

/// <summary>
/// One connection that is being tried, until it is there, has failed, has had its time or is cancelled: whoever is first closes the socket. Used again and
/// again, so that a check leaves no garbage. Any thread.
/// </summary>
/// <param name="watcher">Whose it is.</param>
/// <param name="index">Its place there.</param>
internal sealed class ConnectAttempt(ConnectWatcher watcher, int index) : IValueTaskSource<ProbeResult>
{
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<ProbeResult> _source = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _cancelled;
    private Limit? _limit;
    private EndPoint? _endPoint;
    private int _descriptor;
    private int _limitRun;
    private int _run;

    // Number of the run, or 0 when it is decided: events of an earlier run come to nothing.
    private int _pending;

    /// <summary>Waits for a connection that is in progress. Takes over the socket.</summary>
    public ValueTask<ProbeResult> WaitAsync(int descriptor, ProbeTarget target, TimeProvider time, CancellationToken ct)
    {
        // Nobody decides before all is set: a socket closed too early may be another one's by the time it is watched.
        lock (_lock)
        {
            _source.Reset();
            _descriptor = descriptor;
            _endPoint = target.EndPoint;
            if (_limit is null || !ReferenceEquals(_limit.Time, time)) _limit = new Limit(time, this);
            if (++_run == 0) _run = 1;
            int run = _pending = _run;
            _limitRun = _limit.Start(target.ConnectTimeout);
            _cancelled = ct.UnsafeRegister(static state => ((ConnectAttempt)state!).Cancel(), this);
            if (_pending == run && watcher.Watch(descriptor, index, run) is not 0 and var error)
                Finish(connected: false, ProbeSocket.Explain(ConnectLibc.ErrorOf(error), target.EndPoint));
            return new(this, _source.Version);
        }
    }

    /// <summary>The socket is connected or has failed.</summary>
    public void Ready(int run)
    {
        lock (_lock)
        {
            if (_pending != run) return;
            int error = ConnectLibc.TakeError(_descriptor);
            Finish(error == 0, error == 0 ? new ProbeResult(CheckStatus.Layer4Ok) : ProbeSocket.Explain(ConnectLibc.ErrorOf(error), _endPoint!));
        }
    }

    ProbeResult IValueTaskSource<ProbeResult>.GetResult(short token)
    {
        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            // Waits for a callback that runs at this moment, so that it can't cancel the next one.
            _cancelled.Dispose();
            _endPoint = null;
            watcher.Return(this);
        }
    }

    ValueTaskSourceStatus IValueTaskSource<ProbeResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<ProbeResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Cancel()
    {
        lock (_lock)
        {
            if (_pending != 0) GiveUp();
        }
    }

    private void Expired(Limit limit, int run)
    {
        lock (_lock)
        {
            if (_pending != 0 && limit == _limit && run == _limitRun) GiveUp();
        }
    }

    private void GiveUp() => Finish(connected: false, new ProbeResult(CheckStatus.Layer4Timeout, 0, "no connection in time"));

    private void Finish(bool connected, ProbeResult result)
    {
        _pending = 0;
        if (connected) ConnectLibc.Reset(_descriptor);
        else _ = ConnectLibc.Close(_descriptor);
        _limit!.Stop();
        _source.SetResult(result);
    }

    /// <summary>The connect time-out.</summary>
    private sealed class Limit(TimeProvider time, ConnectAttempt attempt) : FairDeadline(time)
    {
        public int Start(TimeSpan limit) => Begin(limit);

        public void Stop() => End();

        protected override void Expired(int run) => attempt.Expired(this, run);
    }
}
