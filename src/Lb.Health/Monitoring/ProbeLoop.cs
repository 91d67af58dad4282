using System.Threading.Tasks.Sources;

namespace Lb.Health;

/// <summary>
/// Asks one server the same thing again and again: waits, takes a slot, checks, tells its <see cref="ServerCheck"/>. Blocks no thread, and allocates
/// nothing of its own for a check.
/// </summary>
internal sealed class ProbeLoop : Deadline, IValueTaskSource<bool>, IDisposable
{
    private readonly ServerCheck _check;
    private readonly CheckPlan _plan;
    private readonly ProbeEnvironment _environment;
    private readonly TimeProvider _time;
    private readonly DeadlineQueue _queue;
    private readonly long _origin;
    private readonly CancellationTokenSource _stop = new();
    private readonly ProbeSlots _slots;
    private readonly Inquiry _inquiry;

    // The sleep may be cut short by other threads.
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<bool> _wake;
    private TimeSpan _planned;
    private TimeSpan _hurry = TimeSpan.MaxValue;
    private bool _asleep;
    private bool _stopped;
    private bool _threw;
    private bool _forgave;

    public ProbeLoop(ServerCheck check, ProbeEnvironment environment)
    {
        _check = check;
        _plan = check.Plan;
        _environment = environment;
        _time = environment.Time;
        _queue = DeadlineQueue.Of(_time);
        _origin = _time.GetTimestamp();
        _slots = environment.SlotsOf(check.Pool.Name);
        _inquiry = new Inquiry(_time);
    }

    // Time since the loop was made: one monotonic axis for the schedule.
    private TimeSpan Now => _time.GetElapsedTime(_origin);

    /// <summary>Starts the loop. Once.</summary>
    /// <param name="delay">Until its first check.</param>
    /// <returns>Ends when the loop has ended; never fails.</returns>
    public Task Start(TimeSpan delay)
    {
        _planned = Now + delay;
        return RunAsync();
    }

    /// <summary>Asks the loop to end; a check that runs is cancelled and its result thrown away. Any thread; once.</summary>
    public void Dispose()
    {
        bool wake;
        lock (_lock)
        {
            _stopped = true;
            wake = _asleep;
            _asleep = false;
        }

        _queue.Remove(this);
        Cancellation.Cancel(_stop);
        _stop.Dispose();
        _inquiry.Dispose();
        if (wake) _wake.SetResult(false);
    }

    /// <summary>Callers have failed on the server: the next check comes soon. Any thread; does not block.</summary>
    public void Hurry()
    {
        lock (_lock)
        {
            if (_stopped) return;
            _hurry = _plan.Schedule.Hurry(Now);
            if (!_asleep) return;
            if (_hurry < _planned)
            {
                _planned = _hurry;
                _queue.Set(this, _planned - Now);
            }

            _hurry = TimeSpan.MaxValue;
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

    // The only method that waits: its state lives as long as the loop, so that a check needs none of its own.
    private async Task RunAsync()
    {
        bool putOff = false;
        CancellationToken stop = _stop.Token;
        try
        {
            while (await SleepAsync().ConfigureAwait(false))
            {
                if (!putOff && ProbeSchedule.IsOverdue(_planned, Now))
                {
                    _environment.CountOverdue();
                    _planned = _plan.Schedule.PutOff(_check.Verdict, _environment.Chance(), Now);
                    putOff = true;
                    continue;
                }

                putOff = false;
                if (!_check.IsWanted())
                {
                    _planned = Next(Now);
                    continue;
                }

                await _slots.EnterAsync(stop).ConfigureAwait(false);
                TimeSpan started = Now;
                _environment.Started?.Invoke(started - _planned);
                ProbeResult result;
                bool paused = false;
                try
                {
                    // A checker that does not come back is not called again, but its silence counts.
                    if (_inquiry.IsLeftBehind)
                    {
                        result = new ProbeResult(CheckStatus.Layer7Timeout, 0, "the check before has not ended yet");
                    }
                    else
                    {
                        result = await _inquiry.AskAsync(_plan.Checker, Target()).ConfigureAwait(false);
                        paused = _inquiry.SawPause;
                    }
                }
                finally
                {
                    _slots.Leave();
                }

                if (Volatile.Read(ref _stopped)) return;
                Conclude(result, paused, started);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private ProbeTarget Target()
    {
        CheckOptions options = _plan.Options;
        Server server = _check.Server;
        CheckTimeouts limits = CheckTimeouts.From(options.Interval, options.Timeout, _check.Pool.Settings.ConnectTimeout);
        return new(server.Name, _check.EndPoint, limits.Connect, limits.Whole)
        {
            AnswerTimeout = limits.Answer,
            Pool = _check.Pool.Name,
            ServerId = server.Id,
            Connections = server.InFlight,
            MaxConnections = server.MaxConnections,
        };
    }

    /// <summary>Has the answer judged, and plans the next check.</summary>
    private void Conclude(ProbeResult result, bool paused, TimeSpan started)
    {
        TimeSpan ended = Now;
        _environment.CountRun();
        if (_inquiry.Fault is { } fault && !_threw) HealthLog.CheckerThrew(_environment.Log, fault, _plan.Options.Type, _check.Pool.Name, _check.Server.Name);
        _threw = _inquiry.Fault is not null;

        // A failure says nothing of the server if we did not run while it was to answer. Only once in a row: a dead server must not live on a lame host.
        _forgave = paused && !result.Passed && !_forgave;
        try
        {
            if (_forgave) _environment.CountOverdue();
            else _check.TakeIn(result, ended - started);

            // After a pause all checks of the host end together; the next ones must not start together.
            _planned = paused ? _plan.Schedule.PutOff(_check.Verdict, _environment.Chance(), ended) : Next(started);
        }
        catch (Exception error)
        {
            // A policy of the host's that can't be built, for instance. A loop that ended here would leave the server as it is for ever.
            HealthLog.LoopFailed(_environment.Log, error, _plan.Options.Type, _check.Pool.Name, _check.Server.Name);
            _planned = Now + _plan.Schedule.Interval;
        }
    }

    private TimeSpan Next(TimeSpan lastStart)
    {
        int spread = _environment.SpreadPercent;
        return _plan.Schedule.Next(lastStart, _check.Verdict, spread, spread == 0 ? 0.5 : _environment.Chance(), Now);
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
            TimeSpan delay = _planned - Now;
            if (delay <= TimeSpan.Zero) return new(true);
            _wake.Reset();
            _asleep = true;
            _queue.Set(this, delay);
            return new(this, _wake.Version);
        }
    }
}
