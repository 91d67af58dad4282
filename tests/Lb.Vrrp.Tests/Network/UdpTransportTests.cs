using static Lb.Vrrp.Tests.TestNetwork;
using static Lb.Vrrp.Tests.Heard;

namespace Lb.Vrrp.Tests;

/// <summary>Adverts over UDP: the only transport that needs neither a capability nor Linux.</summary>
public sealed class UdpTransportTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [Trait("Row", "V12")]
    public void An_advert_arrives_and_allocates_nothing(string local)
    {
        using UdpEndpoint endpoint = new(FreePort());
        Assert.True(endpoint.TryBind(Address(local), 0, out string? error), error);
        using UdpUnicastTransport transport = new(endpoint, new UnicastPeers([Address(local)]));
        TimeSpan before = Clocks.Monotonic();
        Assert.Equal(VrrpSendResult.Sent, transport.Send(Message(7)));
        Heard? received = Next(endpoint);
        Assert.Equal(Message(7), received!.Bytes);
        Assert.Equal((Address(local), Address(local)), (received.Datagram.Source, received.Datagram.Destination));
        Assert.InRange(received.Datagram.ArrivedAt, before, Clocks.Monotonic());

        byte[] message = Message(7);
        byte[] buffer = new byte[DatagramReader.Capacity];
        for (int i = 0; i < 20; i++) Exchange();
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Exchange();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - allocated);

        void Exchange()
        {
            transport.Send(message);
            endpoint.TryReceive(buffer, out _, out _); // over the loopback it is there when the call comes back
        }
    }

    [Fact]
    [Trait("Row", "V12")]
    public void Without_an_address_it_is_as_if_the_link_were_down()
    {
        using UdpEndpoint endpoint = new(FreePort());
        using UdpUnicastTransport transport = new(endpoint, new UnicastPeers([Address("127.0.0.1")]));
        Assert.Equal(VrrpSendResult.LinkDown, transport.Send(Message(7)));
        Assert.False(endpoint.TryBind(default, 0, out _));
        Assert.False(endpoint.TryBind(Address("192.0.2.1"), 0, out string? error));
        Assert.Contains("192.0.2.1", error);
        Assert.False(endpoint.TryReceive(new byte[10], out _, out _));
    }

    [Fact]
    [Trait("Row", "V12")]
    public void A_peer_without_a_listener_and_a_message_that_is_too_long_are_no_errors()
    {
        using UdpEndpoint endpoint = new(FreePort());
        Assert.True(endpoint.TryBind(Address("127.0.0.1"), 0, out string? error), error);
        using UdpUnicastTransport transport = new(endpoint, new UnicastPeers([Address("127.0.0.2"), Address("127.0.0.1")]));
        endpoint.SendTo(new byte[DatagramReader.Capacity + 1], endpoint.ToNative(Address("127.0.0.1"), 0));
        Assert.Equal(VrrpSendResult.Sent, transport.Send(Message(7)));
        Assert.Equal(Message(7), Next(endpoint)!.Bytes);
        Assert.Equal(1, endpoint.Dropped);
    }

    [Fact]
    [Trait("Row", "V12")]
    public void Peers_are_at_least_one_and_of_one_family()
    {
        Assert.Throws<ArgumentException>(static () => new UnicastPeers([]));
        Assert.Throws<ArgumentException>(static () => new UnicastPeers([Address("10.0.0.1"), Address("fe80::1")]));
    }

    [Fact]
    [Trait("Row", "V5")]
    public void An_interface_that_is_down_is_said_to_be()
    {
        using TestNetwork network = new();
        using UdpEndpoint endpoint = new(1112);
        In(network.A, () => Assert.True(endpoint.TryBind(Address("10.0.0.1"), 0, out string? error), error));
        using UdpUnicastTransport transport = new(endpoint, new UnicastPeers([Address("10.0.0.2")]));
        Assert.Equal(VrrpSendResult.Sent, transport.Send(Message(7)));
        Ip("-n", network.A, "link", "set", "eth0", "down");
        Assert.Equal(VrrpSendResult.LinkDown, transport.Send(Message(7)));
    }

    [Fact]
    [Trait("Row", "V28")]
    public void It_knows_that_the_interface_below_was_made_anew()
    {
        using TestNetwork network = new();
        using UdpEndpoint endpoint = new(1112);
        int first = In(network.A, Index);
        In(network.A, () => Assert.True(endpoint.TryBind(Address("fe80::1"), first, out string? error), error));
        Assert.True(endpoint.IsBoundTo(Address("fe80::1"), first));
        Ip("-n", network.A, "link", "del", "eth0");
        Ip("-n", network.A, "link", "add", "spare", "type", "veth", "peer", "name", "spare", "netns", network.B);
        network.Cable();
        int second = In(network.A, Index);
        Assert.False(endpoint.IsBoundTo(Address("fe80::1"), second));
        In(network.A, () => Assert.True(endpoint.TryBind(Address("fe80::1"), second, out string? error), error));
        using UdpUnicastTransport transport = new(endpoint, new UnicastPeers([Address("fe80::2")]), second);
        using UdpEndpoint peer = new(1112);
        In(network.B, () => Assert.True(peer.TryBind(Address("fe80::2"), Index(), out string? error), error));
        Assert.Equal(VrrpSendResult.Sent, transport.Send(Message(7)));
        Assert.Equal(Message(7), Next(peer)!.Bytes);
        endpoint.Close();
        Assert.False(endpoint.IsBoundTo(Address("fe80::1"), second));
        Assert.False(endpoint.IsBoundTo(default, 0));
    }

    private static int FreePort()
    {
        using System.Net.Sockets.UdpClient probe = new(0);
        return ((System.Net.IPEndPoint)probe.Client.LocalEndPoint!).Port;
    }
}
