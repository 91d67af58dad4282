namespace Lb;

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
    /// Percent of the average load that a server may have before its keys go on to another, 101 to 100 000; default 0 = no limit (HAProxy
    /// <c>hash-balance-factor</c>). HAProxy's policies need <c>consistent</c> for it and go on to the next on the ring; <c>maglev</c>, <c>ketama</c>,
    /// <c>ring</c>, <c>rendezvous</c>, <c>jump</c> and <c>anchor</c> jump: see <see cref="BoundedLoads"/>.
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

    /// <summary><c>ring</c>: what makes the points. Default <see cref="Lb.RingHash.Xxhash"/> (Envoy <c>hash_function</c>).</summary>
    public RingHash RingHash { get; set; }

    /// <summary><c>orca</c>: hundredths of the share of errors that are added to a server's utilization, 0 to 100 000; default 100.</summary>
    [Within(0, 100_000)]
    public int ErrorPenalty { get; set; } = 100;

    /// <summary><c>orca</c>: how long load reports of a server must come before they count; 0 = at once; default 10 s.</summary>
    [NotNegative]
    public TimeSpan BlackoutPeriod { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary><c>orca</c>: how long load reports count after the last one, above 0; default 3 min.</summary>
    [Positive]
    public TimeSpan ExpirationPeriod { get; set; } = TimeSpan.FromMinutes(3);

    /// <summary><c>orca</c>: how often weights are worked out, 100 ms or more; default 1 s.</summary>
    [Positive]
    public TimeSpan UpdatePeriod { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary><c>rif</c>: servers asked at each pick, 1 to 16; default 3.</summary>
    [Within(1, 16)]
    public int Probes { get; set; } = 3;

    /// <summary><c>rif</c>: answers kept, 2 to 64; default 16.</summary>
    [Within(2, 64)]
    public int ProbePoolSize { get; set; } = 16;

    /// <summary><c>rif</c>: how long an answer is worth something, above 0; default 1 s.</summary>
    [Positive]
    public TimeSpan ProbeAge { get; set; } = TimeSpan.FromSeconds(1);

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

    /// <summary>
    /// What a hash policy does when the server hashed to is full: keeps the client waiting for it, or goes on to another (HAProxy
    /// <c>hash-preserve-affinity</c>). Default: <see cref="Lb.HashPreserveAffinity.Always"/> for HAProxy's policies, <see cref="Lb.HashPreserveAffinity.MaxConn"/> for the others.
    /// </summary>
    public HashPreserveAffinity? HashPreserveAffinity { get; set; }
}

/// <summary>What a hash policy does when the server hashed to is full (HAProxy <c>hash-preserve-affinity</c>).</summary>
public enum HashPreserveAffinity
{
    /// <summary>The caller waits for that very server.</summary>
    Always,

    /// <summary>A server at its limit of connections is passed over.</summary>
    MaxConn,

    /// <summary>The caller waits, unless the queue of the server is full.</summary>
    MaxQueue,
}
