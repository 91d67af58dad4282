using System.Net;

namespace Lb.Health;

/// <summary>
/// One check of one server as its pool sees it: the streak, the verdict, and what is told of it. A <see cref="ProbeLoop"/> does the asking. Any thread.
/// </summary>
internal sealed class ServerCheck : IDisposable
{
    private readonly ServerWatch _watch;
    private readonly CheckPlan _plan;
    private readonly ProbeEnvironment _environment;

    // What callers saw comes from other threads than the checks.
    private readonly Lock _lock = new();
    private HealthJudge _judge;
    private ProbeLoop? _loop;
    private Task _left = Task.CompletedTask;
    private bool _rested;
    private bool _asked;
    private int _suspensions;
    private string? _ownFault;
    private bool _ended;
    private volatile bool _isUp;
    private volatile bool _isStopping;

    public ServerCheck(ServerWatch watch, CheckPlan plan, InitState initial, ProbeEnvironment environment)
    {
        _watch = watch;
        _plan = plan;
        _environment = environment;
        _judge = new HealthJudge(plan.Options.Rise, plan.Options.Fall, initial);
        _isUp = _judge.IsUp;

        // A reload alone does not put a server back to work that asked to be left alone.
        _isStopping = Server.Health == ServerHealth.Stopping && plan.MayStop;
    }

    public CheckPlan Plan => _plan;

    public Server Server => _watch.Server;

    public ServerPool Pool => _watch.Pool;

    /// <summary>What this check says of the server.</summary>
    public bool IsUp => _isUp;

    /// <summary>That, and whether it asks for no new balanced traffic.</summary>
    public ServerHealth Health => !_isUp ? ServerHealth.Down : _isStopping ? ServerHealth.Stopping : ServerHealth.Up;

    /// <summary>Ends when nothing of it runs any more; never fails.</summary>
    public Task Ended => _left;

    /// <summary>The state of the count.</summary>
    public HealthJudge Verdict
    {
        get
        {
            lock (_lock) return _judge;
        }
    }

    /// <summary>What the check looks at: the server's address, but for what the check says.</summary>
    public EndPoint EndPoint => _plan.Place.Of(Server.EndPoint);

    /// <summary>The name that it asks for, if any.</summary>
    public string? HostName => _plan.HostNameOf(Server);

    /// <summary>What its connections begin with.</summary>
    public ReadOnlyMemory<byte> Preamble => _plan.PreambleOf(Server);

    /// <summary>How long its stages may take.</summary>
    public CheckTimeouts Limits => CheckTimeouts.From(_plan.Options.Interval, _plan.Options.Timeout, Pool.Settings.ConnectTimeout);

    // Who asked for maintenance itself must be heard when it is over.
    private bool IsInMaintenance => (_plan.OnlyAdvises ? Server.Admin : Server.Standing) == ServerAdmin.Maintenance;

    /// <summary>Starts it. Once.</summary>
    /// <param name="index">Its place among the checks of the pool that start with it, from 0.</param>
    /// <param name="count">Their number.</param>
    public void Start(int index, int count)
    {
        _ = Join(_plan.Schedule.FirstDelay(index, count));
    }

    /// <summary>Its address is another one now, or it may share no more: it goes on in another loop. Called by the loop, before it asks.</summary>
    public void Move()
    {
        if (Join(TimeSpan.Zero) is { } left) _environment.Loops.Leave(this, left);
    }

    /// <summary>Asks it to end; a check that runs is cancelled and its result thrown away, unless others want it. Once.</summary>
    public void Dispose()
    {
        ProbeLoop? loop;
        lock (_lock)
        {
            _ended = true;
            loop = _loop;
        }

        if (loop is null) return;
        _environment.Loops.Leave(this, loop);
        if (loop.IsDisposed) _left = loop.Ended;
    }

    /// <summary>Takes in that callers failed on the server; the next check comes soon. Does not block.</summary>
    /// <param name="reaction">What it does to the verdict.</param>
    /// <returns>True when the verdict has flipped.</returns>
    public bool CallersFailed(OnError reaction)
    {
        if (_plan.OnlyAdvises) return false;
        bool flipped;
        lock (_lock)
        {
            if (_ended) return false;
            flipped = _judge.React(reaction);
            _isUp = _judge.IsUp;
        }

        _loop?.Hurry();
        return flipped;
    }

    /// <summary>Called when the check is due.</summary>
    /// <returns>False while the server is in maintenance or another node holds the pool's address: it is not checked, and what is known stays.</returns>
    public bool IsWanted()
    {
        if (IsInMaintenance || _environment.Suspension.IsSuspended(Pool.Name))
        {
            _rested = true;
            return false;
        }

        if (_rested) Resume();
        _rested = false;
        return true;
    }

    /// <summary>True while it wants no check.</summary>
    public bool IsResting => _rested || IsInMaintenance || _environment.Suspension.IsSuspended(Pool.Name);

    /// <summary>A check starts that it will be told of, unless it rests: then, or before the end.</summary>
    public void Begin()
    {
        _suspensions = _environment.Suspension.Times(Pool.Name);
        _asked = !IsResting;
    }

    /// <summary>Takes in one check. What begins before this one wanted it, and what begins or ends in maintenance or while suspended, does not count.</summary>
    /// <returns>True when it counted as failed.</returns>
    public bool TakeIn(ProbeResult result, TimeSpan duration)
    {
        bool asked = _asked;
        _asked = false;
        if (!asked || IsResting || _suspensions != _environment.Suspension.Times(Pool.Name)) return false;
        if (_plan.OnlyAdvises)
        {
            Follow(result, duration);
            return false;
        }

        result = SoftStop.Judge(result, Server.Health);
        Judge(result, duration);
        return !result.Passed && result.Status != CheckStatus.SocketError;
    }

    /// <summary>Has the next check start now. Does not block.</summary>
    public void Wake() => _loop?.Wake();

    // Returns the loop before.
    private ProbeLoop? Join(TimeSpan delay)
    {
        ProbeLoop? left;
        ProbeLoop joined;
        bool isNew;
        lock (_lock)
        {
            if (_ended) return null;
            _asked = false;
            left = _loop;
            _loop = joined = _environment.Loops.Join(this, delay, out isNew);
        }

        if (isNew) joined.Start(delay);
        return left;
    }

    private void Judge(ProbeResult result, TimeSpan duration)
    {
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
        TellOwnFault(report);
        _watch.Report(
            this,
            report,
            flipped ? ReportText.Cause(report, result.Passed ? _plan.Options.Rise : _plan.Options.Fall) : before != Health ? ReportText.Short(report) : null);
        if (result is { Passed: true, Advice: { } advice }) _watch.Advise(this, advice, report.Text);
    }

    // Nothing changes by it, so nobody would see it.
    private void TellOwnFault(CheckReport report)
    {
        string? fault = report.Status == CheckStatus.SocketError ? report.Text : null;
        if (fault == _ownFault) return;
        _ownFault = fault;
        if (fault is null) HealthLog.OwnFaultEnded(_environment.Log, _plan.Options.Type, Pool.Name, Server.Name);
        else HealthLog.OwnFault(_environment.Log, _plan.Options.Type, Pool.Name, Server.Name, fault, Server.Health);
    }

    // A server that says nothing of its health leaves it as it was.
    private void Follow(ProbeResult result, TimeSpan duration)
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
        new(result.Status, result.Code, duration, ReportText.Clean(result.Text), _environment.Time.GetUtcNow(), consecutive);

    // What was known before the rest stays, but it is old: the first check that contradicts it decides alone.
    private void Resume()
    {
        lock (_lock)
        {
            if (_judge.IsChecked) _judge = new HealthJudge(_plan.Options.Rise, _plan.Options.Fall, _judge.IsUp ? InitState.Up : InitState.Down);
        }
    }
}
