namespace Lb.Vrrp;

/// <summary>Sends adverts to each of several peers. It counts as sent when at least one of them was.</summary>
internal sealed class RawUnicastTransport : RawTransport, IPeerSender
{
    private readonly UnicastPeers _peers;

    /// <summary>Makes a transport that is closed until <see cref="RawTransport.TryBind"/>.</summary>
    /// <param name="device">Name of the interface.</param>
    /// <param name="peers">At least one, all of one family.</param>
    /// <param name="fillChecksum">IPv6: the kernel writes the checksum, over all of the message; false where a trailer is not part of it.</param>
    public RawUnicastTransport(string device, UnicastPeers peers, bool fillChecksum = true)
        : base(device, peers.First, fillChecksum) => _peers = peers;

    internal override IReadOnlyList<PeerAddress> Destinations => _peers.All;

    public override VrrpSendResult Send(ReadOnlySpan<byte> message) => _peers.Send(this, message);

    public VrrpSendResult SendTo(int index, in PeerAddress peer, ReadOnlySpan<byte> message) => SendTo(peer, message);
}
