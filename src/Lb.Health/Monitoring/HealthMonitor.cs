using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Lb.Health;

/// <summary>
/// Keeps one <see cref="ServerWatch"/> for every server of every pool with checks: on each configuration, and whenever servers join or leave in between.
/// </summary>
internal sealed class HealthMonitor : ILbPart, INotifier, IServerWatcher, IHealthReports, IDisposable
{
    private readonly ServerPools _pools;
    private readonly HealthCheckers _checkers;
    private readonly IServiceProvider _services;
    private readonly SemaphoreSlim _one = new(1);
    private readonly ConcurrentDictionary<Server, ServerWatch> _watches = [];
    private readonly Dictionary<ServerPool, IDisposable> _heard = [];
    private volatile Dictionary<string, OnError> _reactions = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Task> _ending = [];
    private Dictionary<string, IReadOnlyList<CheckPlan>> _plans = new(StringComparer.OrdinalIgnoreCase);
    private long _lastHeard;
    private bool _stopped;

    public HealthMonitor(
        ServerPools pools, HealthCheckers checkers, IServiceProvider services, TimeProvider time, Random? random = null, ILogger<HealthMonitor>? log = null,
        EventHub? events = null, Func<ILocalAddresses>? addresses = null)
    {
        _pools = pools;
        _checkers = checkers;
        _services = services;
        Environment = new ProbeEnvironment(time, random, log, addresses);
        Environment.Suspension.Changed = SuspensionChanged;
        Stalls = new StallWatch(Environment, events);
    }

    public int Order => 200;

    public string Handles => "Checks";

    public ProbeEnvironment Environment { get; }

    public StallWatch Stalls { get; }

    public IReadOnlyList<HealthRecord> For(Server server)
    {
        ArgumentNullException.ThrowIfNull(server);
        return _watches.TryGetValue(server, out ServerWatch? watch) ? watch.History : [];
    }

    public void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
        foreach ((string name, PoolOptions pool) in options.Pools)
        {
            for (int i = 0; i < pool.Checks.Count; i++)
            {
                CheckOptions check = pool.Checks[i];
                string path = $"{options.Path}:Pools:{name}:Checks:{i}";
                if (check.Checker is not null || string.IsNullOrWhiteSpace(check.Type)) continue;
                if (!_checkers.Knows(check.Type))
                    errors.Add(new($"{path}:Type", check.Type, $"is no health check of this version; there are: {string.Join(", ", _checkers.Names)}"));
                else
                    HealthCheckers.Validate(path, check, pool, errors);
            }
        }
    }

    public async Task ApplyAsync(LbOptions options, CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_stopped) return;
            _plans = Plan(options);
            _reactions = options.Pools.ToDictionary(static p => p.Key, static p => p.Value.OnError, StringComparer.OrdinalIgnoreCase);
            Environment.Follow(options);
            Environment.Suspension.Follow(options);
            Reconcile();
            Stalls.Follow(options.Health.StalledAfter);
            WarnOfBudget(Environment.Stretched(), options.Health.ChecksPerSecond);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Follows servers that join and leave while the pools run.</summary>
    public async ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
    {
        // A gap is an event that was dropped: it may have been the one.
        bool missed = notice.Sequence != _lastHeard + 1;
        _lastHeard = notice.Sequence;
        if (!missed && notice is not (ServerJoined or ServerLeft)) return;
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_stopped || (_plans.Count == 0 && _watches.IsEmpty)) return;
            Reconcile();
            Environment.Stretched();
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Callers failed on a server. They are not held up by what comes of it: a flip builds the pool's tables anew.</summary>
    public void ErrorLimitReached(Server server, int failures)
    {
        if (!_watches.TryGetValue(server, out ServerWatch? watch)) return;
        OnError reaction = _reactions.GetValueOrDefault(server.Pool.Name);
        Environment.Later(() =>
        {
            try
            {
                watch.CallersFailed(reaction, failures);
            }
            catch (Exception error)
            {
                // A policy of the host's that can't be built, for instance. Nobody else would hear of it.
                HealthLog.ReactionFailed(Environment.Log, error, server.Pool.Name, server.Name);
            }
        });
    }

    public async Task StopAsync(CancellationToken ct)
    {
        await _one.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            _stopped = true;
            StopWatching();
        }
        finally
        {
            _one.Release();
        }

        // Loops end at once; one that can't is not worth more than the host's own limit.
        await Task.WhenAll(_ending).WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        if (!_stopped)
        {
            _stopped = true;
            StopWatching();
        }

        Stalls.Dispose();
        _one.Dispose();
        Environment.Dispose();
    }

    // The address has come: who takes over a service wants to know at once whom to send its callers to.
    private void SuspensionChanged(string pool, bool isSuspended)
    {
        if (isSuspended)
        {
            HealthLog.PoolSuspended(Environment.Log, pool);
            return;
        }

        HealthLog.PoolGoesOn(Environment.Log, pool);
        foreach (ServerWatch watch in _watches.Values.Where(w => w.Pool.Name.Equals(pool, StringComparison.OrdinalIgnoreCase))) watch.Wake();
    }

    // Not an error: a budget is there to hold when there is too much to do.
    private void WarnOfBudget(double wanted, int allowed)
    {
        if (allowed > 0 && wanted > allowed) HealthLog.BudgetTooSmall(Environment.Log, wanted, allowed, wanted / allowed * 100);
    }

    private void StopWatching()
    {
        foreach (IDisposable heard in _heard.Values) heard.Dispose();
        _heard.Clear();
        foreach (ServerWatch watch in _watches.Values) watch.Stop(_ending);
        _watches.Clear();
    }

    // All checkers are made before anything is changed: one that can't be made leaves the running checks alone.
    private Dictionary<string, IReadOnlyList<CheckPlan>> Plan(LbOptions options)
    {
        Dictionary<string, IReadOnlyList<CheckPlan>> plans = new(StringComparer.OrdinalIgnoreCase);
        List<ConfigurationError> errors = [];
        foreach ((string name, PoolOptions pool) in options.Pools)
        {
            List<CheckPlan> running = [.. _plans.GetValueOrDefault(name) ?? []];
            List<CheckPlan> wanted = [];
            for (int i = 0; i < pool.Checks.Count; i++)
            {
                CheckOptions check = pool.Checks[i];
                // Before the checker reads them: what changes in between is seen by the next reload.
                string files = CheckFiles.Stamp(check);
                CheckPlan? same = running.Find(p => CheckPlan.IsSame(p.Options, check) && p.Files == files);
                if (same is not null)
                {
                    running.Remove(same);
                    wanted.Add(same);
                    continue;
                }

                try
                {
                    wanted.Add(new CheckPlan(check, _checkers.Create(check, _services), Environment.Time) { Files = files });
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    errors.Add(new($"{options.Path}:Pools:{name}:Checks:{i}:Type", check.Type, $"the checker can't be made: {error.Message}"));
                }
            }

            if (wanted.Count > 0) plans[name] = wanted;
        }

        return errors.Count == 0 ? plans : throw new LbConfigurationException(errors);
    }

    private void Reconcile()
    {
        _ending.RemoveAll(static t => t.IsCompleted);
        HashSet<Server> present = [];
        foreach (ServerPool pool in _pools.All)
        {
            if (!_plans.TryGetValue(pool.Name, out IReadOnlyList<CheckPlan>? plans)) continue;
            if (!_heard.ContainsKey(pool)) _heard[pool] = pool.Watch(this);
            List<ServerCheck> started = [];

            // One that tracks another has that one's health, whatever checks would say; the sorry server is the last resort, whatever they would say.
            foreach (Server server in pool.Servers.Where(static s => s is { Track: null, Sorry: false }))
            {
                present.Add(server);
                if (!_watches.TryGetValue(server, out ServerWatch? watch)) _watches[server] = watch = new ServerWatch(pool, server, Environment);
                started.AddRange(watch.Follow(plans, _ending));
            }

            for (int i = 0; i < started.Count; i++) started[i].Start(i, started.Count);
        }

        foreach ((Server server, ServerWatch watch) in _watches.Where(w => !present.Contains(w.Key)).ToArray())
        {
            // Its health is the tracked server's business from now on; without checks it is up.
            if (server.Track is not null) watch.Stop(_ending);
            else watch.Follow([], _ending);
            _watches.TryRemove(server, out _);
        }

        foreach (ServerPool gone in _heard.Keys.Where(p => !_plans.ContainsKey(p.Name) || !ReferenceEquals(_pools.Find(p.Name), p)).ToArray())
        {
            _heard[gone].Dispose();
            _heard.Remove(gone);
        }
    }
}
