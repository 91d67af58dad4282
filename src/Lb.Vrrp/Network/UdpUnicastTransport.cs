using System.Net;

namespace Lb.Vrrp;

/// <summary>Sends adverts to each of several peers over UDP. It counts as sent when at least one of them was.</summary>
internal sealed class UdpUnicastTransport : IVrrpTransport, IPeerSender
{
    private readonly UdpEndpoint _endpoint;
    private readonly UnicastPeers _peers;
    private readonly SocketAddress[] _native;

    /// <summary>Makes a transport on an endpoint, which it does not dispose of: other routers use it too.</summary>
    /// <param name="endpoint">The socket.</param>
    /// <param name="peers">The other nodes.</param>
    /// <param name="scope">Index of the interface when the peers are link-local addresses, else 0.</param>
    public UdpUnicastTransport(UdpEndpoint endpoint, UnicastPeers peers, int scope = 0)
    {
        _endpoint = endpoint;
        _peers = peers;
        _native = [.. peers.All.Select(peer => endpoint.ToNative(peer, scope))];
    }

    public PeerAddress Source => _endpoint.Source;

    public PeerAddress Destination => _peers.First;

    public VrrpSendResult Send(ReadOnlySpan<byte> message) => _peers.Send(this, message);

    public VrrpSendResult SendTo(int index, in PeerAddress peer, ReadOnlySpan<byte> message) => _endpoint.SendTo(message, _native[index]);

    public void Dispose()
    {
        // The endpoint belongs to whoever made it.
    }
}
