namespace Lb.Vrrp.Tests;

[Trait("Row", "V12")]
public sealed class UdpPeersTests
{
    [Theory]
    [InlineData(null, 255, ReceiveFault.None)]
    [InlineData(null, 64, ReceiveFault.TimeToLive)]
    [InlineData(18112, 64, ReceiveFault.None)]
    [InlineData(18112, 1, ReceiveFault.None)]
    public void The_ttl_of_a_peer_counts_unless_its_adverts_come_over_udp(int? port, int ttl, ReceiveFault fault)
    {
        RouterMessages ours = Messages("192.0.2.1", "192.0.2.2", port), theirs = Messages("192.0.2.2", "192.0.2.1", port);
        VrrpDatagram datagram = new() { Source = Parse("192.0.2.2"), Destination = Parse("192.0.2.1"), TimeToLive = ttl };
        Assert.Equal(fault, ours.Read(theirs.Write(100), in datagram, out _));
    }

    private static RouterMessages Messages(string source, string peer, int? port)
    {
        RouterOptions options = new()
        {
            Interface = "e0",
            RouterId = 51,
            Addresses = { new VirtualAddressOptions { Address = "192.0.2.100/24" } },
            Unicast = new RouterUnicastOptions { Source = source, Peers = { peer }, UdpPort = port },
        };
        return new RouterMessages(options, new RouterLinks { Transport = new Cable(Parse(source), Parse(peer)) }, TimeProvider.System);
    }

    private static PeerAddress Parse(string text)
    {
        Assert.True(PeerAddress.TryParse(text, out PeerAddress address));
        return address;
    }

    private sealed record Cable(PeerAddress Source, PeerAddress Destination) : IVrrpTransport
    {
        public VrrpSendResult Send(ReadOnlySpan<byte> message) => VrrpSendResult.Sent;

        public void Dispose()
        {
        }
    }
}
