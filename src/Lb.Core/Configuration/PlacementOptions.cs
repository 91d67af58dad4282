namespace Lb;

/// <summary>Keeps traffic in the zone where this balancer stands, as far as its servers can take it (Envoy zone-aware routing). Off by default.</summary>
public sealed class ZoneAwareOptions
{
    /// <summary>The zone of this balancer, not empty; null (default) = zones don't count.</summary>
    public string? Local { get; set; }

    /// <summary>How many balancers stand in each zone; default: as the servers are spread, so that every zone keeps its own traffic.</summary>
    public IDictionary<string, int> Balancers { get; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>With fewer usable servers zones don't count, 1 to 65 535; default 6 (Envoy <c>min_cluster_size</c>).</summary>
    [Within(1, 65_535)]
    public int MinimumServers { get; set; } = 6;
}

/// <summary>Uses only some of the servers, others for other balancers, so that not every balancer talks to every server. Off by default.</summary>
public sealed class SubsetOptions
{
    /// <summary>How the servers are chosen: <c>rendezvous</c> (default, gRFC A68) by hash, or <c>ringsteady</c>, the evenest, which needs numbered balancers.</summary>
    [OneOf("rendezvous", "ringsteady")]
    public string Type { get; set; } = "rendezvous";

    /// <summary>How many servers, 0 to 65 535; default 0 = all.</summary>
    [Within(0, 65_535)]
    public int Size { get; set; }

    /// <summary><c>rendezvous</c>: what tells this balancer from the others; not empty; default: the machine's name.</summary>
    public string? Client { get; set; }

    /// <summary><c>ringsteady</c>: number of this balancer, from 0 without gaps, 0 to 1 000 000; required there with a <see cref="Size"/>.</summary>
    [Within(0, 1_000_000)]
    public int? ClientIndex { get; set; }
}

/// <summary>The server that answers when the quorum is lost (keepalived <c>sorry_server</c>). It is not checked.</summary>
public sealed class SorryServerOptions
{
    /// <summary>Unique in the pool; default <c>sorry</c>.</summary>
    [NotEmpty]
    public string Name { get; set; } = "sorry";

    /// <summary>As of any server; null (default) = there is no sorry server.</summary>
    public string? Address { get; set; }
}

/// <summary>The same client gets the same server.</summary>
public sealed class PersistenceOptions
{
    /// <summary>
    /// How a client is known: <c>none</c> (default); <c>source</c>, its address (LVS <c>persistence_timeout</c>, HAProxy <c>stick on src</c>);
    /// <c>rdp-cookie</c>, the server that its cookie <c>msts</c> names (HAProxy <c>persist rdp-cookie</c>; TCP gateways), where only <see cref="OnDown"/>
    /// counts of the rest.
    /// </summary>
    [OneOf("none", "source", "rdp-cookie")]
    public string Type { get; set; } = "none";

    /// <summary>How long a client is remembered after its last connection came, and longer while one is open; above 0, default 6 min (keepalived).</summary>
    [Positive]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(6);

    /// <summary>Leading bits of an IPv4 address that count, 0 to 32; default 32 (LVS <c>persistence_granularity</c>).</summary>
    [Within(0, 32)]
    public int Mask { get; set; } = 32;

    /// <summary>Leading bits of an IPv6 address that count, 0 to 128; default 128.</summary>
    [Within(0, 128)]
    public int Mask6 { get; set; } = 128;

    /// <summary>What becomes of clients whose server is down. Default <see cref="PersistenceOnDown.Redispatch"/>.</summary>
    public PersistenceOnDown OnDown { get; set; }

    /// <summary>Most clients remembered, 1 to 16 000 000; default 1 000 000. When full, those that have been silent longest are forgotten.</summary>
    [Within(1, 16_000_000)]
    public int MaxEntries { get; set; } = 1_000_000;
}

/// <summary>What becomes of a client whose server is down.</summary>
public enum PersistenceOnDown
{
    /// <summary>It gets another server (HAProxy <c>option redispatch</c>).</summary>
    Redispatch,

    /// <summary>It gets none until its server is back or it is forgotten.</summary>
    Fail,

    /// <summary>It is sent to its server all the same (HAProxy <c>option persist</c>).</summary>
    Persist,
}
