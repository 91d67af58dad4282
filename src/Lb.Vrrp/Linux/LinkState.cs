namespace Lb.Vrrp;

/// <summary>What is known of a network interface now. The default value is one that is not there.</summary>
internal readonly record struct LinkState
{
    /// <summary>Its index; 0 = there is none of this name. Made again, it has another.</summary>
    public int Index { get; init; }

    /// <summary>It is up and has a carrier.</summary>
    public bool IsRunning { get; init; }

    /// <summary>Its MAC address, 48 bits, first byte highest; 0 = it has none.</summary>
    public ulong Mac { get; init; }

    /// <summary>Its first IPv4 address that is not a virtual one; empty = none.</summary>
    public PeerAddress PrimaryV4 { get; init; }

    /// <summary>Length of the prefix of <see cref="PrimaryV4"/>.</summary>
    public int PrefixV4 { get; init; }

    /// <summary>Its own link-local IPv6 address, usable (not tentative) and not virtual; empty = none.</summary>
    public PeerAddress LinkLocalV6 { get; init; }
}
