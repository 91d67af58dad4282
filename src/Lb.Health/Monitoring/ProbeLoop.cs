using System.Net.Sockets;

namespace Lb.Health;

/// <summary>
/// One check of one server, again and again: waits, takes a slot, checks, judges, tells its <see cref="ServerWatch"/>. Owns the streak. Blocks no thread.
/// </summary>
internal sealed class ProbeLoop : IDisposable
{
    /// <summary>What a checker has after its time is up, to say which stage it was in. Then it is left behind.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly ServerWatch _watch;
    private readonly CheckPlan _plan;
    private readonly ProbeEnvironment _environment;
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly CancellationTokenSource _stop = new();
    private readonly ProbeSlots _slots;

    // What callers saw comes from other threads: the judge, and the sleep that it cuts short, are under this lock.
    private readonly Lock _lock = new();
    private TaskCompletionSource<bool>? _asleep;
    private TimeSpan _hurry = TimeSpan.MaxValue;
    private HealthJudge _judge;
    private Task _leftBehind = Task.CompletedTask;
    private bool _threw;
    private bool _forgave;
    private volatile bool _isUp;
    private volatile bool _isStopping;

    public ProbeLoop(ServerWatch watch, CheckPlan plan, InitState initial, ProbeEnvironment environment)
    {
        _watch = watch;
        _plan = plan;
        _environment = environment;
        _time = environment.Time;
        _origin = _time.GetTimestamp();
        _slots = environment.SlotsOf(watch.Pool.Name);
        _judge = new HealthJudge(plan.Options.Rise, plan.Options.Fall, initial);
        _isUp = _judge.IsUp;

        // A reload alone does not put a server back to work that asked to be left alone.
        _isStopping = Server.Health == ServerHealth.Stopping && plan.MayStop;
    }

    public CheckPlan Plan => _plan;

    /// <summary>What this check says of the server. Any thread.</summary>
    public bool IsUp => _isUp;

    /// <summary>That, and whether it asks for no new balanced traffic. Any thread.</summary>
    public ServerHealth Health => !_isUp ? ServerHealth.Down : _isStopping ? ServerHealth.Stopping : ServerHealth.Up;

    /// <summary>Ends when the loop has ended; never fails.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    private Server Server => _watch.Server;

    // Who asked for maintenance itself must be heard when it is over.
    private bool IsInMaintenance => (_plan.OnlyAdvises ? Server.Admin : Server.Standing) == ServerAdmin.Maintenance;

    // Then what is known stays, and is old afterwards.
    private bool Rests => IsInMaintenance || _environment.Suspension.IsSuspended(_watch.Pool.Name);

    // Time since the loop was made: one monotonic axis for the schedule.
    private TimeSpan Now => _time.GetElapsedTime(_origin);

    /// <summary>Starts the loop. Once.</summary>
    /// <param name="index">Its place among the loops of the pool that start with it, from 0.</param>
    /// <param name="count">Their number.</param>
    public void Start(int index, int count) => Ended = RunAsync(Now + _plan.Schedule.FirstDelay(index, count), _stop.Token);

    /// <summary>Asks the loop to end; a check that runs is cancelled and its result thrown away. Any thread; once.</summary>
    public void Dispose()
    {
        Cancellation.Cancel(_stop);
        _stop.Dispose();
    }

    /// <summary>Takes in that callers failed on the server; the next check comes soon. Any thread; does not block.</summary>
    /// <param name="reaction">What it does to the verdict.</param>
    /// <returns>True when the verdict has flipped.</returns>
    public bool CallersFailed(OnError reaction)
    {
        if (_plan.OnlyAdvises) return false;
        bool flipped;
        TaskCompletionSource<bool>? asleep;
        lock (_lock)
        {
            if (_stop.IsCancellationRequested) return false;
            flipped = _judge.React(reaction);
            _isUp = _judge.IsUp;
            _hurry = _plan.Schedule.Hurry(Now);
            asleep = _asleep;
        }

        asleep?.TrySetResult(false);
        return flipped;
    }

    /// <summary>Has the next check start now. Any thread; does not block.</summary>
    public void Wake()
    {
        TaskCompletionSource<bool>? asleep;
        lock (_lock) (_hurry, asleep) = (Now, _asleep);
        asleep?.TrySetResult(false);
    }

    private async Task RunAsync(TimeSpan planned, CancellationToken stop)
    {
        bool putOff = false, rested = false;
        try
        {
            while (true)
            {
                planned = await SleepUntilAsync(planned, stop).ConfigureAwait(false);
                if (!putOff && ProbeSchedule.IsOverdue(planned, Now))
                {
                    _environment.CountOverdue();
                    planned = _plan.Schedule.PutOff(Verdict, _environment.Chance(), Now);
                    putOff = true;
                    continue;
                }

                putOff = false;
                if (Rests)
                {
                    rested = true;
                    planned = Next(Now);
                    continue;
                }

                if (rested) Resume();
                rested = false;
                try
                {
                    planned = await CheckAsync(stop).ConfigureAwait(false);
                }
                catch (Exception error) when (error is not OperationCanceledException || !stop.IsCancellationRequested)
                {
                    // A policy of the host's that can't be built, for instance. A loop that ended here would leave the server as it is for ever.
                    HealthLog.LoopFailed(_environment.Log, error, _plan.Options.Type, _watch.Pool.Name, Server.Name);
                    planned = Now + _plan.Schedule.Interval;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    /// <summary>Checks once and judges.</summary>
    /// <returns>When the next check is planned.</returns>
    private async ValueTask<TimeSpan> CheckAsync(CancellationToken stop)
    {
        await _slots.EnterAsync(stop).ConfigureAwait(false);
        TimeSpan started = Now;
        ProbeResult result;
        bool paused;
        try
        {
            (result, paused) = await AskAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            _slots.Leave();
        }

        stop.ThrowIfCancellationRequested();
        TimeSpan ended = Now;
        _environment.CountRun();

        // A failure says nothing of the server if we did not run while it was to answer. Only once in a row: a dead server must not live on a lame host.
        _forgave = paused && !result.Passed && !_forgave;
        if (_forgave) _environment.CountOverdue();
        else if (!IsInMaintenance) Judge(result, ended - started);

        // After a pause all checks of the host end together; the next ones must not start together.
        return paused ? _plan.Schedule.PutOff(Verdict, _environment.Chance(), ended) : Next(started);
    }

    private async ValueTask<(ProbeResult Result, bool Paused)> AskAsync(CancellationToken stop)
    {
        // A checker that does not come back is not called again, but its silence counts.
        if (!_leftBehind.IsCompleted) return (new ProbeResult(CheckStatus.Layer7Timeout, 0, "the check before has not ended yet"), false);

        CheckOptions options = _plan.Options;
        CheckTimeouts limits = CheckTimeouts.From(options.Interval, options.Timeout, _watch.Pool.Settings.ConnectTimeout);
        ProbeTarget target = _plan.TargetFor(Server, limits);
        (IHealthChecker checker, TimeSpan whole) = _plan.Next(_isUp, limits.Whole);
        using FairTimeout limit = new(whole, _time, stop);
        Task<ProbeResult> asked = AskCheckerAsync(checker, target, limit.Token);
        if (!asked.IsCompleted)
        {
            await ((Task)asked.WaitAsync(limit.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!asked.IsCompleted) await ((Task)asked.WaitAsync(Grace, _time, stop)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (asked.IsCompleted) return (await asked.ConfigureAwait(false), limit.SawPause);
        _leftBehind = asked;
        return (new ProbeResult(CheckStatus.Layer7Timeout, 0, "the check did not end in time"), limit.SawPause);
    }

    // The border to code that is not ours: whatever it throws is a failed check.
    private async Task<ProbeResult> AskCheckerAsync(IHealthChecker checker, ProbeTarget target, CancellationToken ct)
    {
        try
        {
            ProbeResult result = await checker.CheckAsync(target, ct).ConfigureAwait(false);
            _threw = false;
            return result;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return new ProbeResult(CheckStatus.Layer7Timeout, 0, "no answer in time");
        }
        catch (SocketException error)
        {
            return ProbeSocket.Explain(error.SocketErrorCode, target.EndPoint);
        }
        catch (Exception error)
        {
            if (!_threw) HealthLog.CheckerThrew(_environment.Log, error, _plan.Options.Type, _watch.Pool.Name, Server.Name);
            _threw = true;
            return new ProbeResult(CheckStatus.Layer7Response, 0, $"{error.GetType().Name}: {error.Message}");
        }
    }

    private void Judge(ProbeResult result, TimeSpan duration)
    {
        if (_plan.OnlyAdvises)
        {
            Take(result, duration);
            return;
        }

        result = SoftStop.Judge(result, Server.Health);
        if (!result.Passed) _environment.CountFailed();

        // No descriptor, no local port: our own fault says nothing of the server. HAProxy takes SOCKERR for "unknown" too.
        bool flipped;
        ServerHealth before = Health;
        int consecutive;
        lock (_lock)
        {
            flipped = result.Status != CheckStatus.SocketError && _judge.Observe(result.Passed);
            _isUp = _judge.IsUp;
            _isStopping = SoftStop.IsStopping(_isStopping, result.Status, _judge.IsUp);
            consecutive = _judge.Consecutive;
        }

        CheckReport report = Report(result, duration, consecutive);
        _watch.Report(
            this,
            report,
            flipped ? ReportText.Cause(report, result.Passed ? _plan.Options.Rise : _plan.Options.Fall) : before != Health ? ReportText.Short(report) : null);
        if (result is { Passed: true, Advice: { } advice }) _watch.Advise(this, advice, report.Text);
    }

    // A server that says nothing of its health leaves it as it was.
    private void Take(ProbeResult result, TimeSpan duration)
    {
        int consecutive;
        bool before = _isUp;
        lock (_lock)
        {
            if (result.Advice?.Health is { } health) _judge.Decide(health == ServerHealth.Up);
            _isUp = _judge.IsUp;
            consecutive = _judge.Consecutive;
        }

        CheckReport report = Report(result, duration, consecutive);
        _watch.ReportAgent(this, report, before != _isUp);
        if (result.Advice is { } advice) _watch.Advise(this, advice, report.Text);
    }

    private CheckReport Report(ProbeResult result, TimeSpan duration, int consecutive) =>
        new(result.Status, result.Code, duration, ReportText.Clean(result.Text), _time.GetUtcNow(), consecutive);

    // What was known before the maintenance stays, but it is old: the first check that contradicts it decides alone.
    private void Resume()
    {
        lock (_lock)
        {
            if (_judge.IsChecked) _judge = new HealthJudge(_plan.Options.Rise, _plan.Options.Fall, _judge.IsUp ? InitState.Up : InitState.Down);
        }
    }

    private HealthJudge Verdict
    {
        get
        {
            lock (_lock) return _judge;
        }
    }

    private TimeSpan Next(TimeSpan lastStart)
    {
        int spread = _environment.SpreadPercent;
        return _plan.Schedule.Next(lastStart, Verdict, spread, spread == 0 ? 0.5 : _environment.Chance(), Now);
    }

    /// <summary>Sleeps until then, or less when callers fail meanwhile or have failed since the last sleep.</summary>
    /// <returns>When it was to end.</returns>
    private async ValueTask<TimeSpan> SleepUntilAsync(TimeSpan planned, CancellationToken stop)
    {
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            TaskCompletionSource<bool> asleep = new();
            lock (_lock)
            {
                if (_hurry < planned) planned = _hurry;
                _hurry = TimeSpan.MaxValue;
                _asleep = asleep;
            }

            TimeSpan delay = planned - Now;
            if (delay <= TimeSpan.Zero) return planned;
            using CancellationTokenRegistration stopped = stop.UnsafeRegister(static state => ((TaskCompletionSource<bool>)state!).TrySetResult(false), asleep);
            using ITimer timer = _time.CreateTimer(
                static state => ((TaskCompletionSource<bool>)state!).TrySetResult(true), asleep, Delays.Ceiling(delay), Timeout.InfiniteTimeSpan);
            if (await asleep.Task.ConfigureAwait(false)) return planned;
        }
    }
}
