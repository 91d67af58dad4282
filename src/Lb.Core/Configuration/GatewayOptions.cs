namespace Lb;

/// <summary>A gateway: where clients come in (HAProxy <c>frontend</c>). Not thread-safe: filled once, then read.</summary>
public sealed class GatewayOptions
{
    /// <summary>
    /// What it speaks: <c>tcp</c> (default), <c>udp</c>, or <c>health</c>, which only answers the probes of another balancer (HAProxy <c>mode</c>).
    /// </summary>
    [OneOf("tcp", "udp", "health")]
    public string Mode { get; set; } = "tcp";

    /// <summary>
    /// Where it listens, one or more of <c>0.0.0.0:80</c>, <c>*:80</c> (all IPv4), <c>[::]:80</c> (all IPv6 and IPv4), <c>[::]:80 v6only</c>,
    /// <c>127.0.0.1:8000-8010</c> (a range) and <c>unix:/run/lb.sock</c>. Required (HAProxy <c>bind</c>).
    /// </summary>
    public IList<string> Listen { get; } = [];

    /// <summary>
    /// Name of the pool that serves it. Required (HAProxy <c>default_backend</c>), except in mode <c>health</c>, which without a pool always answers that all
    /// is well.
    /// </summary>
    public string Pool { get; set; } = "";

    /// <summary>
    /// Most client connections at a time, 0 to 16 000 000; more wait in the kernel's backlog. Default 0 = no limit (HAProxy <c>maxconn</c>). UDP: most sessions;
    /// at the limit the one silent for longest makes room; default 65 536, or fewer if the limit of open files says so.
    /// </summary>
    [Within(0, 16_000_000)]
    public int MaxConnections { get; set; }

    /// <summary>Length of the kernel's queue of connections not yet accepted, 1 to 65535; default 4096 (HAProxy <c>backlog</c>).</summary>
    [Within(1, 65535)]
    public int Backlog { get; set; } = 4096;

    /// <summary>
    /// Listens on addresses that this machine does not have now, such as a virtual one while another node has it (IP_FREEBIND). Linux. Default false
    /// (HAProxy <c>transparent</c>, without its rights).
    /// </summary>
    public bool Freebind { get; set; }

    /// <summary>
    /// Takes connections to any address, also those that are routed through this machine (IP_TRANSPARENT, for TPROXY rules). Linux; needs CAP_NET_ADMIN or
    /// CAP_NET_RAW. Default false (HAProxy <c>transparent</c>).
    /// </summary>
    public bool Transparent { get; set; }

    /// <summary>Takes only clients that come in by this network interface; default: any (HAProxy <c>interface</c>). Linux.</summary>
    public string? Interface { get; set; }

    /// <summary>TCP options of the listening sockets and of the clients' connections. Changing them opens the listeners anew.</summary>
    public ListenTcpOptions Tcp { get; set; } = new();

    /// <summary>What a gateway of mode <c>health</c> answers: <c>tcp</c> (default: <c>OK</c>) or <c>http</c> (<c>HTTP/1.0 200</c> or <c>503</c>).</summary>
    [OneOf("tcp", "http")]
    public string Respond { get; set; } = "tcp";

    /// <summary>
    /// Mode <c>health</c>: so many servers of the pool, backups included, must be up, 0 to 10000; default 1. With fewer, or without the pool's quorum, probes
    /// fail (HAProxy <c>monitor fail if { nbsrv lt n }</c>).
    /// </summary>
    [Within(0, 10_000)]
    public int MinServers { get; set; } = 1;

    /// <summary>Longest silence of a client; default <see cref="DefaultsOptions.ClientTimeout"/>.</summary>
    [Positive]
    public TimeSpan? ClientTimeout { get; set; }

    /// <summary>Longest silence of a client after the server has finished sending (HAProxy <c>timeout client-fin</c>); default: the client time-out.</summary>
    [Positive]
    public TimeSpan? ClientFinTimeout { get; set; }

    /// <summary>Time that connections have to end by themselves when the gateway stops; default 30 s (HAProxy <c>hard-stop-after</c>).</summary>
    [Positive]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>While it stops, idle connections are closed spread over this time, not all at once; default 0 = at once (HAProxy <c>close-spread-time</c>).</summary>
    [NotNegative]
    public TimeSpan CloseSpreadTime { get; set; }

    /// <summary>UDP: longest silence of a session; default 1 m (nginx <c>proxy_timeout</c>).</summary>
    [Positive]
    public TimeSpan? IdleTimeout { get; set; }

    /// <summary>
    /// UDP: answers that the server owes to each datagram, 0 to 65535. When all have passed the session ends: 1 for DNS and other questions, 0 for what is never
    /// answered. Default: not known, the session ends when it is idle (nginx <c>proxy_responses</c>).
    /// </summary>
    [Within(0, 65535)]
    public int? Responses { get; set; }

    /// <summary>
    /// UDP: datagrams of a client after which the next one begins a new session and may get another server, 0 to 1 000 000 000. Default 0 = any number (nginx
    /// <c>proxy_requests</c>).
    /// </summary>
    [Within(0, 1_000_000_000)]
    public int Requests { get; set; }

    /// <summary>TLS for its clients (HAProxy <c>bind … ssl</c>); default null: none.</summary>
    public GatewayTlsOptions? Tls { get; set; }

    /// <summary>Which clients begin with a PROXY header; null (default) = none. A configuration may say <c>true</c> for everybody (HAProxy <c>accept-proxy</c>).</summary>
    public AcceptProxyOptions? AcceptProxy { get; set; }

    /// <summary>Sends clients to other pools than <see cref="Pool"/> by what their TLS asks for, without decrypting anything. Default: none.</summary>
    public IList<RouteOptions> Routes { get; } = [];

    /// <summary>
    /// Time in which the bytes must come that decide on the pool or the server (a ClientHello, a Remote Desktop client's request); later it goes on without
    /// them. Above 0, default 5 s (HAProxy <c>tcp-request inspect-delay</c>).
    /// </summary>
    [Positive]
    public TimeSpan InspectDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Who is let in, asked for each new client in this order: the first rule that fits decides (HAProxy <c>tcp-request connection</c>). Default: everybody.</summary>
    public IList<AccessRuleOptions> Access { get; } = [];

    /// <summary>Limits for each client address; default none.</summary>
    public PerSourceOptions PerSource { get; set; } = new();

    /// <summary>Most new clients a second, 0 to 16 000 000; more wait in the kernel's backlog, none is refused. Default 0 = no limit (HAProxy <c>rate-limit sessions</c>).</summary>
    [Within(0, 16_000_000)]
    public int SessionRate { get; set; }

    /// <summary>How long <see cref="AccessAction.Tarpit"/> holds a client, and <see cref="AccessAction.Delay"/> at most; default 10 s (HAProxy <c>timeout tarpit</c>).</summary>
    [Positive]
    public TimeSpan TarpitTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most clients held by tarpits and delays at a time, 0 to 1 000 000; further ones are reset at once. Default 1000: each costs a descriptor.</summary>
    [Within(0, 1_000_000)]
    public int MaxHeld { get; set; } = 1000;

    /// <summary>The place of its clients among those who wait for a server of the pool; default: by the time of coming.</summary>
    public QueuePriorityOptions QueuePriority { get; set; } = new();
}
