namespace Lb.Transport;

/// <summary>
/// A gateway of mode <c>health</c>: another balancer probes it to learn whether this node can serve (HAProxy <c>mode health</c>, <c>monitor fail</c>). It
/// answers <c>OK</c> or <c>HTTP/1.0 200</c> and closes; when its pool can't serve it resets the connection or answers 503. Properties may be read by any thread.
/// </summary>
public sealed class HealthGateway : Gateway
{
    private readonly HealthShard[] _shards;
    private volatile HealthSettings _settings;

    internal HealthGateway(in GatewayContext context)
        : this(in context, HealthSettings.From(in context))
    {
    }

    private HealthGateway(in GatewayContext context, HealthSettings settings)
        : base(context.Name, settings, context.Logger)
    {
        _settings = settings;
        _shards = [.. context.Loops.Loops.Select(loop => new HealthShard(this, loop))];
    }

    /// <inheritdoc/>
    public override string Mode => "health";

    /// <summary>The pool that it speaks for, or null: then it always answers that all is well.</summary>
    public override ServerPool? Pool => _settings.Pool;

    /// <inheritdoc/>
    public override long TotalConnections => _shards.Sum(static s => Volatile.Read(ref s.Total));

    /// <summary>Probes that were told that this node can't serve.</summary>
    public long Failures => _shards.Sum(static s => Volatile.Read(ref s.Failures));

    /// <inheritdoc/>
    public override long BytesIn => _shards.Sum(static s => Volatile.Read(ref s.BytesIn));

    /// <inheritdoc/>
    public override long BytesOut => _shards.Sum(static s => Volatile.Read(ref s.BytesOut));

    internal HealthSettings Settings => _settings;

    private protected override IReadOnlyList<GatewayShard> Shards => _shards;

    internal override void Update(in GatewayContext context)
    {
        HealthSettings settings = HealthSettings.From(in context);
        _settings = settings;
        UpdateLimits(settings);
    }
}

/// <summary>What a health gateway goes by; replaced whole by a reload.</summary>
internal sealed record HealthSettings(GatewaySettings Common, ServerPool? Pool, int MinServers, bool IsHttp) : GatewaySettings(Common)
{
    /// <summary>Whether its pool can serve now. Any thread.</summary>
    public bool IsWell
    {
        get
        {
            if (Pool is null) return true;
            if (Pool.Settings.Quorum > 1 && !Pool.HasQuorum) return false;
            int up = 0;
            foreach (Server server in Pool.Servers) up += server.Status == ServerStatus.Up ? 1 : 0;
            return up >= MinServers;
        }
    }

    public static HealthSettings From(in GatewayContext context)
    {
        GatewayOptions options = context.Options;
        return new HealthSettings(
            GatewaySettings.From(options, context.Loops.MaxConnections),
            string.IsNullOrWhiteSpace(options.Pool) ? null : context.Pool,
            options.MinServers,
            string.Equals(options.Respond, "http", StringComparison.OrdinalIgnoreCase));
    }
}
