namespace Lb.Vrrp;

/// <summary>What is known of a received VRRP message beside its bytes. A value: receiving allocates nothing.</summary>
public readonly record struct VrrpDatagram
{
    /// <summary>Who sent it.</summary>
    public PeerAddress Source { get; init; }

    /// <summary>Where it was sent to: the group, or this node.</summary>
    public PeerAddress Destination { get; init; }

    /// <summary>The IPv4 TTL or IPv6 hop limit it arrived with; -1 = not known (UDP without the option, in memory).</summary>
    public int TimeToLive { get; init; }

    /// <summary>
    /// When the kernel took it in, on the axis of the router's <c>now</c>. After a pause of this process it is earlier than the moment of reading: judged
    /// by this, a stall of ours does not make the peer late.
    /// </summary>
    public TimeSpan ArrivedAt { get; init; }

    /// <summary>Which link it came over: 0 the router's interface, 1 its second heartbeat.</summary>
    public int Link { get; init; }
}
