using static Lb.Vrrp.Tests.TestNetwork;
using static Lb.Vrrp.Tests.Heard;

namespace Lb.Vrrp.Tests;

/// <summary>Adverts over a real cable between two network namespaces.</summary>
public sealed class RawTransportTests : IDisposable
{
    private readonly TestNetwork _network = new();
    private readonly List<IDisposable> _opened = [];

    public static TheoryData<bool> Families => [false, true];

    public void Dispose()
    {
        _opened.ForEach(static o => o.Dispose());
        _network.Dispose();
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V1")]
    [Trait("Point", "22")]
    public void An_advert_to_the_group_arrives_with_what_the_wire_said_of_it(bool isV6)
    {
        RawReceiver receiver = Receiver(_network.B, isV6, Group(isV6));
        RawTransport sender = Multicast(_network.A, isV6);
        TimeSpan before = Clocks.Monotonic();
        Assert.Equal(VrrpSendResult.Sent, sender.Send(Message(7)));
        Heard? received = Next(receiver);
        TimeSpan after = Clocks.Monotonic();
        Assert.Equal(Message(7)[..6], received!.Bytes[..6]);
        Assert.Equal((Host(1, isV6), Group(isV6), 255), (received.Datagram.Source, received.Datagram.Destination, received.Datagram.TimeToLive));
        Assert.InRange(received.Datagram.ArrivedAt, before, after);
    }

    [Fact]
    [Trait("Row", "V1")]
    [Trait("Point", "8")]
    public void The_kernel_fills_in_the_checksum_of_IPv6()
    {
        RawReceiver receiver = Receiver(_network.B, isV6: true, Group6);
        byte[] message = Message(7, "fe80::100");
        message[6] = message[7] = 0xAB;
        Multicast(_network.A, isV6: true).Send(message);
        byte[] received = Next(receiver)!.Bytes;
        Assert.Equal(0xFFFF, Total(received, PseudoHeader("fe80::1", "ff02::12", message.Length)));
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V1")]
    [Trait("Point", "23")]
    public void A_virtual_address_never_becomes_the_source(bool isV6)
    {
        RawReceiver receiver = Receiver(_network.B, isV6, Group(isV6));
        RawTransport sender = Multicast(_network.A, isV6);
        foreach (string address in isV6 ? new[] { "fe80::100/64", "fe80::/64", "fe80::101/128" } : ["10.0.0.0/31", "10.0.0.100/24", "10.0.0.101/32"])
        {
            Ip(["-n", _network.A, "addr", "add", address, "dev", "eth0", .. isV6 ? new[] { "nodad" } : []]);
            sender.Send(Message(7));
            Assert.Equal(Host(1, isV6), Next(receiver)!.Datagram.Source);
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V12")]
    public void Unicast_reaches_each_peer_with_the_checksum_for_it(bool isV6)
    {
        string third = isV6 ? "fe80::3" : "10.0.0.3";
        Ip(["-n", _network.B, "addr", "add", third + (isV6 ? "/64" : "/24"), "dev", "eth0", .. isV6 ? new[] { "nodad" } : []]);
        RawReceiver receiver = Receiver(_network.B, isV6, default);
        RawTransport sender = Bound(_network.A, () => new RawUnicastTransport("eth0", new UnicastPeers([Host(2, isV6), Address(third)])), isV6);
        byte[] message = Message(9);
        SetChecksum(message, PseudoHeader(Text(1, isV6), Text(2, isV6), message.Length));
        Assert.Equal(VrrpSendResult.Sent, sender.Send(message));
        foreach (string destination in new[] { Text(2, isV6), third })
        {
            Heard? received = Next(receiver);
            Assert.Equal((Address(destination), 255), (received!.Datagram.Destination, received.Datagram.TimeToLive));
            Assert.Equal(0xFFFF, Total(received.Bytes, PseudoHeader(Text(1, isV6), destination, message.Length)));
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V1")]
    [Trait("Point", "18")]
    public void A_node_does_not_hear_itself(bool isV6)
    {
        RawReceiver own = Receiver(_network.A, isV6, Group(isV6));
        RawReceiver other = Receiver(_network.B, isV6, Group(isV6));
        Multicast(_network.A, isV6).Send(Message(1));
        Assert.NotNull(Next(other));
        Multicast(_network.B, isV6).Send(Message(2));
        Assert.Equal(2, Next(own)!.Bytes[1]);
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V1")]
    [Trait("Point", "10")]
    public void Only_adverts_of_the_named_routers_arrive(bool isV6)
    {
        RawReceiver receiver = Receiver(_network.B, isV6, Group(isV6));
        receiver.Accept([5, 7, 255]);
        RawTransport sender = Multicast(_network.A, isV6);
        foreach (byte id in new byte[] { 1, 5, 6, 254, 255, 8, 7 }) sender.Send(Message(id));
        Assert.Equal([5, 255, 7], Enumerable.Range(0, 3).Select(_ => (int)Next(receiver)!.Bytes[1]));
        receiver.Accept([]);
        sender.Send(Message(1));
        Assert.Equal(1, Next(receiver)!.Bytes[1]);
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V5")]
    [Trait("Point", "51")]
    public void A_link_that_is_down_is_said_to_be_and_comes_back(bool isV6)
    {
        RawReceiver receiver = Receiver(_network.B, isV6, Group(isV6));
        RawTransport sender = Multicast(_network.A, isV6);
        Ip("-n", _network.A, "link", "set", "eth0", "down");
        Assert.Equal(VrrpSendResult.LinkDown, sender.Send(Message(7)));
        Ip("-n", _network.A, "link", "set", "eth0", "up");
        if (isV6) Ip("-n", _network.A, "addr", "replace", "fe80::1/64", "dev", "eth0", "nodad"); // the kernel flushes IPv6 addresses on the way down
        Bind(_network.A, sender, isV6);
        Assert.Equal(VrrpSendResult.Sent, sender.Send(Message(7)));
        Assert.NotNull(Next(receiver));
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V28")]
    public void An_interface_that_is_made_again_is_bound_again(bool isV6)
    {
        RawReceiver receiver = Receiver(_network.B, isV6, Group(isV6));
        RawTransport sender = Multicast(_network.A, isV6);
        Ip("-n", _network.A, "link", "del", "eth0");
        Assert.Equal(VrrpSendResult.LinkDown, sender.Send(Message(7)));
        Ip("-n", _network.A, "link", "add", "spare", "type", "veth", "peer", "name", "spare", "netns", _network.B); // takes the index
        _network.Cable();
        Bind(_network.A, sender, isV6);
        In(_network.B, () => Assert.True(receiver.TryBind(Index(), out _)));
        Assert.Equal(VrrpSendResult.Sent, sender.Send(Message(7)));
        Assert.NotNull(Next(receiver));
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V28")]
    public void Without_an_address_there_is_nothing_to_send_from(bool isV6)
    {
        RawTransport sender = Multicast(_network.A, isV6);
        In(_network.A, () =>
        {
            Assert.False(sender.TryBind(Index(), Address(isV6 ? "fe80::77" : "10.0.0.77"), out string? error));
            Assert.Contains("eth0", error);
            Assert.False(sender.TryBind(Index(), default, out _));
            Assert.False(sender.TryBind(0, Host(1, isV6), out _));
        });
        Assert.Equal((VrrpSendResult.LinkDown, true), (sender.Send(Message(7)), sender.Source.IsEmpty));
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V24")]
    public void A_packet_that_waited_arrived_when_it_came_and_not_when_it_was_read(bool isV6)
    {
        RawReceiver receiver = Receiver(_network.B, isV6, Group(isV6));
        RawTransport sender = Multicast(_network.A, isV6);
        byte[] buffer = new byte[DatagramReader.Capacity];
        using Poller poller = new();

        // The kernel begins to stamp packets a while after the first socket asks for it; until then they are stamped when they are read.
        for (int attempt = 0; attempt < 50; attempt++)
        {
            Assert.False(receiver.TryReceive(buffer, out _, out _));
            TimeSpan sent = Clocks.Monotonic();
            sender.Send(Message(2));
            TimeSpan stall = Clocks.Monotonic() + TimeSpan.FromMilliseconds(50);
            while (Clocks.Monotonic() < stall) poller.Wait(stall);
            TimeSpan arrived = Next(receiver)!.Datagram.ArrivedAt;
            Assert.True(arrived >= sent);
            if (arrived < stall) return;
        }

        Assert.Fail("No packet was stamped when it came.");
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V18")]
    public void Without_the_capability_it_is_refused_and_said(bool isV6) => In(_network.A, () =>
    {
        int index = Index();
        DropCapabilities();
        using RawMulticastTransport sender = new("eth0", Group(isV6));
        using RawReceiver receiver = new("eth0", isV6, Group(isV6));
        Assert.False(sender.TryBind(index, Host(1, isV6), out string? sending));
        Assert.False(receiver.TryBind(index, out string? receiving));
        Assert.All([sending, receiving], static e => Assert.Contains("Operation not permitted", e));
        Assert.Equal((VrrpSendResult.Refused, -1), (sender.Send(Message(7)), receiver.Descriptor));
        Assert.False(RealTime.TrySetFifo(50, out string? scheduling));
        Assert.Contains("CAP_SYS_NICE", scheduling);
    });

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V18")]
    public void A_firewall_that_drops_is_no_fault_of_the_link(bool isV6)
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/nft"), "Needs nft.");
        RawTransport sender = Multicast(_network.A, isV6);
        foreach (string command in new[] { "add table inet t", "add chain inet t out { type filter hook output priority 0; policy drop; }" })
        {
            Run("ip", ["netns", "exec", _network.A, "nft", .. command.Split(' ')]);
        }

        Assert.Equal((VrrpSendResult.Refused, Errno.NotPermitted), (sender.Send(Message(7)), sender.LastError));
    }

    [Theory]
    [InlineData(Errno.NotPermitted, VrrpSendResult.Refused)]
    [InlineData(Errno.Access, VrrpSendResult.Refused)]
    [InlineData(Errno.NetworkDown, VrrpSendResult.LinkDown)]
    [InlineData(Errno.NoDevice, VrrpSendResult.LinkDown)]
    [InlineData(Errno.AddressNotAvailable, VrrpSendResult.LinkDown)]
    [InlineData(Errno.NoBuffers, VrrpSendResult.Busy)]
    [InlineData(Errno.Again, VrrpSendResult.Busy)]
    [Trait("Row", "V5")]
    public void Each_error_has_its_meaning(int error, VrrpSendResult expected) => Assert.Equal(expected, Errno.ToSendResult(error));

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Row", "V31")]
    public void An_advert_sent_and_received_allocates_nothing(bool isV6)
    {
        RawReceiver receiver = Receiver(_network.B, isV6, Group(isV6));
        RawTransport sender = Multicast(_network.A, isV6);
        byte[] message = Message(7);
        byte[] buffer = new byte[DatagramReader.Capacity];
        int received = Exchange(50);
        long before = GC.GetAllocatedBytesForCurrentThread();
        received += Exchange(200);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(250, received);

        // Over a veth pair a packet is there when sendto has come back, or a moment later.
        int Exchange(int count)
        {
            int got = 0;
            for (int i = 0; i < count; i++)
            {
                sender.Send(message);
                TimeSpan patience = Clocks.Monotonic() + TimeSpan.FromSeconds(5);
                while (!receiver.TryReceive(buffer, out _, out _) && Clocks.Monotonic() < patience) Thread.SpinWait(50);
                got++;
            }

            while (receiver.TryReceive(buffer, out _, out _)) got++;
            return got;
        }
    }

    private static PeerAddress Group(bool isV6) => isV6 ? Group6 : Group4;

    private static PeerAddress Host(int number, bool isV6) => Address(Text(number, isV6));

    private static string Text(int number, bool isV6) => (isV6 ? "fe80::" : "10.0.0.") + number;

    private static void Bind(string space, RawTransport transport, bool isV6) => In(space, () =>
    {
        Assert.True(transport.TryBind(Index(), Host(1, isV6), out string? error), error);
        Assert.Equal(Host(1, isV6), transport.Source);
    });

    private RawTransport Multicast(string space, bool isV6)
    {
        int host = space == _network.A ? 1 : 2;
        return In(space, () =>
        {
            RawMulticastTransport transport = new("eth0", Group(isV6));
            _opened.Add(transport);
            Assert.True(transport.TryBind(Index(), Host(host, isV6), out string? error), error);
            return transport;
        });
    }

    private RawTransport Bound(string space, Func<RawTransport> make, bool isV6)
    {
        RawTransport transport = make();
        _opened.Add(transport);
        Bind(space, transport, isV6);
        return transport;
    }

    private RawReceiver Receiver(string space, bool isV6, PeerAddress group) => In(space, () =>
    {
        RawReceiver receiver = new("eth0", isV6, group);
        _opened.Add(receiver);
        Assert.True(receiver.TryBind(Index(), out string? error), error);
        return receiver;
    });
}
