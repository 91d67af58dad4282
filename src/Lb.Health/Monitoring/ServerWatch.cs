using System.Globalization;

namespace Lb.Health;

/// <summary>All checks of one server. The server is up when every one of them says so. Any thread.</summary>
internal sealed class ServerWatch(ServerPool pool, Server server, ProbeEnvironment environment)
{
    // Verdicts of several loops meet here; the pool's lock is taken inside it, never the other way round.
    private readonly Lock _lock = new();
    private readonly List<ServerCheck> _loops = new(1);

    // Those that have set something of the server beside its health; null before the first.
    private HashSet<ServerCheck>? _advisors;

    private readonly ReportRing _history = new();

    public ServerPool Pool => pool;

    /// <summary>Its last checks, the oldest first.</summary>
    public IReadOnlyList<HealthRecord> History
    {
        get
        {
            lock (_lock) return _history.Copy();
        }
    }

    public Server Server => server;

    /// <summary>Makes the checks what <paramref name="plans"/> says: loops of plans that stay go on, the others are stopped.</summary>
    /// <param name="plans">The checks wanted.</param>
    /// <param name="stopped">Takes the loops that were stopped.</param>
    /// <returns>New loops, to be started by the caller.</returns>
    public IReadOnlyList<ServerCheck> Follow(IReadOnlyList<CheckPlan> plans, ICollection<Task> stopped)
    {
        List<ServerCheck> started = [], left = [];
        lock (_lock)
        {
            foreach (ServerCheck loop in _loops)
            {
                if (!plans.Contains(loop.Plan)) left.Add(loop);
            }

            _loops.RemoveAll(left.Contains);
            bool saysDown = left.Exists(static l => l.Plan.OnlyAdvises && !l.IsUp);
            foreach (CheckPlan plan in plans)
            {
                // What only advises has nothing against the server until it says so, or has said so before it was changed.
                InitState initial = !plan.OnlyAdvises ? Initial : saysDown ? InitState.FullyDown : InitState.FullyUp;
                if (!_loops.Exists(l => l.Plan == plan)) started.Add(new ServerCheck(this, plan, initial, environment));
            }

            _loops.AddRange(started);
            bool silenced = _advisors?.RemoveWhere(left.Contains) > 0 && _advisors.Count == 0;
            if (silenced && !_loops.Exists(static l => l.Plan.MayAdvise)) pool.ForgetAgent(server);

            if (left.Count > 0) Settle(_loops.Count == 0 ? "no checks" : "checks changed");
        }

        // Outside the lock: cancelling runs whatever the checkers have registered.
        foreach (ServerCheck loop in left)
        {
            loop.Dispose();
            stopped.Add(loop.Ended);
        }

        return started;
    }

    /// <summary>Ends all checks and leaves the server as it is.</summary>
    public void Stop(ICollection<Task> stopped)
    {
        ServerCheck[] loops;
        lock (_lock)
        {
            loops = [.. _loops];
            _loops.Clear();
        }

        foreach (ServerCheck loop in loops)
        {
            loop.Dispose();
            stopped.Add(loop.Ended);
        }
    }

    /// <summary>Takes in one check.</summary>
    /// <param name="loop">Whose; one that was stopped has nothing to say any more.</param>
    /// <param name="report">The check.</param>
    /// <param name="cause">Set when what the loop says of the server has changed.</param>
    public void Report(ServerCheck loop, CheckReport report, string? cause)
    {
        lock (_lock)
        {
            if (!_loops.Contains(loop)) return;
            ServerPool.ReportCheck(server, report);
            Keep(loop, report, cause is not null);
            if (cause is not null) Settle(cause);
        }
    }

    /// <summary>Takes in what the server's agent answered, or that it did not.</summary>
    /// <param name="loop">Whose; one that was stopped has nothing to say any more.</param>
    /// <param name="report">The answer.</param>
    /// <param name="flipped">Whether it says something else of the server's health than before.</param>
    public void ReportAgent(ServerCheck loop, CheckReport report, bool flipped)
    {
        lock (_lock)
        {
            if (!_loops.Contains(loop)) return;
            ServerPool.ReportAgentCheck(server, report);
            Keep(loop, report, flipped);
        }
    }

    /// <summary>Takes in what the server asks for.</summary>
    /// <param name="loop">Who heard it; one that was stopped has nothing to say any more.</param>
    /// <param name="advice">What it asks for: the same again changes nothing.</param>
    /// <param name="text">Its words, for people.</param>
    public void Advise(ServerCheck loop, ProbeAdvice advice, string text)
    {
        lock (_lock)
        {
            if (!_loops.Contains(loop)) return;
            (_advisors ??= []).Add(loop);
            string cause = $"{loop.Plan.Options.Type}: {text}";
            if (advice.State is { } state && state != server.Agent) pool.SetAgent(server, state, cause);
            if (advice.MaxConnections is { } limit && limit != server.MaxConnections) pool.SetMaxConnections(server, limit);
            if (advice.Weight is { } weight)
            {
                if (weight != server.Weight) pool.SetWeight(server, weight);
            }
            else if (advice.WeightPercent is { } percent)
            {
                pool.SetWeightPercent(server, percent);
            }

            if (loop.Plan.OnlyAdvises) Settle(cause);
        }
    }

    /// <summary>Takes in that callers failed on the server: every check counts it. Takes the server out when that was one failure too many.</summary>
    /// <param name="reaction">What it does.</param>
    /// <param name="failures">How often in a row they failed.</param>
    public void CallersFailed(OnError reaction, int failures)
    {
        if (server.Standing == ServerAdmin.Maintenance) return;
        ServerCheck[] loops;
        lock (_lock) loops = [.. _loops];
        bool flipped = false;
        foreach (ServerCheck loop in loops) flipped |= loop.CallersFailed(reaction);
        if (!flipped) return;
        lock (_lock)
        {
            if (_loops.Count > 0) Settle(string.Create(CultureInfo.InvariantCulture, $"{failures} failures in a row of its callers"));
        }
    }

    /// <summary>Has every check start now.</summary>
    public void Wake()
    {
        ServerCheck[] loops;
        lock (_lock) loops = [.. _loops];
        foreach (ServerCheck loop in loops) loop.Wake();
    }

    // A server that was judged before (its check was changed, or others run already) starts from that: a reload alone flips nothing.
    private InitState Initial
    {
        get
        {
            bool isNew = server.LastCheck is null && _loops.Count == 0;
            bool startsUp = server.InitState is InitState.Up or InitState.FullyUp;
            if (isNew && startsUp == (server.Health != ServerHealth.Down)) return server.InitState;
            return server.Health != ServerHealth.Down ? InitState.FullyUp : InitState.FullyDown;
        }
    }

    private void Keep(ServerCheck loop, CheckReport report, bool flipped) =>
        _history.Add(environment.History, loop.Plan.Options.Type, report, loop.Health, flipped);

    private void Settle(string cause)
    {
        ServerHealth health = !_loops.TrueForAll(static l => l.IsUp) ? ServerHealth.Down : _loops.Exists(static l => l.Health == ServerHealth.Stopping) ? ServerHealth.Stopping : ServerHealth.Up;
        if (server.Health != health) pool.SetHealth(server, health, cause);
    }
}
