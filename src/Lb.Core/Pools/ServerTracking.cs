namespace Lb;

/// <summary>
/// Copies the health of a tracked server to those that track it (HAProxy <c>track</c>), at once and in any pool of the host; maintenance of the tracked
/// one counts as down. It reads the state and does not go by the events, so none can be missed. Any thread.
/// </summary>
internal sealed class ServerTracking : IServerWatcher
{
    // Taken before any pool's lock, never inside one. The last to come through it reads the last state.
    private readonly Lock _lock = new();
    private readonly Dictionary<ServerPool, IDisposable> _watched = [];
    private IReadOnlyDictionary<string, ServerPool> _pools = new Dictionary<string, ServerPool>();
    private Dictionary<string, List<Server>> _followers = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes over the pools there are.</summary>
    public void Follow(IReadOnlyDictionary<string, ServerPool> pools)
    {
        lock (_lock)
        {
            _pools = pools;
            foreach (ServerPool gone in _watched.Keys.Where(p => !pools.Values.Contains(p)).ToArray())
            {
                _watched[gone].Dispose();
                _watched.Remove(gone);
            }

            foreach (ServerPool pool in pools.Values)
            {
                if (!_watched.ContainsKey(pool)) _watched[pool] = pool.Watch(this);
            }

            Rebuild();
        }
    }

    public void StatusChanged(Server server, ServerStatus from, ServerStatus to)
    {
        lock (_lock)
        {
            if (_followers.Count == 0) return;

            // One that tracks has no health of its own, whoever sets it.
            if (server.Track is not null && Find(server.Track) is { } tracked) Copy(tracked);
            Copy(server);
        }
    }

    public void MembersChanged(ServerPool pool)
    {
        lock (_lock) Rebuild();
    }

    private void Rebuild()
    {
        Dictionary<string, List<Server>> before = _followers;
        _followers = new Dictionary<string, List<Server>>(StringComparer.OrdinalIgnoreCase);
        foreach (Server server in _pools.Values.SelectMany(static p => p.Servers))
        {
            if (server.Track is null) continue;
            if (!_followers.TryGetValue(server.Track, out List<Server>? followers)) _followers[server.Track] = followers = [];
            followers.Add(server);
        }

        // Without checks nobody would ever say "up" to one that does not track any more.
        foreach (Server free in before.Values.SelectMany(static f => f).Where(static s => s.Track is null && !s.Pool.IsChecked))
            free.Pool.SetHealth(free, ServerHealth.Up, "tracks no server any more");
        foreach (string name in _followers.Keys.ToArray())
        {
            if (Find(name) is { } tracked) Copy(tracked);
        }
    }

    private void Copy(Server tracked)
    {
        string name = $"{tracked.Pool.Name}/{tracked.Name}";
        if (!_followers.TryGetValue(name, out List<Server>? followers)) return;
        bool inMaintenance = tracked.Standing == ServerAdmin.Maintenance;
        ServerHealth health = inMaintenance ? ServerHealth.Down : tracked.Health;
        string word = inMaintenance ? "in maintenance" : health switch { ServerHealth.Up => "up", ServerHealth.Stopping => "stopping", _ => "down" };
        foreach (Server follower in followers)
        {
            if (follower.Health != health) follower.Pool.SetHealth(follower, health, $"tracks {name}, which is {word}");
        }
    }

    private Server? Find(string track)
    {
        int slash = track.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && _pools.TryGetValue(track[..slash], out ServerPool? pool) ? pool.Find(track[(slash + 1)..]) : null;
    }
}
