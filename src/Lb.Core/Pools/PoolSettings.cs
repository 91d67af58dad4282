namespace Lb;

/// <summary>A pool's time-outs and retries with the defaults filled in. Immutable; any thread.</summary>
/// <param name="ConnectTimeout">Longest wait for a connection to a server.</param>
/// <param name="ServerTimeout">Longest silence of a server.</param>
/// <param name="ServerFinTimeout">Longest silence of a server after the client has finished sending.</param>
/// <param name="QueueTimeout">Longest wait in the queue.</param>
/// <param name="MaxQueue">Most callers in the queue; 0 = no limit.</param>
/// <param name="Retries">Further connection attempts after a failed one.</param>
/// <param name="Redispatch">Which retries go to another server: n above 0 = every n-th, 0 = none, -1 = only the last.</param>
public sealed record PoolSettings(
    TimeSpan ConnectTimeout,
    TimeSpan ServerTimeout,
    TimeSpan ServerFinTimeout,
    TimeSpan QueueTimeout,
    int MaxQueue,
    int Retries,
    int Redispatch)
{
    /// <summary>What becomes of the connections of a server that goes down.</summary>
    public OnMarkedDown OnMarkedDown { get; init; }

    /// <summary>What becomes of the connections of backup servers when a main server comes up.</summary>
    public OnMarkedUp OnMarkedUp { get; init; }

    /// <summary>Weight of usable main servers that the pool needs; 0 = none.</summary>
    public int Quorum { get; init; } = 1;

    /// <summary>A Remote Desktop client's cookie names its server: <see cref="PersistenceOptions.Type"/> is <c>rdp-cookie</c>.</summary>
    public bool PersistsRdpCookie { get; init; }

    /// <summary>Longest wait before the same server is tried again: HAProxy's turn-around of one second, or the connect time-out if that is shorter.</summary>
    public TimeSpan TurnAround => ConnectTimeout < TimeSpan.FromSeconds(1) ? ConnectTimeout : TimeSpan.FromSeconds(1);

    /// <summary>True when retry number <paramref name="retry"/> should go to another server.</summary>
    /// <param name="retry">From 1 to <see cref="Retries"/>.</param>
    public bool ShouldRedispatch(int retry) => Redispatch switch
    {
        > 0 => retry % Redispatch == 0,
        0 => false,
        _ => retry == Retries,
    };

    /// <summary>Fills a pool's gaps from the defaults.</summary>
    /// <param name="pool">The pool's options.</param>
    /// <param name="defaults">The defaults.</param>
    public static PoolSettings From(PoolOptions pool, DefaultsOptions defaults)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(defaults);
        TimeSpan connect = pool.ConnectTimeout ?? defaults.ConnectTimeout;
        TimeSpan server = pool.ServerTimeout ?? defaults.ServerTimeout;
        return new PoolSettings(
            connect,
            server,
            pool.ServerFinTimeout ?? server,
            pool.QueueTimeout ?? defaults.QueueTimeout ?? connect,
            pool.MaxQueue,
            pool.Retries ?? defaults.Retries,
            pool.Redispatch ?? defaults.Redispatch)
        {
            OnMarkedDown = pool.OnMarkedDown,
            OnMarkedUp = pool.OnMarkedUp,
            Quorum = pool.Quorum,
            PersistsRdpCookie = pool.Persistence.Type.Equals("rdp-cookie", StringComparison.OrdinalIgnoreCase),
        };
    }
}
