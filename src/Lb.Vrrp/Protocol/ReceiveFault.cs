namespace Lb.Vrrp;

/// <summary>Why a received message does not count. Every check has its own value, so that statistics and messages name it.</summary>
public enum ReceiveFault
{
    /// <summary>It counts.</summary>
    None,

    /// <summary>It comes from this node's own address: the link brings back what was sent.</summary>
    OwnSource,

    /// <summary>It is of the other family: IPv4 and IPv6 are routers of their own (RFC 9568 5.2.3).</summary>
    Family,

    /// <summary>It was sent to another address than the group, or to a group although peers are listed (RFC 9568 5.1.1.2, 5.1.2.2).</summary>
    Destination,

    /// <summary>Its source is not in the list of peers (keepalived <c>check_unicast_src</c>).</summary>
    NotAPeer,

    /// <summary>Its TTL or hop limit is not 255, or with listed peers not within their range: it came through a router (RFC 9568 5.1.1.3, 5.1.2.3).</summary>
    TimeToLive,

    /// <summary>It ends before its header or its addresses do (RFC 9568 7.1).</summary>
    LengthShort,

    /// <summary>It goes on after its addresses (keepalived: too long).</summary>
    LengthLong,

    /// <summary>It is of another version (RFC 9568 5.2.1).</summary>
    Version,

    /// <summary>It is no advert: its type is not 1 (RFC 9568 5.2.2).</summary>
    Type,

    /// <summary>It is for another virtual router (RFC 9568 7.1).</summary>
    RouterId,

    /// <summary>It names no address (RFC 9568 5.2.5).</summary>
    Count,

    /// <summary>Its checksum is wrong (RFC 9568 5.2.8, RFC 3768 5.3.8).</summary>
    Checksum,

    /// <summary>Its interval is 0 (RFC 9568 7.1, erratum 8301).</summary>
    IntervalZero,

    /// <summary>Version 2: its interval is not ours (RFC 3768 7.1).</summary>
    IntervalMismatch,

    /// <summary>Version 2: its type of authentication is not ours (RFC 3768 5.3.6, 7.1).</summary>
    AuthenticationType,

    /// <summary>Version 2: its password is not ours (RFC 2338 5.3.6).</summary>
    AuthenticationPassword,

    /// <summary>It has no trailer, and one is required.</summary>
    AuthenticationMissing,

    /// <summary>It has a trailer, and none is configured here.</summary>
    AuthenticationUnexpected,

    /// <summary>Its trailer is of an unknown kind.</summary>
    AuthenticationMalformed,

    /// <summary>Its trailer names a key that is not configured here.</summary>
    AuthenticationUnknownKey,

    /// <summary>Its HMAC is wrong: another key under the same number, a changed message, or a forged source.</summary>
    AuthenticationMismatch,

    /// <summary>Its time is outside the window: the clocks of the nodes differ, or it is a replay.</summary>
    AuthenticationStale,

    /// <summary>Its number is not above the last one of its sender: a replay.</summary>
    AuthenticationReplay,

    /// <summary>Its addresses are not ours (RFC 3768 7.1, RFC 9568 7.1).</summary>
    AddressList,

    /// <summary>Its source is not in the interface's subnet (<see cref="RouterOptions.CheckSubnet"/>).</summary>
    Subnet,
}

/// <summary>What is odd about an advert that counts.</summary>
[Flags]
public enum ReceiveWarning
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Its addresses are not ours (RFC 9568 7.1: may be logged).</summary>
    AddressList = 1,

    /// <summary>Its source is not in the interface's subnet.</summary>
    Subnet = 2,

    /// <summary>Its interval is not ours (RFC 9568 7.1); a Backup adopts it.</summary>
    Interval = 4,

    /// <summary>It has no trailer, and the permissive mode took it.</summary>
    Unauthenticated = 8,
}
