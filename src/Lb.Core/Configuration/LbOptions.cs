namespace Lb;

/// <summary>Everything that the section <c>Lb</c> of a configuration says, and what the builder verbs add to it. Not thread-safe: filled once, then read.</summary>
public sealed class LbOptions
{
    /// <summary>Time-outs and retries for pools and gateways that do not set their own (HAProxy <c>defaults</c>).</summary>
    public DefaultsOptions Defaults { get; set; } = new();

    /// <summary>The server pools by name (HAProxy <c>backend</c>). Names are compared without regard to case.</summary>
    public IDictionary<string, PoolOptions> Pools { get; } = new Dictionary<string, PoolOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Checks that those of pools may begin as, by name (<see cref="CheckOptions.Use"/>). For configurations: those of pools hold what came of it. Names
    /// are compared without regard to case.
    /// </summary>
    public IDictionary<string, CheckOptions> HealthChecks { get; } = new Dictionary<string, CheckOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The gateways by name (HAProxy <c>frontend</c>). Names are compared without regard to case.</summary>
    public IDictionary<string, GatewayOptions> Gateways { get; } = new Dictionary<string, GatewayOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The virtual routers by name (keepalived <c>vrrp_instance</c>). Names are compared without regard to case.</summary>
    public IDictionary<string, RouterOptions> Routers { get; } = new Dictionary<string, RouterOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>What holds for all virtual routers (keepalived <c>global_defs</c>).</summary>
    public VrrpOptions Vrrp { get; set; } = new();

    /// <summary>The reactor's settings (HAProxy <c>global</c>).</summary>
    public TransportOptions Transport { get; set; } = new();

    /// <summary>What holds for all health checks (HAProxy <c>global</c>).</summary>
    public HealthOptions Health { get; set; } = new();

    /// <summary>
    /// Leaves out of the validation what depends on the machine at this moment: whether addresses to listen on are free. Default false. For looking at a
    /// changed configuration beside the gateway that runs and holds its ports.
    /// </summary>
    public bool SkipPortChecks { get; set; }

    /// <summary>
    /// Finds in the validation also what depends on this machine now and need not be an error for ever: virtual addresses outside the networks of their
    /// interface. Default false: such a configuration runs, and the log warns. <c>lb check</c> asks for it.
    /// </summary>
    public bool ExaminesMachine { get; set; }

    /// <summary>What could not be read from the configuration: unknown keys and wrong types. Reported with the other errors.</summary>
    internal List<ConfigurationError> ReadErrors { get; } = [];

    /// <summary>Where the section is in the host's configuration: the start of every path in an error.</summary>
    public string Path { get; internal set; } = "Lb";

    internal PoolOptions Pool(string name)
    {
        if (!Pools.TryGetValue(name, out PoolOptions? pool)) Pools[name] = pool = new PoolOptions();
        return pool;
    }

    internal RouterOptions Router(string name)
    {
        if (!Routers.TryGetValue(name, out RouterOptions? router)) Routers[name] = router = new RouterOptions();
        return router;
    }

    internal GatewayOptions Gateway(string name)
    {
        if (!Gateways.TryGetValue(name, out GatewayOptions? gateway)) Gateways[name] = gateway = new GatewayOptions();
        return gateway;
    }
}

/// <summary>Values for pools and gateways that do not set their own.</summary>
public sealed class DefaultsOptions
{
    /// <summary>Longest wait for a connection to a server; above 0, default 5 s (HAProxy <c>timeout connect</c>).</summary>
    [Positive]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest silence of a client; above 0, default 1 min (HAProxy <c>timeout client</c>).</summary>
    [Positive]
    public TimeSpan ClientTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest silence of a server; above 0, default 1 min (HAProxy <c>timeout server</c>).</summary>
    [Positive]
    public TimeSpan ServerTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest wait in the queue of a pool whose servers are all full; above 0, default: the connect time-out (HAProxy <c>timeout queue</c>).</summary>
    [Positive]
    public TimeSpan? QueueTimeout { get; set; }

    /// <summary>Further connection attempts after a failed one, 0 to 100, default 3 (HAProxy <c>retries</c>).</summary>
    [Within(0, 100)]
    public int Retries { get; set; } = 3;

    /// <summary>
    /// Which retries go to another server (HAProxy <c>option redispatch</c>): n above 0 = every n-th, 0 = none, -1 = only the last. Default 1: every
    /// retry. Configuration also takes <c>true</c> (1) and <c>false</c> (0).
    /// </summary>
    [Within(-1, 100)]
    public int Redispatch { get; set; } = 1;
}

/// <summary>What holds for all health checks of a host.</summary>
public sealed class HealthOptions
{
    /// <summary>Random change of every interval, percent in both directions, 0 to 50; default 0 (HAProxy <c>spread-checks</c>).</summary>
    [Within(0, 50)]
    public int SpreadChecks { get; set; }

    /// <summary>
    /// Most checks of each pool running at a time, 1 to 100 000; default 256. The others wait for their turn without being counted as failed. A pool may
    /// have a number of its own: <see cref="PoolOptions.MaxConcurrentChecks"/>.
    /// </summary>
    [Within(1, 100_000)]
    public int MaxConcurrentChecks { get; set; } = 256;

    /// <summary>
    /// Most checks of one IP address running at a time, of all pools and ports together, 0 to 100 000; default 0 = no limit. The others wait for their turn
    /// without being counted as failed. For hosts with many servers each, or behind one address.
    /// </summary>
    [Within(0, 100_000)]
    public int MaxConcurrentChecksPerHost { get; set; }

    /// <summary>
    /// Most checks that start in any second, of all pools together, 0 to 1 000 000; default 0 = no limit. Later ones wait in the order in which they were due,
    /// without being counted as failed; with more checks than that all intervals grow, and a warning says by how much.
    /// </summary>
    [Within(0, 1_000_000)]
    public int ChecksPerSecond { get; set; }

    /// <summary>
    /// True (default): several pools whose checks of one address are the same in every option share one check, and each counts its results for itself. False:
    /// each pool checks for itself.
    /// </summary>
    public bool ShareChecks { get; set; } = true;

    /// <summary>
    /// So many intervals late, and at least a second, a check that is due and does not start is an alarm (<see cref="ChecksStalled"/>): 1 to 1000, default 3;
    /// 0 = nobody looks.
    /// </summary>
    [Within(0, 1000)]
    public int StalledAfter { get; set; } = 3;

    /// <summary>How many of its last checks are kept for each server, 0 to 1000; default 8, some 400 bytes a server. Read by <c>IHealthReports</c> of Lb.Health.</summary>
    [Within(0, 1000)]
    public int History { get; set; } = 8;
}

/// <summary>The reactor's settings.</summary>
public sealed class TransportOptions
{
    /// <summary>
    /// Which driver moves the bytes: <c>auto</c> (default: epoll on Linux, else managed), <c>epoll</c>, <c>io_uring</c> (Linux 6.1 or later; where it can't be
    /// used, what auto means, with a warning in the log) or <c>managed</c>.
    /// </summary>
    [OneOf("auto", "epoll", "io_uring", "managed")]
    public string Driver { get; set; } = "auto";

    /// <summary>Event-loop threads, 0 to 256; default 0 = one a processor (HAProxy <c>nbthread</c>).</summary>
    [Within(0, 256)]
    public int Loops { get; set; }

    /// <summary>
    /// Which processors the loops keep to: <c>none</c> (default: the system decides), <c>auto</c> (loop n on the n-th processor that this process may use), or
    /// a list such as <c>0-3,8</c>, in whose order they take turns (HAProxy <c>cpu-map</c>). Linux.
    /// </summary>
    public string CpuAffinity { get; set; } = "none";

    /// <summary>
    /// A Unix socket by which a new process takes the listening sockets over, <c>unix:/run/lb-handover.sock</c>: at its start the new process asks there, and
    /// the old one drains. Default: none (HAProxy <c>expose-fd listeners</c>). Linux.
    /// </summary>
    public string? HandOver { get; set; }

    /// <summary>
    /// Most clients of all gateways together, 0 to 16 000 000; more wait in the kernel's backlog. Default 0 = what the limit of open files allows (HAProxy
    /// global <c>maxconn</c>).
    /// </summary>
    [Within(0, 16_000_000)]
    public int MaxConnections { get; set; }

    /// <summary>
    /// Most bytes of memory that buffers may hold for slow readers, all gateways together; above it nobody is accepted until it falls below nine tenths, and
    /// nothing is lost. In a configuration also as <c>512m</c> or <c>2g</c>; 1 MiB or more. Default 0 = no limit.
    /// </summary>
    public long MaxMemory { get; set; }

    /// <summary>
    /// True (default): bulk goes from socket to socket inside the kernel (splice(2)) where the driver can, which spares most of its cost (HAProxy
    /// <c>option splice-auto</c>; false is its <c>nosplice</c>). Each such transfer holds a pipe, two open files; pipes never take more than a sixteenth of the
    /// limit of open files, and what gets none is copied.
    /// </summary>
    public bool Splice { get; set; } = true;
}
