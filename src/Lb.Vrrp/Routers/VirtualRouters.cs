using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb.Vrrp;

/// <summary>
/// The virtual routers of a host: started, changed and stopped with its configuration, driven by one thread of their own. Linux. Any thread.
/// </summary>
public sealed class VirtualRouters : ILbPart, IDisposable
{
    private readonly ServerPools _pools;
    private readonly EventHub? _events;
    private readonly TimeProvider _time;
    private readonly Func<string, IAddressOwner?> _owners;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _one = new(1);
    private readonly Dictionary<string, RunningRouter> _running = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, SyncGroup> _groups = new(StringComparer.OrdinalIgnoreCase);
    private volatile CancellationTokenSource _hurry = new();
    private volatile VirtualRouter[] _all = [];
    private volatile Dictionary<string, RouterNotifyOptions> _notify = [];
    private VrrpLoop? _loop;
    private VrrpOptions? _global;

    /// <summary>Made by dependency injection.</summary>
    internal VirtualRouters(
        ServerPools pools, EventHub? events, TimeProvider time, Func<string, IAddressOwner?> owners, ILogger<VirtualRouters>? log = null)
    {
        _pools = pools;
        _events = events;
        _time = time;
        _owners = owners;
        _log = log ?? NullLogger<VirtualRouters>.Instance;
    }

    /// <inheritdoc/>
    public int Order => 400;

    /// <inheritdoc/>
    public string Handles => "Routers";

    /// <summary>The routers as they are, by name.</summary>
    public IReadOnlyList<RouterSnapshot> Snapshots => [.. _all.Select(static r => r.Snapshot())];

    internal IReadOnlyList<VirtualRouter> All => _all;

    /// <summary>The thread that drives them; null while there are none.</summary>
    internal VrrpLoop? Loop => _loop;

    /// <summary>The router of this name as it is; null = there is none.</summary>
    /// <param name="name">Its name, without regard to case.</param>
    public RouterSnapshot? Find(string name) => Array.Find(_all, r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase))?.Snapshot();

    /// <summary>The programs that are told of a router's changes; null = there is no such router.</summary>
    internal RouterNotifyOptions? NotifyOf(string name) => _notify.GetValueOrDefault(name);

    /// <inheritdoc/>
    public void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(errors);
        if (options.Routers.Count > 0 && !OperatingSystem.IsLinux())
        {
            errors.Add(new($"{options.Path}:Routers", null, "virtual routers run on Linux only"));
            return;
        }

        MachineRules.Validate(options, errors);
        if (_global is { } now && (now.RealTimePriority, now.QueueAhead, now.MulticastGroup4, now.MulticastGroup6)
            != (options.Vrrp.RealTimePriority, options.Vrrp.QueueAhead, options.Vrrp.MulticastGroup4, options.Vrrp.MulticastGroup6))
            errors.Add(new($"{options.Path}:Vrrp", null, "can't be changed while the routers run; start anew"));
    }

    /// <inheritdoc/>
    public async Task ApplyAsync(LbOptions options, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (options.Routers.Count == 0 && _running.Count == 0) return;

            List<ConfigurationError> odd = [];
            if (!options.SkipPortChecks) MachineRules.FindOffLink(options, odd);
            foreach (ConfigurationError finding in odd) RouterLog.OffLink(_log, finding.ToString());

            // What can fail is made before anything is changed: a router that can't be made leaves the running ones alone.
            List<(string Name, RouterSeat Seat)> made = Make(options);
            VrrpLoop loop = _loop!;
            _global ??= options.Vrrp;
            _notify = options.Routers.ToDictionary(static r => r.Key, static r => r.Value.Notify, StringComparer.OrdinalIgnoreCase);
            foreach ((string name, RouterOptions router) in options.Routers)
            {
                if (_running.TryGetValue(name, out RunningRouter? running) && running.Seat.Router.CanBecome(router)) await running.ChangeAsync(loop, router).ConfigureAwait(false);
            }

            string[] ended = [.. _running.Keys.Where(n => !options.Routers.ContainsKey(n) || made.Exists(m => string.Equals(m.Name, n, StringComparison.OrdinalIgnoreCase)))];
            using (CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(ct, _hurry.Token))
                await EndAsync([.. ended.Select(n => _running[n])], graceful: true, end.Token).ConfigureAwait(false);
            foreach (string name in ended) _running.Remove(name);
            foreach ((_, RouterSeat seat) in made) seat.Prepare();
            await RegroupAsync(loop, [.. _running.Values.Select(static r => r.Seat), .. made.Select(static m => m.Seat)]).ConfigureAwait(false);
            foreach ((string name, RouterSeat seat) in made) _running[name] = await RunningRouter.StartAsync(loop, seat, options.Routers[name], Trackers).ConfigureAwait(false);
            _all = [.. _running.Values.Select(static r => r.Seat.Router)];
            if (_running.Count == 0) EndLoop();
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Stops all routers: those that are Active resign, and answer until their successors are heard.</summary>
    /// <param name="ct">Cancelled when there is no more time: then they let go at once.</param>
    public async Task StopAsync(CancellationToken ct)
    {
        // A reload that waits for routers to let go has no more time either.
        CancellationTokenSource hurry = _hurry;
        using CancellationTokenRegistration late = ct.Register(hurry.Cancel);
        await _one.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            await EndAsync([.. _running.Values], graceful: true, ct).ConfigureAwait(false);
            _running.Clear();
            EndLoop();
        }
        finally
        {
            _hurry = new CancellationTokenSource();
            _one.Release();
        }
    }

    /// <summary>Drops everything that was not stopped.</summary>
    public void Dispose()
    {
        _loop?.Dispose();
        _loop = null;
        _one.Dispose();
    }

    // Without a router there is no thread, and the settings that it was made with hold no longer.
    private void EndLoop()
    {
        _loop?.Dispose();
        _loop = null;
        _global = null;
        _groups.Clear();
    }

    private List<(string Name, RouterSeat Seat)> Make(LbOptions options)
    {
        List<(string, RouterSeat)> made = [];
        try
        {
            foreach ((string name, RouterOptions router) in options.Routers)
            {
                if (_running.TryGetValue(name, out RunningRouter? running) && running.Seat.Router.CanBecome(router)) continue;
                made.Add((name, new RouterSeat(name, router, _global ?? options.Vrrp, _events, _time, _owners(name), _log)));
            }

            _loop ??= new VrrpLoop(options.Vrrp, _log);
            return made;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            foreach ((_, RouterSeat seat) in made) seat.Dispose();
            throw new LbConfigurationException([new ConfigurationError($"{options.Path}:Routers", null, $"a router can't be made: {failure.Message}")]);
        }
    }

    // Interfaces are watched by the loop itself.
    private IReadOnlyList<(int Index, ITracker Tracker)> Trackers(RouterOptions router) =>
        [.. router.Track.Select((track, i) => (Index: i, Tracker: Vrrp.Trackers.Create(track, name => _pools[name], _time, _log))).Where(static t => t.Tracker is not null).Select(static t => (t.Index, t.Tracker!))];

    // Before the new ones start: what holds for a group holds for them from the first moment. Groups that stay are not taken apart.
    private Task RegroupAsync(VrrpLoop loop, IReadOnlyList<RouterSeat> seats) => loop.RunAsync(now =>
    {
        ILookup<string, RouterSeat> wanted = seats.Where(static s => s.Router.Options.SyncGroup is not null).ToLookup(static s => s.Router.Options.SyncGroup!, StringComparer.OrdinalIgnoreCase);
        foreach (string gone in _groups.Keys.Where(name => !wanted.Contains(name)).ToArray())
        {
            _groups[gone].Bind([], now);
            _groups.Remove(gone);
        }

        foreach (IGrouping<string, RouterSeat> members in wanted)
        {
            if (!_groups.TryGetValue(members.Key, out SyncGroup? group)) _groups[members.Key] = group = new SyncGroup(members.Key, []);
            foreach (RouterSeat seat in members) seat.Group = group;
            group.Bind(members.Select(static s => s.Router), now);
        }
    });

    private async Task EndAsync(IReadOnlyList<RunningRouter> routers, bool graceful, CancellationToken ct)
    {
        if (_loop is not { } loop || routers.Count == 0) return;
        Task[] ended = [.. routers.Select(r => r.StopAsync(loop, graceful))];
        try
        {
            await Task.WhenAll(ended).WaitAsync(ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The second call ends what was handing over.
            await Task.WhenAll(routers.Select(r => r.StopAsync(loop, graceful: false))).ConfigureAwait(false);
        }

        await loop.RunAsync(_ =>
        {
            foreach (RunningRouter running in routers) loop.Remove(running.Seat);
        }).ConfigureAwait(false);
        foreach (RunningRouter running in routers) running.Seat.Dispose();
    }
}
