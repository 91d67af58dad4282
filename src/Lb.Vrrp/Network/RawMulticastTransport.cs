namespace Lb.Vrrp;

/// <summary>Sends adverts to the multicast group of the link (RFC 9568 5.1). Does not hear itself.</summary>
/// <param name="device">Name of the interface.</param>
/// <param name="group">The group: 224.0.0.18 or ff02::12, unless configured.</param>
/// <param name="fillChecksum">IPv6: the kernel writes the checksum, over all of the message; false where a trailer is not part of it.</param>
internal sealed class RawMulticastTransport(string device, in PeerAddress group, bool fillChecksum = true) : RawTransport(device, group, fillChecksum)
{
    public override VrrpSendResult Send(ReadOnlySpan<byte> message) => SendTo(Destination, message);
}
