namespace Lb.Vrrp;

/// <summary>A virtual router changed its state.</summary>
/// <param name="At">When.</param>
/// <param name="Router">Name of the router.</param>
/// <param name="From">State before.</param>
/// <param name="To">State now.</param>
/// <param name="Priority">Its effective priority.</param>
/// <param name="Cause">Why, for people.</param>
public sealed record RouterStateChanged(DateTimeOffset At, string Router, RouterState From, RouterState To, int Priority, string Cause) : LbEvent(At);

/// <summary>What a router tracks has changed its priority.</summary>
/// <param name="At">When.</param>
/// <param name="Router">Name of the router.</param>
/// <param name="From">Effective priority before.</param>
/// <param name="To">Effective priority now.</param>
/// <param name="Cause">What it follows, for people.</param>
public sealed record RouterPriorityChanged(DateTimeOffset At, string Router, int From, int To, string Cause) : LbEvent(At);

/// <summary>Two nodes were Active for one virtual router: a network was split, or packets are lost. Told by the one that keeps the addresses.</summary>
/// <param name="At">When.</param>
/// <param name="Router">Name of the router.</param>
/// <param name="Other">Address of the other node.</param>
/// <param name="OtherPriority">Its priority.</param>
public sealed record DualActiveDetected(DateTimeOffset At, string Router, string Other, int OtherPriority) : LbEvent(At);

/// <summary>Adverts say that nodes do not fit together. Told once for each kind and peer, and again after a while if it lasts.</summary>
/// <param name="At">When.</param>
/// <param name="Router">Name of the router.</param>
/// <param name="Kind">What does not fit.</param>
/// <param name="Peer">Address of the other node; empty when it is not known.</param>
/// <param name="Text">What was found and what to do, for people.</param>
public sealed record RouterMismatch(DateTimeOffset At, string Router, MismatchKind Kind, string Peer, string Text) : LbEvent(At);

/// <summary>What nodes of a virtual router may disagree on.</summary>
public enum MismatchKind
{
    /// <summary>Another version of the protocol.</summary>
    Version,

    /// <summary>Another advertisement interval.</summary>
    Interval,

    /// <summary>Another kind of authentication, password or key.</summary>
    Authentication,

    /// <summary>Another list of virtual addresses, some of them the same.</summary>
    Addresses,

    /// <summary>Another list altogether: most likely two virtual routers have the same number on one link.</summary>
    RouterId,

    /// <summary>The peer goes on sending adverts of lower priority although ours are sent: it does not hear us.</summary>
    OneWayLink,

    /// <summary>Adverts arrive through a router or tunnel, or damaged: TTL, checksum, length, type.</summary>
    Packet,

    /// <summary>Two nodes claim to own the addresses (priority 255).</summary>
    Owner,

    /// <summary>Adverts come from another network than the interface's.</summary>
    Subnet,

    /// <summary>Our own adverts are refused by the kernel: a firewall, or no capability.</summary>
    Refused,
}

/// <summary>Another device answers for a virtual address that this node holds.</summary>
/// <param name="At">When.</param>
/// <param name="Router">Name of the router.</param>
/// <param name="Address">The address.</param>
/// <param name="MacAddress">Who else has it.</param>
public sealed record AddressConflictDetected(DateTimeOffset At, string Router, string Address, string MacAddress) : LbEvent(At);

/// <summary>Virtual addresses had been taken off this node by somebody else, or had run out, and were put back.</summary>
/// <param name="At">When.</param>
/// <param name="Router">Name of the router.</param>
public sealed record AddressesRestored(DateTimeOffset At, string Router) : LbEvent(At);

/// <summary>This process did not run for a while: a collection, a suspended machine. No peer was declared dead for it.</summary>
/// <param name="At">When.</param>
/// <param name="Router">Name of the router.</param>
/// <param name="Late">For how long.</param>
public sealed record RouterPaused(DateTimeOffset At, string Router, TimeSpan Late) : LbEvent(At);
