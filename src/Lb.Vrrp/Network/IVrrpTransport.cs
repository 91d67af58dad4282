namespace Lb.Vrrp;

/// <summary>
/// Sends the adverts of one virtual router over one link: raw multicast, raw unicast, UDP, or in memory. Receiving is the business of the one who drives
/// the router: see <see cref="VrrpDatagram"/>.
/// </summary>
/// <remarks>Called only by the thread that drives the router; must not block and, while adverts are sent, not allocate.</remarks>
public interface IVrrpTransport : IDisposable
{
    /// <summary>
    /// The address that adverts come from: the interface's primary IPv4 address or its own link-local IPv6 address, never a virtual one (RFC 9568
    /// 5.1.1.1, 5.1.2.1). Empty while there is none: the router is in fault.
    /// </summary>
    PeerAddress Source { get; }

    /// <summary>Where adverts go: the multicast group, or the first of several peers. Part of the checksum of VRRPv3.</summary>
    PeerAddress Destination { get; }

    /// <summary>Sends one advert to the group, or to every peer. The checksum is in it; that of IPv6 may be filled in by the kernel.</summary>
    /// <param name="message">The VRRP message, from its version on.</param>
    VrrpSendResult Send(ReadOnlySpan<byte> message);
}

/// <summary>What became of an advert.</summary>
public enum VrrpSendResult
{
    /// <summary>The kernel took it.</summary>
    Sent,

    /// <summary>The kernel has no room now; the next advert may go through.</summary>
    Busy,

    /// <summary>The link is down, gone, or has no address: the router goes to fault.</summary>
    LinkDown,

    /// <summary>It may not be sent: no capability, or a firewall refuses it. The router goes on, and says so.</summary>
    Refused,
}
