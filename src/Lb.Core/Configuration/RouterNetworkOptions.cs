namespace Lb;

/// <summary>Peers of a virtual router that does not use multicast: clouds, routed networks.</summary>
public sealed class RouterUnicastOptions
{
    /// <summary>Address that adverts are sent from; null = the interface's primary one (<c>unicast_src_ip</c>).</summary>
    public string? Source { get; set; }

    /// <summary>Addresses of the other nodes, at least one (<c>unicast_peer</c>).</summary>
    public IList<string> Peers { get; } = [];

    /// <summary>Lowest TTL or hop limit of an advert, 0 to 255; default 255: sent by a direct neighbour (<c>min_ttl</c>).</summary>
    [Within(0, 255)]
    public int MinimumTtl { get; set; } = 255;

    /// <summary>Highest TTL or hop limit of an advert, 0 to 255; default 255 (<c>max_ttl</c>).</summary>
    [Within(0, 255)]
    public int MaximumTtl { get; set; } = 255;

    /// <summary>
    /// Port of a UDP transport instead of IP protocol 112, 1 to 65535; null = protocol 112. Needs no capability, and both ends must be Lb. The TTL is not checked.
    /// </summary>
    [Within(1, 65535)]
    public int? UdpPort { get; set; }
}

/// <summary>Authentication of adverts.</summary>
public sealed class RouterAuthenticationOptions
{
    /// <summary>
    /// <c>none</c> (default), <c>pass</c> (RFC 2338, version 2 only, 8 characters in clear: keeps apart, protects from nothing) or <c>hmac</c>
    /// (keepalived 2.4 <c>auth_hmac</c>).
    /// </summary>
    [OneOf("none", "pass", "hmac")]
    public string Type { get; set; } = "none";

    /// <summary>Password of <c>pass</c>, 1 to 8 characters of ASCII (<c>auth_pass</c>). Never logged.</summary>
    public string? Password { get; set; }

    /// <summary>Keys of <c>hmac</c> by their number, 0 to 255, in text or <c>0x…</c>; 16 to 64 bytes (keepalived wants 32 at least). Adverts are sent with the highest number. Never logged.</summary>
    public IDictionary<string, string> Keys { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What becomes of adverts without a good trailer: <c>enforce</c> (default) drops, <c>permissive</c> takes those without one, <c>receive-only</c> also sends none.</summary>
    [OneOf("enforce", "permissive", "receive-only")]
    public string Mode { get; set; } = "enforce";

    /// <summary>Against replay: <c>time</c> (default; clocks within the window), <c>monotonic</c> (numbers that only grow) or <c>none</c>.</summary>
    [OneOf("time", "monotonic", "none")]
    public string Replay { get; set; } = "time";
}

/// <summary>The virtual MAC address: 00-00-5E-00-01-VRID, for IPv6 00-00-5E-00-02-VRID (RFC 9568 7.3), on a macvlan device.</summary>
public sealed class RouterVirtualMacOptions
{
    /// <summary>Whether it is used; default false (<c>use_vmac</c>).</summary>
    public bool Enabled { get; set; }

    /// <summary>Name of the macvlan device, at most 15 characters; null = <c>vrrp.VRID</c> or <c>vrrp6.VRID</c>.</summary>
    public string? Name { get; set; }

    /// <summary>Adverts leave from the interface below with its own MAC address instead; default false (<c>vmac_xmit_base</c>).</summary>
    public bool TransmitBase { get; set; }
}

/// <summary>Gratuitous ARP and unsolicited neighbour advertisements of a router that is Active.</summary>
public sealed class RouterAnnounceOptions
{
    /// <summary>Announcements on becoming Active, 1 to 100; default 5 (<c>garp_master_repeat</c>).</summary>
    [Within(1, 100)]
    public int Repeat { get; set; } = 5;

    /// <summary>Wait until the announcements are repeated once more, 0 = not; default 5 s (<c>garp_master_delay</c>).</summary>
    [NotNegative]
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Time between announcements while Active, 0 = none; default 1 s (<c>garp_master_refresh</c>, off in keepalived): heals what others have wrong.</summary>
    [NotNegative]
    public TimeSpan Refresh { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Announcements when an advert of lower priority is heard while Active, 0 to 100; default 1 (<c>garp_lower_prio_repeat</c>).</summary>
    [Within(0, 100)]
    public int LowerPriorityRepeat { get; set; } = 1;

    /// <summary>Least time between two messages on an interface; default 0 = none (<c>garp_interval</c>, <c>gna_interval</c>).</summary>
    [NotNegative]
    public TimeSpan Spacing { get; set; }
}

/// <summary>Programs told of changes of state: with keepalived's arguments <c>INSTANCE name STATE priority</c>. Never through a shell; one at a time, the last state wins.</summary>
public sealed class RouterNotifyOptions
{
    /// <summary>Program and arguments run on becoming Active (<c>notify_master</c>); empty = none.</summary>
    public IList<string> Active { get; } = [];

    /// <summary>On becoming Backup (<c>notify_backup</c>).</summary>
    public IList<string> Backup { get; } = [];

    /// <summary>On fault (<c>notify_fault</c>).</summary>
    public IList<string> Fault { get; } = [];

    /// <summary>When the router stops (<c>notify_stop</c>).</summary>
    public IList<string> Stop { get; } = [];

    /// <summary>On every change, with the four arguments added (<c>notify</c>).</summary>
    public IList<string> Any { get; } = [];

    /// <summary>User that the programs run as; null = the process's own (<c>script_user</c>).</summary>
    public string? User { get; set; }

    /// <summary>Longest run of a program, after which its process group is killed, up to 24 h; default 30 s.</summary>
    [Positive]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>Something that a router watches: exactly one of pool, interface, command, process, file and code is set.</summary>
public sealed class RouterTrackOptions
{
    /// <summary>A pool: it is well while it has its quorum.</summary>
    public string? Pool { get; set; }

    /// <summary>A network interface: it is well while its link is up (<c>track_interface</c>).</summary>
    public string? Interface { get; set; }

    /// <summary>A program and its arguments: it is well while it ends with 0 (<c>vrrp_script</c>).</summary>
    public IList<string> Command { get; } = [];

    /// <summary>Name of a process: it is well while at least <see cref="Quorum"/> of it run (<c>track_process</c>).</summary>
    public string? Process { get; set; }

    /// <summary>A file that holds a number, which times <see cref="Weight"/> is added to the priority; without a weight 0 is well (<c>track_file</c>).</summary>
    public string? File { get; set; }

    /// <summary>Code of the host's own that says whether it is well; cannot be set by configuration.</summary>
    public Func<CancellationToken, ValueTask<bool>>? Check { get; set; }

    /// <summary>
    /// -253 to 253. Negative: added to the priority while it is not well; positive: while it is well; 0 (default): not well is a fault of the router.
    /// </summary>
    [Within(-253, 253)]
    public int Weight { get; set; }

    /// <summary>Takes well for not well; default false (<c>reverse</c>).</summary>
    public bool Reverse { get; set; }

    /// <summary>Time between runs of a command or looks at processes, 10 ms to 24 h; default 1 s (<c>interval</c>).</summary>
    [Positive]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest run of a command, up to 24 h; null = <see cref="Interval"/> (<c>timeout</c>).</summary>
    [Positive]
    public TimeSpan? Timeout { get; set; }

    /// <summary>Successes until it is well, 1 to 1000; default 1 (<c>rise</c>).</summary>
    [Within(1, 1000)]
    public int Rise { get; set; } = 1;

    /// <summary>Failures until it is not, 1 to 1000; default 1 (<c>fall</c>).</summary>
    [Within(1, 1000)]
    public int Fall { get; set; } = 1;

    /// <summary>Not well until it was looked at for the first time; default false (<c>init_fail</c>).</summary>
    public bool InitFail { get; set; }

    /// <summary>User that a command runs as; null = the process's own (<c>user</c>).</summary>
    public string? User { get; set; }

    /// <summary>Least number of processes, 1 to 100 000; default 1 (<c>quorum</c>).</summary>
    [Within(1, 100_000)]
    public int Quorum { get; set; } = 1;

    /// <summary>How long a process may be away before it counts, up to 24 h; default 0 (<c>delay</c>).</summary>
    [NotNegative]
    public TimeSpan Delay { get; set; }

    /// <summary>
    /// Program and arguments that start the service again when a command or process is not well; empty (default) = none. Until the attempts are used up the
    /// item counts as well. Runs as the process's own user, for 30 s at most; what it leaves in its process group ends with it, so have a service manager start the service.
    /// </summary>
    public IList<string> Restart { get; } = [];

    /// <summary>Attempts to start it again, 1 to 100; default 3. They are forgotten when it has been well for as long as the next wait would be.</summary>
    [Within(1, 100)]
    public int RestartAttempts { get; set; } = 3;

    /// <summary>Wait after the first attempt, doubled after each, up to 1 h; default 1 s.</summary>
    [Positive]
    public TimeSpan RestartBackOff { get; set; } = TimeSpan.FromSeconds(1);
}

/// <summary>What holds for all virtual routers of a host (keepalived <c>global_defs</c>).</summary>
public sealed class VrrpOptions
{
    /// <summary>Real-time priority (SCHED_FIFO) of the VRRP thread, 1 to 99; 0 (default) = none. Needs CAP_SYS_NICE (<c>vrrp_rt_priority</c>).</summary>
    [Within(0, 99)]
    public int RealTimePriority { get; set; }

    /// <summary>
    /// Adverts are queued in the kernel this far ahead (io_uring), so that garbage collections do not delay them; 0 (default) = not. At most 1 s: for this
    /// long a process that hangs in its own code stays Active. A process that the system has stopped sends nothing.
    /// </summary>
    [NotNegative]
    public TimeSpan QueueAhead { get; set; }

    /// <summary>IPv4 multicast group; default 224.0.0.18 (<c>vrrp_mcast_group4</c>).</summary>
    public string MulticastGroup4 { get; set; } = "224.0.0.18";

    /// <summary>IPv6 multicast group; default ff02::12 (<c>vrrp_mcast_group6</c>).</summary>
    public string MulticastGroup6 { get; set; } = "ff02::12";
}
