using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>
/// A UDP gateway: gives each client that sends to its addresses a session with a server of its pool, and relays datagrams both ways (nginx <c>listen … udp</c>).
/// Hosts make it by <c>AddUdpGateway</c> or configuration. Properties may be read by any thread.
/// </summary>
public sealed class UdpGateway : Gateway, IMarkedSessions
{
    private readonly UdpShard[] _shards;
    private readonly MarkedServers _marked;
    private volatile UdpSettings _settings;

    internal UdpGateway(in GatewayContext context)
        : this(in context, UdpSettings.From(in context))
    {
    }

    private UdpGateway(in GatewayContext context, UdpSettings settings)
        : base(context.Name, settings, context.Logger)
    {
        _settings = settings;
        _marked = new MarkedServers(this);
        _marked.Watch(settings.Pool);
        ILogger logger = context.Logger;
        _shards = [.. context.Loops.Loops.Select(loop => new UdpShard(this, loop, logger))];
    }

    /// <inheritdoc/>
    public override string Mode => "udp";

    /// <inheritdoc/>
    public override ServerPool Pool => _settings.Pool;

    /// <summary>Sessions ever begun.</summary>
    public override long TotalConnections => Sum(static c => Volatile.Read(ref c.Sessions));

    /// <inheritdoc/>
    public override long BytesIn => Sum(static c => Volatile.Read(ref c.BytesIn));

    /// <inheritdoc/>
    public override long BytesOut => Sum(static c => Volatile.Read(ref c.BytesOut));

    /// <summary>Datagrams received from clients, also those that were dropped then.</summary>
    public long DatagramsIn => Sum(static c => Volatile.Read(ref c.DatagramsIn));

    /// <summary>Datagrams received from servers, also those that were dropped then.</summary>
    public long DatagramsOut => Sum(static c => Volatile.Read(ref c.DatagramsOut));

    /// <summary>How often a session went on with another server, because the one that it had could not be reached, owed an answer or went down.</summary>
    public long Redispatches => Sum(static c => Volatile.Read(ref c.Redispatches));

    internal UdpSettings Settings => _settings;

    private protected override IReadOnlyList<GatewayShard> Shards => _shards;

    private protected override bool HasSessions => true;

    /// <summary>Sessions that ended in this way.</summary>
    /// <param name="end">The way.</param>
    public long Count(UdpEnd end) => Sum(c => Volatile.Read(ref c.Ends[(int)end]));

    /// <summary>Datagrams of either side that went no further for this reason.</summary>
    /// <param name="reason">The reason.</param>
    public long Count(UdpDrop reason) => Sum(c => Volatile.Read(ref c.Drops[(int)reason]));

    internal override void Update(in GatewayContext context)
    {
        UdpSettings settings = UdpSettings.From(in context);
        _settings = settings;
        _marked.Watch(settings.Pool);
        UpdateLimits(settings);
        Post(static shard => shard.FollowSettings());
    }

    void IMarkedSessions.ShutDown(Server server) => Post(shard => shard.Shutdown(server, UdpEnd.ServerMarkedDown));

    void IMarkedSessions.ShutDownBackups(ServerPool pool) => Post(shard => shard.ShutdownBackups(pool));

    private protected override void Released() => _marked.Stop();

    private void Post(Action<UdpShard> action)
    {
        foreach (UdpShard shard in _shards) shard.Loop.Post(_ => action(shard), null);
    }

    private long Sum(Func<UdpCounters, long> value)
    {
        long sum = 0;
        foreach (UdpShard shard in _shards) sum += value(shard.Counters);
        return sum;
    }
}
