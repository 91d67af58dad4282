using System.Net;

namespace Lb.Health;

/// <summary>
/// Asks one server the same thing again and again: waits, takes a slot, checks, tells the <see cref="ServerCheck"/>s that want to know: one, or several of
/// pools that ask the same. Blocks no thread, and allocates nothing of its own for a check.
/// </summary>
internal sealed partial class ProbeLoop : Deadline, IDisposable
{
    private readonly CheckPlan _plan;
    private readonly ProbeEnvironment _environment;
    private readonly TimeProvider _time;
    private readonly DeadlineQueue _queue;
    private readonly long _origin;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationToken _stopping;
    private readonly Inquiry _inquiry;

    private volatile ServerCheck[] _checks;
    private bool _stopped;
    private bool _threw;
    private bool _forgave;

    public ProbeLoop(ServerCheck check, ProbeKey? key, ProbeEnvironment environment)
    {
        _checks = [check];
        Key = key;
        _stopping = _stop.Token;
        _plan = check.Plan;
        _environment = environment;
        _time = environment.Time;
        _queue = DeadlineQueue.Of(_time);
        _origin = _time.GetTimestamp();
        _inquiry = new Inquiry(_time);
    }

    /// <summary>What it asks of whom, if others may join.</summary>
    public ProbeKey? Key { get; }

    /// <summary>The check that it makes.</summary>
    public CheckPlan Plan => _plan;

    /// <summary>Ends when the loop has ended; never fails.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    public bool IsDisposed => Volatile.Read(ref _stopped);

    // Time since the loop was made: one monotonic axis for the schedule.
    private TimeSpan Now => _time.GetElapsedTime(_origin);

    /// <summary>Starts the loop; with the system's clock nothing is asked inside this call. Once.</summary>
    /// <param name="delay">Until its first check.</param>
    public void Start(TimeSpan delay)
    {
        // Who moves the clock by hand sees the first check when the start returns; it is the one turn that may run inside it.
        _gaveWay = !ReferenceEquals(_time, TimeProvider.System);
        lock (_lock) _planned = Now + delay;
        Ended = RunAsync();
    }

    /// <summary>Tells one more check.</summary>
    /// <param name="check">Which.</param>
    /// <param name="delay">Until it wants to be told at the latest.</param>
    public void Add(ServerCheck check, TimeSpan delay)
    {
        lock (_lock)
        {
            _checks = [.. _checks, check];
            HurryTo(Now + delay);
        }
    }

    /// <summary>Tells one check no more.</summary>
    /// <returns>True when none is left: the loop is to be disposed.</returns>
    public bool Remove(ServerCheck check)
    {
        lock (_lock)
        {
            if (!_checks.Contains(check)) return false;
            if (_checks.Length == 1) return true;
            _checks = [.. _checks.Where(c => c != check)];
            return false;
        }
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

    // The only method that waits: its state lives as long as the loop, so that a check needs none of its own.
    private async Task RunAsync()
    {
        bool putOff = false;
        try
        {
            while (await SleepAsync().ConfigureAwait(false))
            {
                if (!putOff && ProbeSchedule.IsOverdue(_planned, Now))
                {
                    _environment.CountOverdue();
                    _planned = Schedule.PutOff(Verdict, _environment.Chance(), Now);
                    putOff = true;
                    continue;
                }

                putOff = false;
                MoveThoseElsewhere();
                if (Volatile.Read(ref _stopped)) return;
                if (FirstWanted() is not { } check)
                {
                    _planned = Next(Now);
                    continue;
                }

                // The pool's slot first: one that waits for a host holds up its own pool at most.
                EndPoint where = check.EndPoint;
                ProbeSlots slots = _environment.SlotsOf(check.Pool.Name);
                ProbeSlots? hostSlots = _environment.SlotsOf(where);
                await slots.EnterAsync(_stopping).ConfigureAwait(false);
                TimeSpan started;
                ProbeResult result;
                bool paused = false;
                try
                {
                    if (hostSlots is not null) await hostSlots.EnterAsync(_stopping).ConfigureAwait(false);
                    try
                    {
                        await _environment.Budget.EnterAsync(_stopping).ConfigureAwait(false);
                        started = Now;
                        Begin(started);
                        foreach (ServerCheck member in _checks) member.Begin();
                        _environment.Started?.Invoke(started - _planned);

                        // A checker that does not come back is not called again, but its silence counts.
                        if (_inquiry.IsLeftBehind)
                        {
                            result = new ProbeResult(CheckStatus.Layer7Timeout, 0, "the check before has not ended yet");
                        }
                        else
                        {
                            // Nobody holds it when the check is over: it would live until the next one.
                            ProbeTarget target = _plan.TargetFor(check.Server, where, check.Limits);
                            (IHealthChecker checker, TimeSpan whole) = _plan.Next(IsUp, target.Timeout);
                            ValueTask<ProbeResult> asked = _inquiry.AskAsync(checker, target, whole);
                            _gaveWay = !asked.IsCompleted;
                            result = await asked.ConfigureAwait(false);
                            paused = _inquiry.SawPause;
                        }
                    }
                    finally
                    {
                        hostSlots?.Leave();
                    }
                }
                finally
                {
                    slots.Leave();
                }

                if (Volatile.Read(ref _stopped)) return;
                Conclude(result, paused, started);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    // All are asked: one that rests must know that it did.
    private ServerCheck? FirstWanted()
    {
        ServerCheck? first = null;
        foreach (ServerCheck check in _checks)
        {
            if (check.IsWanted()) first ??= check;
        }

        return first;
    }

    // Servers that are found by name change their addresses, and a reload may end the sharing.
    private void MoveThoseElsewhere()
    {
        if (Key is null) return;
        ServerCheck[] checks = _checks;
        for (int i = 0; i < checks.Length; i++)
        {
            bool mayStay = i == 0 || _environment.ShareChecks;
            if (!mayStay || !Key.IsStillOf(checks[i])) checks[i].Move();
        }
    }

    /// <summary>Has the answer judged, and plans the next check.</summary>
    private void Conclude(ProbeResult result, bool paused, TimeSpan started)
    {
        TimeSpan ended = Now;
        _environment.CountRun();
        if (_inquiry.Fault is { } fault && !_threw) HealthLog.CheckerThrew(_environment.Log, fault, _plan.Options.Type, _checks[0].Pool.Name, _checks[0].Server.Name);
        _threw = _inquiry.Fault is not null;

        // A failure says nothing of the server if we did not run while it was to answer. Only once in a row: a dead server must not live on a lame host.
        _forgave = paused && !result.Passed && !_forgave;
        try
        {
            if (_forgave) _environment.CountOverdue();
            else Tell(result, ended - started);

            // After a pause all checks of the host end together; the next ones must not start together.
            _planned = paused ? Schedule.PutOff(Verdict, _environment.Chance(), ended) : Next(started);
        }
        catch (Exception error)
        {
            // A policy of the host's that can't be built, for instance. A loop that ended here would leave the server as it is for ever.
            HealthLog.LoopFailed(_environment.Log, error, _plan.Options.Type, _checks[0].Pool.Name, _checks[0].Server.Name);
            _planned = Now + _plan.Schedule.Interval;
        }
    }

    private void Tell(ProbeResult result, TimeSpan duration)
    {
        bool failed = false;
        List<Exception>? errors = null;
        foreach (ServerCheck check in _checks)
        {
            try
            {
                failed |= check.TakeIn(result, duration);
            }
            catch (Exception error)
            {
                // The others are told all the same.
                (errors ??= []).Add(error);
            }
        }

        if (failed) _environment.CountFailed();
        if (errors is not null) throw errors.Count == 1 ? errors[0] : new AggregateException(errors);
    }

    // Of several that don't rest one is enough: for it a failure counts, which another attempt may spare it.
    private bool IsUp
    {
        get
        {
            foreach (ServerCheck check in _checks)
            {
                if (check.Health != ServerHealth.Down && !check.IsResting) return true;
            }

            return false;
        }
    }

    // Of several the one in the greatest hurry. Those that rest have no say, unless all do.
    private HealthJudge Verdict
    {
        get
        {
            ServerCheck[] checks = _checks;
            HealthJudge? most = null;
            foreach (ServerCheck check in checks)
            {
                if (checks.Length > 1 && check.IsResting) continue;
                HealthJudge one = check.Verdict;
                if (most is not { } other || _plan.Schedule.IntervalFor(one) < _plan.Schedule.IntervalFor(other)) most = one;
            }

            return most ?? checks[0].Verdict;
        }
    }

    private ProbeSchedule Schedule => _plan.Schedule.Stretched(_environment.Stretch);

    private TimeSpan Next(TimeSpan lastStart)
    {
        int spread = _environment.SpreadPercent;
        return Schedule.Next(lastStart, Verdict, spread, spread == 0 ? 0.5 : _environment.Chance(), Now);
    }
}
