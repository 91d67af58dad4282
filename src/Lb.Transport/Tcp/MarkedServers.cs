namespace Lb.Transport;

/// <summary>
/// Closes connections when a server is marked down or up, as its pool says at that moment: HAProxy's <c>on-marked-down</c> and <c>on-marked-up</c>. As there,
/// maintenance is down too; drain and ejection are not.
/// </summary>
internal sealed class MarkedServers(IMarkedSessions gateway) : IServerWatcher
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ServerPool, IDisposable> _watched = [];

    /// <summary>Follows a pool. One that the gateway had before is still followed: its connections go on.</summary>
    public void Watch(ServerPool pool)
    {
        lock (_lock)
        {
            if (!_watched.ContainsKey(pool)) _watched[pool] = pool.Watch(this);
        }
    }

    public void StatusChanged(Server server, ServerStatus from, ServerStatus to)
    {
        PoolSettings settings = server.Pool.Settings;
        if (IsOut(to))
        {
            if (!IsOut(from) && settings.OnMarkedDown == OnMarkedDown.ShutdownSessions) gateway.ShutDown(server);
        }
        else if (to == ServerStatus.Up && (IsOut(from) || from == ServerStatus.Ejected) && !server.Backup && settings.OnMarkedUp == OnMarkedUp.ShutdownBackupSessions)
        {
            gateway.ShutDownBackups(server.Pool);
        }
    }

    /// <summary>True for a server that new connections must not stay on, though it was granted: it went out in between.</summary>
    public static bool IsLeft(Server server) =>
        IsOut(server.Status) && server.Pool.Settings.OnMarkedDown == OnMarkedDown.ShutdownSessions && server.Pool.Mode is (PoolMode.Normal or PoolMode.Backup);

    public void Stop()
    {
        lock (_lock)
        {
            foreach (IDisposable watching in _watched.Values) watching.Dispose();
            _watched.Clear();
        }
    }

    private static bool IsOut(ServerStatus status) => status is ServerStatus.Down or ServerStatus.Maintenance;
}

/// <summary>Whose sessions <see cref="MarkedServers"/> closes. Any thread; does not block.</summary>
internal interface IMarkedSessions
{
    /// <summary>Closes the sessions of a server that went down.</summary>
    void ShutDown(Server server);

    /// <summary>Closes the sessions of all backup servers of a pool.</summary>
    void ShutDownBackups(ServerPool pool);
}
