using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>
/// A TCP gateway: takes clients in on its listeners and relays each to a server of its pool (HAProxy <c>mode tcp</c>). Hosts make it by
/// <c>AddTcpGateway</c> or configuration. Properties may be read by any thread.
/// </summary>
public sealed class TcpGateway : Gateway, IMarkedSessions
{
    private readonly TcpShard[] _shards;
    private readonly MarkedServers _marked;
    private volatile TcpSettings _settings;

    internal TcpGateway(in GatewayContext context)
        : this(in context, TcpSettings.From(in context))
    {
    }

    private TcpGateway(in GatewayContext context, TcpSettings settings)
        : base(context.Name, settings, context.Logger)
    {
        _settings = settings;
        _marked = new MarkedServers(this);
        foreach (ServerPool pool in settings.Pools) _marked.Watch(pool);
        ILogger logger = context.Logger;
        LoopShare[] shares = LoopShare.Make(context.Loops.Loops.Count);
        _shards = [.. context.Loops.Loops.Select((loop, i) => new TcpShard(this, loop, shares[i], logger))];
    }

    /// <inheritdoc/>
    public override string Mode => "tcp";

    /// <inheritdoc/>
    public override ServerPool Pool => _settings.Pool;

    /// <inheritdoc/>
    public override long TotalConnections => Sum(static c => Volatile.Read(ref c.Total));

    /// <inheritdoc/>
    public override long BytesIn => Sum(static c => Volatile.Read(ref c.BytesIn));

    /// <inheritdoc/>
    public override long BytesOut => Sum(static c => Volatile.Read(ref c.BytesOut));

    /// <summary>Connection attempts after a failed one (HAProxy <c>wretr</c>).</summary>
    public long Retries => Sum(static c => Volatile.Read(ref c.Retries));

    /// <summary>Attempts that went to another server than the failed one (HAProxy <c>wredis</c>).</summary>
    public long Redispatches => Sum(static c => Volatile.Read(ref c.Redispatches));

    /// <summary>The certificates that its clients get; null without TLS.</summary>
    public GatewayCertificates? Certificates => _settings.Tls;

    internal TcpSettings Settings => _settings;

    internal TcpShard ShardOf(int loop) => _shards[loop];

    private protected override IReadOnlyList<GatewayShard> Shards => _shards;

    /// <summary>Client connections that ended in this way.</summary>
    /// <param name="end">The way.</param>
    public long Count(RelayEnd end) => Sum(c => Volatile.Read(ref c.Ends[(int)end]));

    internal override void Update(in GatewayContext context)
    {
        TcpSettings settings = TcpSettings.From(in context, _settings);
        _settings = settings;
        foreach (ServerPool pool in settings.Pools) _marked.Watch(pool);
        UpdateLimits(settings);
    }

    /// <summary>Does something on every loop, later. Any thread; does not block.</summary>
    internal void Post(Action<TcpShard> action)
    {
        foreach (TcpShard shard in _shards)
        {
            shard.Loop.Post(
                static state =>
                {
                    (TcpShard shard, Action<TcpShard> action) = ((TcpShard, Action<TcpShard>))state!;
                    action(shard);
                },
                (shard, action));
        }
    }

    void IMarkedSessions.ShutDown(Server server) => Post(shard => shard.Shutdown(server, RelayEnd.ServerMarkedDown));

    void IMarkedSessions.ShutDownBackups(ServerPool pool) => Post(shard => shard.ShutdownBackups(pool));

    private protected override void Released()
    {
        _marked.Stop();
        _settings.Tls?.Dispose();
    }

    private long Sum(Func<TcpCounters, long> value)
    {
        long sum = 0;
        foreach (TcpShard shard in _shards) sum += value(shard.Counters);
        return sum;
    }
}
