namespace Lb;

/// <summary>A server pool (HAProxy <c>backend</c>, keepalived <c>virtual_server</c>). Not thread-safe: filled once, then read.</summary>
public sealed class PoolOptions
{
    /// <summary>Name of the scheduling policy: <c>p2c</c> (default), <c>roundrobin</c>, <c>leastconn</c>, <c>random</c>, <c>first</c>, <c>source</c>, or a registered one.</summary>
    [NotEmpty]
    public string Balance { get; set; } = "p2c";

    /// <summary>Settings of the scheduling policy.</summary>
    public BalanceOptions BalanceOptions { get; set; } = new();

    /// <summary>Makes the policy in place of <see cref="Balance"/>. Code only.</summary>
    public Func<ISchedulingPolicy>? Policy { get; set; }

    /// <summary>
    /// Source of all chance in the pool: of a policy that <see cref="Balance"/> names, of levels and zones, of ejections. Default <see cref="Random.Shared"/>; a
    /// seeded one makes picks reproducible, and is locked. Code only.
    /// </summary>
    public Random? Random { get; set; }

    /// <summary>The servers, in the order that "first" and round robin follow.</summary>
    public IList<ServerOptions> Servers { get; } = [];

    /// <summary>The health checks; all must pass. Empty: servers count as up.</summary>
    public IList<CheckOptions> Checks { get; } = [];

    /// <summary>Longest wait for a connection to a server; default <see cref="DefaultsOptions.ConnectTimeout"/>.</summary>
    [Positive]
    public TimeSpan? ConnectTimeout { get; set; }

    /// <summary>Longest silence of a server; default <see cref="DefaultsOptions.ServerTimeout"/>.</summary>
    [Positive]
    public TimeSpan? ServerTimeout { get; set; }

    /// <summary>Longest silence of a server after the client has finished sending (HAProxy <c>timeout server-fin</c>); default: the server time-out.</summary>
    [Positive]
    public TimeSpan? ServerFinTimeout { get; set; }

    /// <summary>Longest wait in the queue; default <see cref="DefaultsOptions.QueueTimeout"/>, else the connect time-out.</summary>
    [Positive]
    public TimeSpan? QueueTimeout { get; set; }

    /// <summary>Most callers that may wait at a time, 0 to 1 000 000; default 0 = no limit (HAProxy <c>maxqueue</c>).</summary>
    [Within(0, 1_000_000)]
    public int MaxQueue { get; set; }

    /// <summary>
    /// The load (leases and waiting callers of all servers) from which on servers with <see cref="ServerOptions.MinConnections"/> take their full limit, 0 to
    /// 16 000 000; default 0 = a tenth of the limits of the gateways that lead here (HAProxy <c>fullconn</c>).
    /// </summary>
    [Within(0, 16_000_000)]
    public int FullConnections { get; set; }

    /// <summary>What the gateways that lead here may bring; 0 = not known. Worked out from them.</summary>
    internal long GatewayConnections { get; set; }

    /// <summary>Further connection attempts, 0 to 100; default <see cref="DefaultsOptions.Retries"/>.</summary>
    [Within(0, 100)]
    public int? Retries { get; set; }

    /// <summary>Which retries go to another server, -1 to 100; default <see cref="DefaultsOptions.Redispatch"/>.</summary>
    [Within(-1, 100)]
    public int? Redispatch { get; set; }

    /// <summary>
    /// Where connections to its servers come from: an address of this machine (<c>192.0.2.1</c>), with a port or a range of ports
    /// (<c>192.0.2.1:40000-49999</c>), or <c>clientip</c>: each client's own address, for servers whose way back leads through this machine (Linux,
    /// CAP_NET_ADMIN or CAP_NET_RAW). Default: the system chooses (HAProxy <c>source</c>, <c>usesrc clientip</c>).
    /// </summary>
    public string? Source { get; set; }

    /// <summary>The network interface that connections to its servers leave by; default: by the routes (HAProxy <c>source … interface</c>). Linux.</summary>
    public string? Interface { get; set; }

    /// <summary>TCP options of connections to its servers; default: those of <see cref="ConnectTcpOptions"/>.</summary>
    public ConnectTcpOptions? Tcp { get; set; }

    /// <summary>All usable backup servers share the load, not only the first (HAProxy <c>option allbackups</c>). Default false.</summary>
    public bool AllBackups { get; set; }

    /// <summary>What happens when a main server returns while a backup serves. Default <see cref="Lb.Failback.Immediate"/>.</summary>
    public Failback Failback { get; set; }

    /// <summary>
    /// Panic: with a smaller share (percent, 0 to 100) of the main servers up than this, health is ignored and all are used. Default 0 = never.
    /// </summary>
    [Within(0, 100)]
    public int PanicThreshold { get; set; }

    /// <summary>What is used when no main and no backup server is up. Default <see cref="Lb.AllDown.Fail"/>.</summary>
    public AllDown AllDown { get; set; }

    /// <summary>
    /// How long a server that returns gets its share step by step; 0 = at once (HAProxy <c>slowstart</c>). Default: 10 s with <c>p2c</c>, <c>peak-ewma</c> and
    /// <c>rif</c>, else 0. Acts on policies that follow changing weights.
    /// </summary>
    [NotNegative]
    public TimeSpan? SlowStart { get; set; }

    /// <summary>The shape of the slow start. Default <see cref="Lb.SlowStartCurve.Steps"/>.</summary>
    public SlowStartCurve SlowStartCurve { get; set; }

    /// <summary>With <see cref="Lb.SlowStartCurve.Aggression"/>: hundredths; 100 (default) is a straight line, above is faster at first, 1 to 10 000.</summary>
    [Within(1, 10_000)]
    public int SlowStartAggression { get; set; } = 100;

    /// <summary>With <see cref="Lb.SlowStartCurve.Aggression"/>: percent of the weight to begin with, 1 to 100; default 10.</summary>
    [Within(1, 100)]
    public int SlowStartMinimum { get; set; } = 10;

    /// <summary>Servers added while the pool runs start slowly too. Default false.</summary>
    public bool SlowStartAdded { get; set; }

    /// <summary>Percent to which a priority level is counted on beyond its share of healthy servers, 100 to 1000; default 140 (Envoy).</summary>
    [Within(100, 1000)]
    public int OverprovisioningFactor { get; set; } = 140;

    /// <summary>Keeps traffic in this balancer's zone.</summary>
    public ZoneAwareOptions ZoneAware { get; set; } = new();

    /// <summary>Uses only some of the servers.</summary>
    public SubsetOptions Subset { get; set; } = new();

    /// <summary>Weight of usable servers that the pool needs, 0 to 1 000 000; default 1 (keepalived <c>quorum</c>).</summary>
    [Within(0, 1_000_000)]
    public int Quorum { get; set; } = 1;

    /// <summary>How much below the quorum it is lost and how much above it is regained, 0 to 1 000 000; default 0 (keepalived <c>hysteresis</c>).</summary>
    [Within(0, 1_000_000)]
    public int Hysteresis { get; set; }

    /// <summary>Who answers when the quorum is lost.</summary>
    public SorryServerOptions SorryServer { get; set; } = new();

    /// <summary>Servers count as down until their first check passes (keepalived <c>alpha</c>): <see cref="InitState.Up"/> then means <see cref="InitState.Down"/>. Needs checks. Default false.</summary>
    public bool Alpha { get; set; }

    /// <summary>When the host stops, tells that its servers are down and the quorum is lost (keepalived <c>omega</c>). Default false.</summary>
    public bool Omega { get; set; }

    /// <summary>Percent of the servers that failing checks may take out, 0 to 100; default 100. The first to fail are out, later ones stay in use.</summary>
    [Within(0, 100)]
    public int MaxDownPercent { get; set; } = 100;

    /// <summary>Takes out servers that fail their callers.</summary>
    public OutlierOptions Outlier { get; set; } = new();

    /// <summary>Failures within <see cref="FailTimeout"/> that take a server out for as long, then it is tried once, 0 to 1000; default 0 = never (nginx <c>max_fails</c>).</summary>
    [Within(0, 1000)]
    public int MaxFails { get; set; }

    /// <summary>See <see cref="MaxFails"/>; above 0, default 10 s (nginx <c>fail_timeout</c>).</summary>
    [Positive]
    public TimeSpan FailTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A circuit breaker for each server.</summary>
    public CircuitBreakerOptions CircuitBreaker { get; set; } = new();

    /// <summary>Holds down servers that toggle.</summary>
    public FlapDampingOptions FlapDamping { get; set; } = new();

    /// <summary>
    /// Limits retries. Default: that of <see cref="RetryBudgetOptions"/> for work that is sent again; attempts to connect, which send nothing, are limited by
    /// <see cref="Retries"/> alone unless this is set.
    /// </summary>
    public RetryBudgetOptions? RetryBudget { get; set; }

    /// <summary>The same client gets the same server.</summary>
    public PersistenceOptions Persistence { get; set; } = new();

    /// <summary>Which failures of callers count against the health of a server. Default <see cref="Lb.Observe.None"/> (HAProxy <c>observe</c>).</summary>
    public Observe Observe { get; set; }

    /// <summary>Observed failures in a row before <see cref="OnError"/> acts, 1 to 1000; default 10 (HAProxy <c>error-limit</c>).</summary>
    [Within(1, 1000)]
    public int ErrorLimit { get; set; } = 10;

    /// <summary>What too many observed failures do. Default <see cref="Lb.OnError.FailCheck"/> (HAProxy <c>on-error</c>).</summary>
    public OnError OnError { get; set; }

    /// <summary>What becomes of the connections of a server that goes down. Default: they go on (HAProxy <c>on-marked-down</c>).</summary>
    public OnMarkedDown OnMarkedDown { get; set; }

    /// <summary>What becomes of the connections of backup servers when a main server comes up. Default: they go on (HAProxy <c>on-marked-up</c>).</summary>
    public OnMarkedUp OnMarkedUp { get; set; }

    /// <summary>Most leases of the whole pool at a time, 0 to 16 000 000; default 0 = no limit. Further callers wait or are turned away as if all servers were full.</summary>
    [Within(0, 16_000_000)]
    public int MaxConnections { get; set; }

    /// <summary>Most checks of this pool running at a time, 1 to 100 000; default: that of <see cref="HealthOptions"/>. Every pool has its own slots.</summary>
    [Within(1, 100_000)]
    public int? MaxConcurrentChecks { get; set; }

    /// <summary>
    /// Checks only while one of these addresses is on an interface of this node; meanwhile servers stay as they are (keepalived <c>ha_suspend</c>). Empty,
    /// the default: always.
    /// </summary>
    public IList<string> HaSuspend { get; } = [];
}

/// <summary>The shape of a slow start.</summary>
public enum SlowStartCurve
{
    /// <summary>HAProxy's: a straight line in sixteenths of the weight, a step each second or each twentieth of the time, whichever is longer.</summary>
    Steps,

    /// <summary>Envoy's: weight × max((time / window)^(1/aggression), minimum).</summary>
    Aggression,
}

/// <summary>Which failures of callers count against the health of a server.</summary>
public enum Observe
{
    /// <summary>None: only checks count.</summary>
    None,

    /// <summary>Connections that could not be made or broke.</summary>
    Layer4,

    /// <summary>Those, and answers that are errors or can't be understood.</summary>
    Layer7,
}

/// <summary>What too many observed failures do (HAProxy <c>on-error</c>).</summary>
public enum OnError
{
    /// <summary>Counts as a failed check, and the next check comes after the fast interval.</summary>
    FailCheck,

    /// <summary>The next check comes after the fast interval.</summary>
    FastInter,

    /// <summary>Counts as a failed check, and one more failed check takes the server down.</summary>
    SuddenDeath,

    /// <summary>The server is down at once.</summary>
    MarkDown,
}

/// <summary>What becomes of the connections of a server that goes down.</summary>
public enum OnMarkedDown
{
    /// <summary>They go on.</summary>
    None,

    /// <summary>They are closed at once.</summary>
    ShutdownSessions,
}

/// <summary>What becomes of the connections of backup servers when a main server comes up.</summary>
public enum OnMarkedUp
{
    /// <summary>They go on.</summary>
    None,

    /// <summary>They are closed at once.</summary>
    ShutdownBackupSessions,
}

/// <summary>What happens when a main server returns while a backup serves (keepalived: preempt or <c>nopreempt</c>).</summary>
public enum Failback
{
    /// <summary>New traffic goes back at once.</summary>
    Immediate,

    /// <summary>The backup keeps the traffic until it fails itself.</summary>
    Stay,
}

/// <summary>What a pool uses when no server is up.</summary>
public enum AllDown
{
    /// <summary>Nothing: picks fail (HAProxy's 503).</summary>
    Fail,

    /// <summary>Every server that is neither in maintenance nor drained nor of weight 0, whatever its health.</summary>
    UseAll,

    /// <summary>The servers that were in use before the last one went down, unless in maintenance, drained or of weight 0 since.</summary>
    LastKnownGood,
}
