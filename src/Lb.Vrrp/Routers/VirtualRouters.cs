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
            _loop ??= new VrrpLoop(options.Vrrp, _log);
            _global ??= options.Vrrp;
            _notify = options.Routers.ToDictionary(static r => r.Key, static r => r.Value.Notify, StringComparer.OrdinalIgnoreCase);
            foreach ((string name, RouterOptions router) in options.Routers)
            {
                if (_running.TryGetValue(name, out RunningRouter? running) && running.Seat.Router.CanBecome(router)) await running.ChangeAsync(_loop, router).ConfigureAwait(false);
            }

            string[] ended = [.. _running.Keys.Where(n => !options.Routers.ContainsKey(n) || made.Exists(m => string.Equals(m.Name, n, StringComparison.OrdinalIgnoreCase)))];
            await EndAsync([.. ended.Select(n => _running[n])], graceful: true, ct).ConfigureAwait(false);
            foreach (string name in ended) _running.Remove(name);
            foreach ((string name, RouterSeat seat) in made)
            {
                seat.Prepare();
                _running[name] = await RunningRouter.StartAsync(_loop, seat, options.Routers[name], Trackers).ConfigureAwait(false);
            }

            await RegroupAsync().ConfigureAwait(false);
            _all = [.. _running.Values.Select(static r => r.Seat.Router)];
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
        await _one.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            await EndAsync([.. _running.Values], graceful: true, ct).ConfigureAwait(false);
            _running.Clear();
            _loop?.Dispose();
            _loop = null;
            _global = null;
        }
        finally
        {
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

    private async Task RegroupAsync()
    {
        if (_loop is not { } loop) return;
        await loop.RunAsync(now =>
        {
            foreach (RunningRouter running in _running.Values) running.Seat.Group?.Dissolve(now);
            foreach (RunningRouter running in _running.Values) running.Seat.Group = null;
            foreach (IGrouping<string, RouterSeat> group in loop.Seats.Where(static s => s.Router.Options.SyncGroup is not null).GroupBy(static s => s.Router.Options.SyncGroup!, StringComparer.OrdinalIgnoreCase))
            {
                SyncGroup bound = new(group.Key, group.Select(static s => s.Router));
                foreach (RouterSeat seat in group) seat.Group = bound;
                bound.Judge(now);
            }
        }).ConfigureAwait(false);
    }

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
