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

    /// <summary>Further connection attempts, 0 to 100; default <see cref="DefaultsOptions.Retries"/>.</summary>
    [Within(0, 100)]
    public int? Retries { get; set; }

    /// <summary>Which retries go to another server, -1 to 100; default <see cref="DefaultsOptions.Redispatch"/>.</summary>
    [Within(-1, 100)]
    public int? Redispatch { get; set; }

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

/// <summary>Settings of scheduling policies; each policy reads its own.</summary>
public sealed class BalanceOptions
{
    /// <summary>Servers drawn by <c>random</c>, 1 to 16; default 2 (HAProxy <c>random(draws)</c>).</summary>
    [Within(1, 16)]
    public int Draws { get; set; } = 2;

    /// <summary>
    /// How HAProxy's hash policies map a hash to a server: <c>map-based</c> (default), a table, or <c>consistent</c>, a ring on which a server that comes or
    /// goes moves only its own keys (HAProxy <c>hash-type</c>).
    /// </summary>
    [OneOf("map-based", "consistent")]
    public string HashType { get; set; } = "map-based";

    /// <summary>Mixes the hash once more (HAProxy <c>hash-type … avalanche</c>). Default false.</summary>
    public bool Avalanche { get; set; }

    /// <summary>What makes 32 bits of a key: <c>sdbm</c> (default), <c>djb2</c>, <c>wt6</c>, <c>crc32</c> or <c>none</c> (HAProxy <c>hash-type … function</c>); <c>source</c> has its own.</summary>
    public HashFunction HashFunction { get; set; }

    /// <summary>What servers are known by on a consistent ring: <c>id</c> (default), <c>addr</c> or <c>addr-port</c> (HAProxy <c>hash-key</c>).</summary>
    public HashKey HashKey { get; set; }

    /// <summary>
    /// Percent of the average load that a server on a consistent ring may have before its keys go on to the next, 101 to 100 000; default 0 = no limit
    /// (HAProxy <c>hash-balance-factor</c>).
    /// </summary>
    [Within(0, 100_000)]
    public int HashBalanceFactor { get; set; }

    /// <summary><c>hdr</c>: name of the header, required there.</summary>
    public string? Header { get; set; }

    /// <summary><c>hdr</c>: only the label before the last dot counts (HAProxy <c>use_domain_only</c>). Default false.</summary>
    public bool UseDomainOnly { get; set; }

    /// <summary><c>url_param</c>: name of the parameter, required there. <c>rdp-cookie</c>: name of the cookie, default <c>mstshash</c>.</summary>
    public string? Parameter { get; set; }

    /// <summary><c>url_param</c>: looks into a form in the body when the query has it not (HAProxy <c>check_post</c>). Default false.</summary>
    public bool CheckPost { get; set; }

    /// <summary><c>uri</c>: bytes that count, 0 to 65 535; default 0 = all (HAProxy <c>len</c>).</summary>
    [Within(0, 65_535)]
    public int Length { get; set; }

    /// <summary><c>uri</c>: directories that count, 0 to 1000; default 0 = all (HAProxy <c>depth</c>).</summary>
    [Within(0, 1000)]
    public int Depth { get; set; }

    /// <summary><c>uri</c>: the query counts as well (HAProxy <c>whole</c>). Default false.</summary>
    public bool Whole { get; set; }

    /// <summary><c>uri</c>: scheme and authority of an absolute target don't count (HAProxy <c>path-only</c>). Default false.</summary>
    public bool PathOnly { get; set; }

    /// <summary><c>ring</c>: points at least, 1 to 8 388 608; default 16 384.</summary>
    [Within(1, 8_388_608)]
    public int MinimumRingSize { get; set; } = 16_384;

    /// <summary><c>ring</c>: points at most, from the minimum to 8 388 608, the default.</summary>
    [Within(1, 8_388_608)]
    public int MaximumRingSize { get; set; } = 8_388_608;

    /// <summary><c>sh</c>: the client's port counts as well (ipvsadm <c>sh-port</c>). Default false.</summary>
    public bool ShPort { get; set; }

    /// <summary><c>sh</c>: another server is looked for in the table when the one hashed to is full (ipvsadm <c>sh-fallback</c>). Default false.</summary>
    public bool ShFallback { get; set; }

    /// <summary><c>mh</c>: the client's port counts as well (ipvsadm <c>mh-port</c>). Default false.</summary>
    public bool MhPort { get; set; }

    /// <summary><c>mh</c>: another server is looked for in the table when the one hashed to is full (ipvsadm <c>mh-fallback</c>). Default false.</summary>
    public bool MhFallback { get; set; }

    /// <summary>
    /// Slots of a Maglev table, a prime from 251 to 5 000 011; default: the policy's own. <c>mh</c>: 251, 509, 1021, 2039, 4093 (default), 8191, 16381, 32749,
    /// 65521 or 131071 (Linux <c>CONFIG_IP_VS_MH_TAB_INDEX</c>).
    /// </summary>
    [Within(251, 5_000_011)]
    public int? TableSize { get; set; }
}
