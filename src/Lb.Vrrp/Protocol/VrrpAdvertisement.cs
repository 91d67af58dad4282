namespace Lb.Vrrp;

/// <summary>What an advert says (RFC 9568 5.2, RFC 3768 5.3). A value: receiving allocates nothing. Any thread.</summary>
public readonly record struct VrrpAdvertisement
{
    /// <summary>Version of the protocol: 2 or 3.</summary>
    public int Version { get; init; }

    /// <summary>Number of the virtual router (VRID), 1 to 255.</summary>
    public int RouterId { get; init; }

    /// <summary>Priority of the sender: 255 = owns the addresses, 1 to 254, 0 = it resigns (RFC 9568 5.2.4).</summary>
    public byte Priority { get; init; }

    /// <summary>Time between the sender's adverts: 10 ms to 40.95 s in version 3, 1 to 255 s in version 2.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>Number of addresses in it, 1 to 255.</summary>
    public int AddressCount { get; init; }

    /// <summary>How it was summed: what the peer does is what it surely understands.</summary>
    public VrrpChecksumForm Checksum { get; init; }

    /// <summary>Number of the key that its HMAC was made with, 0 to 255; -1 = it has none.</summary>
    public int KeyId { get; init; }

    /// <summary>What is odd about it, though it counts.</summary>
    public ReceiveWarning Warnings { get; init; }
}

/// <summary>What the checksum of an advert covers.</summary>
public enum VrrpChecksumForm
{
    /// <summary>Not known: the addresses that it depends on are not.</summary>
    Unknown,

    /// <summary>The message alone: version 2 (RFC 3768 5.3.8), and version 3 over IPv4 by RFC 9568 5.2.8.</summary>
    Message,

    /// <summary>The message and a pseudo-header: IPv6 (RFC 8200 8.1), and version 3 over IPv4 by the usual reading of RFC 5798 5.2.8.</summary>
    PseudoHeader,
}
