namespace Lb;

/// <summary>A gateway: where clients come in (HAProxy <c>frontend</c>). Not thread-safe: filled once, then read.</summary>
public sealed class GatewayOptions
{
    /// <summary>What it speaks; <c>tcp</c> (default) in this version (HAProxy <c>mode</c>).</summary>
    [OneOf("tcp")]
    public string Mode { get; set; } = "tcp";

    /// <summary>
    /// Where it listens, one or more of <c>0.0.0.0:80</c>, <c>*:80</c> (all IPv4), <c>[::]:80</c> (all IPv6 and IPv4), <c>[::]:80 v6only</c>,
    /// <c>127.0.0.1:8000-8010</c> (a range) and <c>unix:/run/lb.sock</c>. Required (HAProxy <c>bind</c>).
    /// </summary>
    public IList<string> Listen { get; } = [];

    /// <summary>Name of the pool that serves it. Required (HAProxy <c>default_backend</c>).</summary>
    [NotEmpty]
    public string Pool { get; set; } = "";

    /// <summary>Most client connections at a time, 0 to 16 000 000; more wait in the kernel's backlog. Default 0 = no limit (HAProxy <c>maxconn</c>).</summary>
    [Within(0, 16_000_000)]
    public int MaxConnections { get; set; }

    /// <summary>Length of the kernel's queue of connections not yet accepted, 1 to 65535; default 4096 (HAProxy <c>backlog</c>).</summary>
    [Within(1, 65535)]
    public int Backlog { get; set; } = 4096;

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
}
