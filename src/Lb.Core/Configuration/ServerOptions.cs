namespace Lb;

/// <summary>A server of a pool (HAProxy <c>server</c>). Not thread-safe: filled once, then read.</summary>
public sealed class ServerOptions
{
    /// <summary>Unique in its pool, compared without regard to case; default: the address.</summary>
    public string? Name { get; set; }

    /// <summary><c>192.0.2.1:80</c>, <c>[2001:db8::1]:80</c>, <c>host.example:80</c> (looked up once at start) or <c>unix:/run/app.sock</c>. Required.</summary>
    [NotEmpty]
    public string Address { get; set; } = "";

    /// <summary>Share of the load, 0 to 256, default 1; 0 = no balanced traffic, sticky traffic still served (HAProxy <c>weight</c>).</summary>
    [Within(0, 256)]
    public int Weight { get; set; } = 1;

    /// <summary>Used only when no main server is usable (HAProxy <c>backup</c>). Default false.</summary>
    public bool Backup { get; set; }

    /// <summary>Most leases at a time, 0 to 16 000 000; default 0 = no limit (HAProxy <c>maxconn</c>).</summary>
    [Within(0, 16_000_000)]
    public int MaxConnections { get; set; }

    /// <summary>
    /// Most leases at a time while the pool has little to do, 0 to 16 000 000 and below <see cref="MaxConnections"/>: the limit is
    /// max(MinConnections, load * MaxConnections / <see cref="PoolOptions.FullConnections"/>). Default 0 = always MaxConnections (HAProxy <c>minconn</c>).
    /// </summary>
    [Within(0, 16_000_000)]
    public int MinConnections { get; set; }

    /// <summary>What is taken of it before its first check. Default <see cref="Lb.InitState.Up"/>; without checks a server is always up.</summary>
    public InitState InitState { get; set; } = InitState.Up;

    /// <summary>Level, 0 (first, default) to 127: traffic goes to a level as far as those before it can't take it (Envoy <c>priority</c>).</summary>
    [Within(0, 127)]
    public int Priority { get; set; }

    /// <summary>Where it stands, for <see cref="PoolOptions.ZoneAware"/>; default: nowhere.</summary>
    public string? Zone { get; set; }

    /// <summary>Most callers that may wait for this very server, 0 to 1 000 000; default 0 = no limit (HAProxy <c>maxqueue</c>). Further ones get another.</summary>
    [Within(0, 1_000_000)]
    public int MaxQueue { get; set; }

    /// <summary><c>pool/server</c>: takes over that server's health and has no checks of its own (HAProxy <c>track</c>); default none.</summary>
    public string? Track { get; set; }

    /// <summary>
    /// When its checks fail it gets weight 0 instead of being taken out: no balanced traffic, but those who stick to it still come (keepalived
    /// <c>inhibit_on_failure</c>). Default false.
    /// </summary>
    public bool InhibitOnFailure { get; set; }

    /// <summary>TLS to it (HAProxy <c>ssl</c>), after a PROXY header if there is one; default null: none.</summary>
    public ServerTlsOptions? Tls { get; set; }

    /// <summary>
    /// Tells the server who its client is, by a PROXY header before everything else, TLS too: <c>v1</c>, <c>v2</c>, <c>v2-ssl</c> (with the client's TLS) or
    /// <c>v2-ssl-cn</c> (with the Common Name of its certificate, too) (HAProxy <c>send-proxy</c>, <c>send-proxy-v2</c>, …). Checks of the server's own
    /// port begin with one, too. Not set: none.
    /// </summary>
    [OneOf("v1", "v2", "v2-ssl", "v2-ssl-cn")]
    public string? SendProxy { get; set; }

    /// <summary>
    /// More to say in version 2: <c>ssl</c>, <c>cert-cn</c>, <c>ssl-cipher</c>, <c>authority</c> (SNI), <c>alpn</c>, <c>unique-id</c>, <c>crc32c</c> (HAProxy
    /// <c>proxy-v2-options</c>). Default: nothing.
    /// </summary>
    public IList<string> ProxyV2Options { get; } = [];

    /// <summary>
    /// Where connections to it come from: <c>192.0.2.1</c>, <c>192.0.2.1:40000-49999</c> or <c>clientip</c>; default <see cref="PoolOptions.Source"/>
    /// (HAProxy <c>source</c>).
    /// </summary>
    public string? Source { get; set; }

    /// <summary>The network interface that connections to it leave by; default <see cref="PoolOptions.Interface"/> (HAProxy <c>source … interface</c>). Linux.</summary>
    public string? Interface { get; set; }

    /// <summary>TCP options of connections to it; default <see cref="PoolOptions.Tcp"/>, which it replaces as a whole.</summary>
    public ConnectTcpOptions? Tcp { get; set; }

    /// <summary><see cref="Name"/>, or the address when there is none.</summary>
    internal string NameOrAddress => string.IsNullOrEmpty(Name) ? Address : Name;
}

/// <summary>What is taken of a server before its first check (HAProxy <c>init-state</c>).</summary>
public enum InitState
{
    /// <summary>Down until its first check, which alone decides; a server that is added again keeps what was known of it.</summary>
    None,

    /// <summary>Up; all of <c>Fall</c> checks must fail to take it out.</summary>
    FullyUp,

    /// <summary>Up; its first check, if it fails, takes it out.</summary>
    Up,

    /// <summary>Down; its first check, if it passes, takes it in.</summary>
    Down,

    /// <summary>Down; all of <c>Rise</c> checks must pass to take it in.</summary>
    FullyDown,
}
