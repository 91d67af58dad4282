namespace Lb.Transport;

/// <summary>What a TCP gateway goes by; replaced whole by a reload, read once by each new connection.</summary>
internal sealed record TcpSettings(GatewaySettings Common, ServerPool Pool, PoolSettings Servers, TimeSpan ClientTimeout, TimeSpan ClientFinTimeout)
    : GatewaySettings(Common)
{
    /// <summary>What a client's first bytes go through before a server is picked, in this order; null for nothing.</summary>
    public IPreludeStep[]? Steps { get; init; }

    /// <summary>TLS for clients, after those steps; null for none.</summary>
    public GatewayCertificates? Tls { get; init; }

    /// <summary>Who is let in is decided by a step, not at the accept.</summary>
    public bool AdmitsLater => Steps is not null && Array.Exists(Steps, static s => s is AdmissionStep);

    /// <summary>The place of its clients among those who wait for a server.</summary>
    public QueuePriority Priority { get; init; }

    /// <summary>Every pool that its clients may be sent to.</summary>
    public IReadOnlyList<ServerPool> Pools { get; init; } = [Pool];

    /// <summary>The same for clients that go to another pool.</summary>
    public TcpSettings To(ServerPool pool) => this with { Pool = pool, Servers = pool.Settings };

    /// <summary>How to connect to servers; null: as the system does it.</summary>
    public ServerConnects? Connects { get; init; }

    /// <summary>Takes them from options.</summary>
    /// <param name="context">The options.</param>
    /// <param name="before">What held before; null for a new gateway.</param>
    public static TcpSettings From(in GatewayContext context, TcpSettings? before = null)
    {
        GatewayOptions options = context.Options;
        ServerPool pool = context.Pool;
        TimeSpan client = options.ClientTimeout ?? context.All.Defaults.ClientTimeout;
        TcpSettings settings = new(GatewaySettings.From(options, context.Loops.MaxConnections), pool, pool.Settings, client, options.ClientFinTimeout ?? client)
        {
            Connects = context.Connects,
            Tls = GatewayCertificates.Follow(before?.Tls, in context),
            Priority = new QueuePriority((short)options.QueuePriority.Class, (int)options.QueuePriority.Offset.TotalMilliseconds),
        };
        return TcpSteps.Complete(settings, in context);
    }
}
