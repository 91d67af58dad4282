namespace Lb;

/// <content>From the state of the servers to what readers see. Under the lock.</content>
public sealed partial class ServerPool
{
    // Below, every change is built at once, so that what a small pool does never depends on how fast the machine is.
    private const int ManyServers = 256;
    private static readonly TimeSpan DearBuild = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan BuildPause = TimeSpan.FromMilliseconds(20);

    private Placement? _built;
    private Placement? _fallback;
    private long _builtAt;
    private long _buildCost;
    private bool? _hasQuorum;
    private List<Server> _members = [];
    private SubsetOptions _subset = new();
    private PlacementRules _placementRules = new();
    private Random? _chance;

    /// <summary>True while the usable servers have the weight that <see cref="PoolOptions.Quorum"/> asks for.</summary>
    public bool HasQuorum => Volatile.Read(ref _quorumHeld);

    private bool _quorumHeld = true;

    private void Publish()
    {
        long now = _time.GetTimestamp();
        Eligibility.Decision before = _decision;
        List<Eligibility.Candidate> candidates = Candidates();
        bool quorumChanged = JudgeQuorum(candidates, out long weight);
        Server? sorry = _servers.Find(static s => s.Sorry);
        _decision = !_quorumHeld && sorry is not null
            ? new Eligibility.Decision(PoolMode.Sorry, [new(sorry, ServerHealth.Up, ServerAdmin.Ready, 1, Backup: false)])
            : Eligibility.Decide(candidates, in _rules, before);
        _decision = WithTrials(_decision, candidates);
        SetLimits(now);

        if (_decision.Servers.Count == 0)
        {
            _published = Published.Empty with { MaxConnections = _protections.MaxConnections, HasDynamicLimits = HasDynamicLimits() };
            _nextRebuild = long.MaxValue;
        }
        else
        {
            PoolSnapshot snapshot = Freeze(_decision.Servers, now);
            _published = new Published(snapshot, BuildOrPutOff(snapshot, now), _decision.Mode, Affinity(), _placement.Policy as IKeyedPolicy, _protections.MaxConnections)
            {
                HasDynamicLimits = HasDynamicLimits(),
            };
        }

        // The first decision is no change, unless it is bad news.
        if (quorumChanged)
        {
            NoteQuorum();
            _events?.Publish(new QuorumChanged(_time.GetUtcNow(), Name, _quorumHeld, weight, _protections.Quorum));
        }

        bool begins = !_begun && _decision.Mode == PoolMode.Normal;
        _begun = true;
        if (before.Mode != _decision.Mode && !begins)
            _events?.Publish(new PoolModeChanged(_time.GetUtcNow(), Name, before.Mode, _decision.Mode, _decision.Servers.Count));
        Schedule(now);
        if (_queue.Count > 0) Grant();
    }

    private bool HasDynamicLimits() => _servers.Exists(static s => s.MinConnections > 0 && s.MinConnections < s.MaxConnections);

    private HashPreserveAffinity Affinity()
    {
        if (!_placement.Policy.Traits.HasFlag(PolicyTraits.UsesKey)) return HashPreserveAffinity.MaxConn;
        return _policyOptions?.BalanceOptions.HashPreserveAffinity
            ?? (_placement.Policy.Traits.HasFlag(PolicyTraits.PreservesAffinity) ? HashPreserveAffinity.Always : HashPreserveAffinity.MaxConn);
    }

    private List<Eligibility.Candidate> Candidates()
    {
        ChooseMembers();
        List<Eligibility.Candidate> candidates = [];
        foreach (Server s in _members)
        {
            Eligibility.Ejected ejected = s.Ejection switch
            {
                null => Eligibility.Ejected.No,
                { Reason: < EjectionReason.MaxFails } => Eligibility.Ejected.UnlessLast,
                _ => Eligibility.Ejected.Strictly,
            };
            candidates.Add(new Eligibility.Candidate(s, s.Health, s.Standing, s.Weight, s.Backup) { Ejected = ejected });
        }

        if (_protections.MaxDownPercent < 100) KeepSomeDown(candidates);
        return candidates;
    }

    // A server on trial takes its few leases beside whoever serves; nothing else is decided by it.
    private static Eligibility.Decision WithTrials(Eligibility.Decision decision, List<Eligibility.Candidate> candidates)
    {
        List<Eligibility.Candidate> trials = candidates.FindAll(c =>
            c.Server.Ejection is { IsTrial: true } && c.IsWanted && c.Health == ServerHealth.Up && !decision.Servers.Any(d => ReferenceEquals(d.Server, c.Server)));
        return trials.Count == 0 ? decision : decision with { Servers = [.. decision.Servers.Concat(trials).OrderBy(static c => c.Server.Id)] };
    }

    // Failing checks may take out only so many: those that failed later stay in use as if they were up.
    private void KeepSomeDown(List<Eligibility.Candidate> candidates)
    {
        List<(int Index, long DownSince)> down = [];
        int total = 0;
        for (int i = 0; i < candidates.Count; i++)
        {
            Eligibility.Candidate c = candidates[i];
            if (c.Backup || !c.IsWanted) continue;
            total++;
            if (c.Health == ServerHealth.Down && c.Server.WasUp) down.Add((i, c.Server.DownSince));
        }

        List<int> kept = [];
        DownLimit.Keep(down, total, _protections.MaxDownPercent, kept);
        foreach (int index in kept) candidates[index] = candidates[index] with { Health = ServerHealth.Up };
    }

    private bool JudgeQuorum(List<Eligibility.Candidate> candidates, out long weight)
    {
        weight = 0;
        foreach (Eligibility.Candidate candidate in candidates)
        {
            if (!candidate.Backup && candidate.IsUsable) weight += candidate.Weight;
        }

        bool held = Quorum.IsHeld(_hasQuorum ?? false, weight, _protections.Quorum, _hasQuorum is null ? 0 : _protections.Hysteresis);

        // The first judgement is no change, unless it is bad news.
        bool changed = held != (_hasQuorum ?? true);
        _hasQuorum = held;
        Volatile.Write(ref _quorumHeld, held);
        return changed;
    }

    // Of all servers, in use or not: one that is drained returns to its full limit too.
    private void SetLimits(long now)
    {
        bool follows = _placement.Policy.Traits.HasFlag(PolicyTraits.FollowsLiveWeights);
        _nextRampStep = long.MaxValue;
        foreach (Server server in _servers)
        {
            server.Limit = server.MaxConnections;
            if (server.RampStarted != 0 && _protections.SlowStart is { } slowStart)
            {
                TimeSpan elapsed = _time.GetElapsedTime(server.RampStarted, now), step = slowStart.StepAfter(elapsed);
                if (step <= TimeSpan.Zero) server.RampStarted = 0;
                else if (follows || server.MaxConnections > 0) _nextRampStep = Math.Min(_nextRampStep, now + Ticks(step));
                server.Limit = slowStart.Limit(server.MaxConnections, elapsed);
            }

            if (server.Ejection is { IsTrial: true }) server.Limit = -1;
        }
    }

    private PoolSnapshot Freeze(IReadOnlyList<Eligibility.Candidate> chosen, long now)
    {
        Server[] servers = new Server[chosen.Count];
        int[] weights = new int[servers.Length];
        for (int i = 0; i < servers.Length; i++) (servers[i], weights[i]) = (chosen[i].Server, chosen[i].Weight);

        if (_protections.SlowStart is not { } slowStart || !Array.Exists(servers, static s => s.RampStarted != 0)) return new PoolSnapshot(servers, weights, ++_version);

        if (!_placement.Policy.Traits.HasFlag(PolicyTraits.FollowsLiveWeights)) return new PoolSnapshot(servers, weights, ++_version);
        int[] live = new int[servers.Length];
        for (int i = 0; i < servers.Length; i++)
        {
            live[i] = servers[i].RampStarted == 0
                ? weights[i] * slowStart.Scale
                : slowStart.LiveWeight(weights[i], _time.GetElapsedTime(servers[i].RampStarted, now));
        }

        return new PoolSnapshot(servers, weights, ++_version, live, slowStart.Scale);
    }

    // When half of a large pool goes down, its tables are not built anew for each server: the ones before serve for a moment, without those that left.
    private IScheduler BuildOrPutOff(PoolSnapshot snapshot, long now)
    {
        if (snapshot.Servers.Length >= ManyServers && _buildCost > Ticks(DearBuild) && now < _builtAt + Ticks(BuildPause) && _published.Scheduler is { } before && ReferenceEquals(_built, _placement))
        {
            _nextRebuild = _builtAt + Ticks(BuildPause);
            return new Stopgap(before, snapshot);
        }

        IScheduler scheduler = Build(snapshot);
        _builtAt = _time.GetTimestamp();
        _buildCost = _builtAt - now;
        _built = _placement;
        TimeSpan interval = _placement.Policy.RebuildInterval;
        _nextRebuild = interval > TimeSpan.Zero ? now + Ticks(interval) : long.MaxValue;
        return scheduler;
    }

    // A policy that throws must not keep a server in rotation that has just gone down: then round robin serves until the next change.
    private IScheduler Build(PoolSnapshot snapshot)
    {
        try
        {
            return _placement.Build(snapshot, _placementRules with { Levels = LevelsOf(_decision) });
        }
        catch (Exception error) when (_begun)
        {
            _events?.Publish(new PolicyFailed(_time.GetUtcNow(), Name, PolicyName, error.Message));
            _fallback ??= new Placement(static () => new RoundRobin());
            return _fallback.Build(snapshot, _placementRules with { Levels = LevelsOf(_decision) });
        }
    }

    // How well each level is: what the servers of the mode could be, and what they are.
    private List<LevelHealth> LevelsOf(Eligibility.Decision decision)
    {
        if (decision.Mode != PoolMode.Normal || !_servers.Exists(s => s.Priority != _servers[0].Priority)) return [];
        HashSet<Server> usable = [.. decision.Servers.Select(static c => c.Server)];
        return
        [
            .. _members.Where(static s => s is { Backup: false, Sorry: false, Standing: ServerAdmin.Ready, Weight: > 0, Health: not ServerHealth.Stopping }).GroupBy(static s => s.Priority)
                .Select(level => new LevelHealth(level.Key, level.Count(usable.Contains), level.Count())),
        ];
    }

    // The servers that this balancer talks to; the others are for other balancers. Backups and the sorry server are everybody's.
    private void ChooseMembers()
    {
        _members = [.. _servers.Where(static s => !s.Sorry)];
        if (_subset.Size == 0) return;
        Server[] mains = [.. _members.Where(static s => !s.Backup)];
        HashSet<Server> chosen = [.. Subsetting.Choose(mains, _subset, Environment.MachineName).Select(i => mains[i])];
        _members.RemoveAll(s => !s.Backup && !chosen.Contains(s));
    }

    private Placement Place(Func<ISchedulingPolicy> make) => new(make, _chance);

    private void HealthChanged(Server server, ServerHealth before)
    {
        long now = _time.GetTimestamp();
        if (server.Health == ServerHealth.Down)
        {
            server.DownSince = now;
            PoolProtections protections = _protections;
            if (protections.Flaps > 0 && server.Flaps.WentDown(now, protections.FlapsWithin, protections.Flaps))
            {
                Forgive(server);
                server.Ejection = new Ejection(EjectionReason.Flapping, now, now + protections.HoldDown, IsTrial: false);
            }
        }
        else if (before == ServerHealth.Down && server.Ejection is { Reason: not EjectionReason.Flapping })
        {
            // It was really down, and the checks say that this is over: what callers saw before says nothing more.
            Forgive(server);
        }
    }

    // All that its callers saw.
    private void Forgive(Server server)
    {
        server.ForgetFailures(_protections.WatchesAll);
        server.Circuit = default;
        server.FailWindow = default;
        server.Ejection = null;
    }

    // A server that returns, and one that is added if the pool wants it so, gets its share step by step; never one that comes up for the first time.
    private void StatusChanged(Server server, ServerStatus before)
    {
        if (server.Status != ServerStatus.Up)
        {
            if (server.Status is not (ServerStatus.Drain or ServerStatus.Stopping)) server.RampStarted = 0;
            return;
        }

        bool returns = server.WasUp && before is ServerStatus.Down or ServerStatus.Ejected or ServerStatus.Maintenance;
        bool isNew = !server.WasUp && server.WasAdded && _protections.SlowStartAdded;
        if (_protections.SlowStart is not null && !server.Sorry && (returns || isNew)) server.RampStarted = Math.Max(1, _time.GetTimestamp());
        server.WasUp = true;
    }
}
