namespace Lb.Vrrp;

/// <summary>What a received message must be for one router. Immutable, but for what belongs to the link: source and subnets, set by the driver.</summary>
internal sealed class ReceiveRules
{
    /// <summary>Version of the protocol, 2 or 3.</summary>
    public int Version { get; init; } = 3;

    /// <summary>Takes version 2 beside version 3.</summary>
    public bool AlsoVersion2 { get; init; }

    /// <summary>Number of the router.</summary>
    public required int RouterId { get; init; }

    /// <summary>IPv6.</summary>
    public bool IsV6 { get; init; }

    /// <summary>The router's interval: version 2 must have the same.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>The addresses expected in it, one after the other in network order.</summary>
    public ReadOnlyMemory<byte> Addresses { get; init; }

    /// <summary>Drops other addresses; null = version 2 does, version 3 warns.</summary>
    public bool? CheckAddresses { get; init; }

    /// <summary>Takes one form of checksum only: that of RFC 9568.</summary>
    public bool Strict { get; init; }

    /// <summary>The multicast group; empty = any destination, and with <see cref="Peers"/> not looked at.</summary>
    public PeerAddress Group { get; init; }

    /// <summary>The peers of unicast; null = multicast.</summary>
    public PeerAddress[]? Peers { get; init; }

    /// <summary>Lowest TTL or hop limit of peers.</summary>
    public int MinimumTtl { get; init; } = 255;

    /// <summary>Highest TTL or hop limit of peers.</summary>
    public int MaximumTtl { get; init; } = 255;

    /// <summary>Drops what does not come from <see cref="Subnets"/>; otherwise it is a warning.</summary>
    public bool CheckSubnet { get; init; }

    /// <summary>How adverts are authenticated; null = not.</summary>
    public VrrpAuthentication? Authentication { get; init; }

    /// <summary>The sequences seen; kept over a reload.</summary>
    public ReplayGuard Replays { get; init; } = new();

    /// <summary>The address this node sends from: what comes from it is our own.</summary>
    public PeerAddress Source { get; set; }

    /// <summary>The interface's subnets; empty = not known, nothing is checked.</summary>
    public AddressPrefix[] Subnets { get; set; } = [];

    /// <summary>Bytes of an address.</summary>
    public int AddressLength => IsV6 ? 16 : 4;
}
