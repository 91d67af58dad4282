namespace Lb;

/// <summary>A virtual router: one VRRP election and the addresses that go with it (keepalived <c>vrrp_instance</c>). Not thread-safe: filled once, then read.</summary>
public sealed class RouterOptions
{
    /// <summary>Network interface of the election and, unless they name another, of the addresses. Required (<c>interface</c>).</summary>
    [NotEmpty]
    public string Interface { get; set; } = "";

    /// <summary>Number of the virtual router on its link, 1 to 255, the same on all its nodes. Required (<c>virtual_router_id</c>, VRID).</summary>
    [Within(1, 255)]
    public int RouterId { get; set; }

    /// <summary>Version of the protocol: 2 (RFC 3768) or 3 (RFC 9568); default 3 (<c>vrrp_version</c>; keepalived's own default is 2).</summary>
    [Within(2, 3)]
    public int Version { get; set; } = 3;

    /// <summary>While Active, sends version 2 beside version 3 and understands both: for the time of moving from one to the other (RFC 9568 8.4). Default false.</summary>
    public bool AlsoVersion2 { get; set; }

    /// <summary>Priority, 1 to 254, higher wins; 255 = this node owns the addresses for good. Default 100 (<c>priority</c>).</summary>
    [Within(1, 255)]
    public int Priority { get; set; } = 100;

    /// <summary>
    /// Time between adverts; default 1 s (<c>advert_int</c>). Version 3: 10 ms to 40.95 s in steps of 10 ms; version 2: 1 to 255 whole seconds, the same on
    /// all nodes.
    /// </summary>
    public TimeSpan AdvertisementInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Adverts that may be missing before the Active node is taken for dead, 1 to 100; default 3 (<c>down_timer_adverts</c>).</summary>
    [Within(1, 100)]
    public int DownTimerAdverts { get; set; } = 3;

    /// <summary>The virtual addresses, all of one family; at least one (<c>virtual_ipaddress</c>).</summary>
    public IList<VirtualAddressOptions> Addresses { get; } = [];

    /// <summary>Addresses that move with the others but are not named in the adverts; may be of the other family (<c>virtual_ipaddress_excluded</c>).</summary>
    public IList<VirtualAddressOptions> ExcludedAddresses { get; } = [];

    /// <summary>
    /// Whether the addresses are put on this node at all; default true. False = election only: events and your own <c>IAddressOwner</c> do the rest
    /// (<c>no_virtual_ipaddress</c>; clouds).
    /// </summary>
    public bool AssignAddresses { get; set; } = true;

    /// <summary>
    /// How long the kernel keeps an address that is not renewed, whole seconds, 2 s to 1 h; default 2 s. A process that is killed or hangs so loses the
    /// address by itself. 0 = for ever, as keepalived does.
    /// </summary>
    [NotNegative]
    public TimeSpan AddressLifetime { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Asks by ARP or neighbour solicitation whether somebody else has the address when it is taken, and says so. Default true.</summary>
    public bool DuplicateDetection { get; set; } = true;

    /// <summary>State to start in; default Backup. Active only shortens the wait, it is no claim (<c>state</c>).</summary>
    public RouterStart Start { get; set; }

    /// <summary>Takes the addresses back from a node of lower priority; default true (<c>preempt</c>, <c>nopreempt</c>).</summary>
    public bool Preempt { get; set; } = true;

    /// <summary>Wait before taking the addresses back from a node of lower priority, 0 to 1000 s; default 0 (<c>preempt_delay</c>).</summary>
    [NotNegative]
    public TimeSpan PreemptDelay { get; set; }

    /// <summary>
    /// Wait after the start before adverts are sent or missed, 0 to 1000 s; default 0 (<c>vrrp_startup_delay</c>). Whatever it is, nothing is claimed
    /// before everything tracked was looked at once.
    /// </summary>
    [NotNegative]
    public TimeSpan StartupDelay { get; set; }

    /// <summary>
    /// Whether packets to the virtual addresses are taken by this node while it is Active and not the owner; default true, as keepalived without
    /// <c>vrrp_strict</c> (RFC 9568 Accept_Mode, whose default is false).
    /// </summary>
    public bool Accept { get; set; } = true;

    /// <summary>
    /// After resigning, goes on answering until the successor is heard, at most for the time a dead node would take; default true. Clients then see no gap.
    /// </summary>
    public bool Handover { get; set; } = true;

    /// <summary>How adverts of version 3 over IPv4 are summed; default <see cref="RouterChecksum.Auto"/>.</summary>
    public RouterChecksum Checksum { get; set; }

    /// <summary>
    /// Nothing but what the RFC says: no unicast, no authentication, no version 2 over IPv6, one form of checksum, packets to the addresses only for the owner
    /// (<c>vrrp_strict</c>). Default false.
    /// </summary>
    public bool Strict { get; set; }

    /// <summary>Drops adverts whose list of addresses differs. Default: version 2 does (RFC 3768 7.1), version 3 takes them and says so.</summary>
    public bool? CheckAddresses { get; set; }

    /// <summary>Drops adverts whose source is not in the interface's subnet; default false: they are taken, and it is said.</summary>
    public bool CheckSubnet { get; set; }

    /// <summary>Adverts go to listed peers instead of the multicast group; null = multicast (<c>unicast_peer</c>).</summary>
    public RouterUnicastOptions? Unicast { get; set; }

    /// <summary>A second interface over which the same adverts go: the peer is dead only when both are silent. Null = none.</summary>
    public string? HeartbeatInterface { get; set; }

    /// <summary>How adverts are authenticated; default not at all (<c>authentication</c>).</summary>
    public RouterAuthenticationOptions Authentication { get; set; } = new();

    /// <summary>The virtual MAC address (<c>use_vmac</c>).</summary>
    public RouterVirtualMacOptions VirtualMac { get; set; } = new();

    /// <summary>How often neighbours are told where the addresses are.</summary>
    public RouterAnnounceOptions Announce { get; set; } = new();

    /// <summary>What changes the priority, or puts the router into fault.</summary>
    public IList<RouterTrackOptions> Track { get; } = [];

    /// <summary>Name of the group of routers that change their state together; null = none (<c>vrrp_sync_group</c>).</summary>
    public string? SyncGroup { get; set; }

    /// <summary>Programs that are told of changes of state (<c>notify_*</c>).</summary>
    public RouterNotifyOptions Notify { get; set; } = new();
}

/// <summary>State a virtual router starts in.</summary>
public enum RouterStart
{
    /// <summary>Waits for a whole time-out before it takes over.</summary>
    Backup,

    /// <summary>Takes over as soon as it may, unless a node of higher priority is heard (keepalived <c>state MASTER</c>).</summary>
    Active,
}

/// <summary>Form of the checksum of VRRPv3 over IPv4, on which implementations differ. Both are accepted unless <see cref="RouterOptions.Strict"/>.</summary>
public enum RouterChecksum
{
    /// <summary>As the peer does; until one is heard with the pseudo-header, as keepalived and FRR do by default.</summary>
    Auto,

    /// <summary>With the pseudo-header (the usual reading of RFC 5798).</summary>
    PseudoHeader,

    /// <summary>Over the message alone (RFC 9568 5.2.8; keepalived <c>v3_checksum_as_v2</c>).</summary>
    Message,
}

/// <summary>One virtual address. In configuration also as text: <c>192.168.88.86/24</c>.</summary>
public sealed class VirtualAddressOptions
{
    /// <summary>The address with the length of its prefix: <c>192.168.88.86/24</c>, <c>2001:db8::86/64</c>; without one /32 or /128.</summary>
    [NotEmpty]
    public string Address { get; set; } = "";

    /// <summary>Interface of this address; null = the router's (<c>dev</c>).</summary>
    public string? Interface { get; set; }

    /// <summary>Label of an IPv4 address, at most 15 characters, beginning with the interface's name; null = none (<c>label</c>).</summary>
    public string? Label { get; set; }

    /// <summary>Scope: <c>global</c> (default), <c>site</c>, <c>link</c> or <c>host</c> (<c>scope</c>).</summary>
    [OneOf("global", "site", "link", "host")]
    public string Scope { get; set; } = "global";

    /// <summary>The address is in none of the interface's networks, and that is meant so; default false: it is taken for a slip.</summary>
    public bool OffLink { get; set; }
}
