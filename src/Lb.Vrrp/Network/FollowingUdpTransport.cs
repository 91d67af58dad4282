namespace Lb.Vrrp;

/// <summary>UDP to peers from an address that comes and goes with its interface. The driver's thread.</summary>
internal sealed class FollowingUdpTransport(int port, UnicastPeers peers) : IVrrpTransport
{
    private UdpUnicastTransport? _transport;

    /// <summary>The port on all nodes.</summary>
    public int Port => port;

    /// <inheritdoc/>
    public PeerAddress Source => _transport?.Source ?? default;

    /// <inheritdoc/>
    public PeerAddress Destination => peers.First;

    /// <summary>Sends from this endpoint from now on.</summary>
    public void Follow(UdpEndpoint endpoint, PeerAddress source, int scope) =>
        _transport = source.IsEmpty ? null : new UdpUnicastTransport(endpoint, peers, source.IsV6 ? scope : 0);

    /// <inheritdoc/>
    public VrrpSendResult Send(ReadOnlySpan<byte> message) => _transport?.Send(message) ?? VrrpSendResult.LinkDown;

    /// <inheritdoc/>
    public void Dispose() => _transport?.Dispose();
}
