using System.Text.Json;

namespace Lb.Vrrp.Tests;

[Trait("Row", "V10")]
public sealed class NeighborAnnouncerTests
{
    [Theory]
    [InlineData("10.9.0.5/24")]
    [InlineData("2001:db8::5/64")]
    public void Neighbours_learn_where_the_address_is_now(string text)
    {
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        string alone = text[..text.IndexOf('/', StringComparison.Ordinal)];
        far.Ip("address", "add", "10.9.0.2/24", "dev", "e1");
        far.Ip("address", "add", "2001:db8::2/64", "dev", "e1", "nodad");
        far.Ip("neigh", "replace", alone, "lladdr", "02:00:00:00:00:99", "dev", "e1", "nud", "stale");
        near.Run(() =>
        {
            using NeighborAnnouncer announcer = new([Address(text)]);
            Assert.Equal(1, announcer.Count);
            Assert.True(announcer.Announce(0));
        });
        Assert.True(SpinWait.SpinUntil(() => Neighbour(far, alone) == "02:00:00:00:00:01", TimeSpan.FromSeconds(10)), Neighbour(far, alone));
    }

    [Fact]
    [Trait("Row", "X1")]
    public void Announcing_allocates_nothing()
    {
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        near.Run(() =>
        {
            using NeighborAnnouncer announcer = new([Address("10.9.0.5/24"), Address("2001:db8::5/64")]);
            for (int i = 0; i < 100; i++) Assert.True(announcer.Announce(i % 2));
            bool sent = true;
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++) sent &= announcer.Announce(i % 2);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.True(sent);
        });
    }

    [Theory]
    [Trait("Point", "45")]
    [InlineData("0", 0x20)]
    [InlineData("1", 0xA0)]
    public void The_router_flag_is_what_the_host_is(string forwarding, int flags)
    {
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        near.Run(() =>
        {
            File.WriteAllText("/proc/sys/net/ipv6/conf/e0/forwarding", forwarding);
            using NeighborAnnouncer announcer = new([Address("2001:db8::5/64")]);
            Assert.Equal(flags, announcer.Frame(0)[58]);
        });
    }

    [Fact]
    [Trait("Row", "V28")]
    public void A_link_that_is_down_or_gone_takes_nothing()
    {
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        near.Run(() =>
        {
            using NeighborAnnouncer announcer = new([Address("10.9.0.5/24")]);
            Assert.True(announcer.Announce(0));
            near.Ip("link", "set", "e0", "down");
            Assert.False(announcer.Announce(0));
            near.Ip("link", "del", "e0");
            Assert.False(announcer.Announce(0));
        });
    }

    [Fact]
    [Trait("Row", "V28")]
    public void An_interface_of_one_address_comes_back_and_the_others_never_notice()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Ip("link", "add", "e2", "type", "veth", "peer", "name", "e3");
        space.Ip("link", "set", "e3", "addrgenmode", "none", "up");
        space.Ip("link", "set", "e2", "addrgenmode", "none", "up");
        space.Run(() =>
        {
            using FollowingAnnouncer announcer = new([Address("10.9.0.5/24"), Address("10.8.0.5/24", "e2"), Address("10.9.0.6/24")]);
            Assert.Equal(["e0", "e2"], announcer.Devices);
            Assert.Equal((3, "---"), (announcer.Count, Announced(announcer)));
            announcer.Follow();
            Assert.Equal("+++", Announced(announcer));
            space.Ip("link", "del", "e2");
            Assert.Equal("interface e2: No such device (errno 19)", Assert.Throws<NetlinkException>(announcer.Follow).Message);
            Assert.Equal("+-+", Announced(announcer));
            space.Ip("link", "add", "e2", "address", "02:00:00:00:00:77", "type", "veth", "peer", "name", "e3");
            space.Ip("link", "set", "e3", "addrgenmode", "none", "up");
            space.Ip("link", "set", "e2", "addrgenmode", "none", "up");
            announcer.Follow();
            Assert.Equal("+++", Announced(announcer));
            using Netlink netlink = new();
            using PacketSocket other = new(netlink.RequireLink("e3").Index, PacketSocket.Arp);
            byte[] frame = new byte[100];
            announcer.Announce(1);
            Assert.True(SpinWait.SpinUntil(() => other.TryReceive(frame, out _), TimeSpan.FromSeconds(10)));
            Assert.Equal("020000000077", Convert.ToHexStringLower(frame.AsSpan(6, 6)));
        });

        static string Announced(FollowingAnnouncer announcer) => string.Concat(Enumerable.Range(0, announcer.Count).Select(i => announcer.Announce(i) ? '+' : '-'));
    }

    [Fact]
    [Trait("Point", "48")]
    public void Nothing_is_announced_for_an_interface_that_is_not_there()
    {
        using TestNamespace space = TestNamespace.Make();
        space.Run(() =>
        {
            NetlinkException error = Assert.Throws<NetlinkException>(() => new NeighborAnnouncer([Address("10.9.0.5/24")]));
            Assert.Equal("interface e0: No such device (errno 19)", error.Message);
        });
    }

    [Fact]
    [Trait("Row", "X16")]
    public void Without_the_capability_the_message_names_it()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        Exception? refused = null;
        space.Run(() => TestNamespace.WithoutRights(() => refused = Record.Exception(() => new NeighborAnnouncer([Address("10.9.0.5/24")]))));
        Assert.Equal("opening a packet socket: Operation not permitted (errno 1). The process needs the capability CAP_NET_RAW.", refused?.Message);
    }

    private static VirtualAddress Address(string text, string device = "e0") => VirtualAddress.Parse(new VirtualAddressOptions { Address = text }, device);

    private static string? Neighbour(TestNamespace space, string address)
    {
        using JsonDocument json = JsonDocument.Parse(space.Ip("-j", "neigh", "show", address, "dev", "e1"));
        JsonElement entry = json.RootElement.EnumerateArray().FirstOrDefault();
        return entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("lladdr", out JsonElement mac) ? mac.GetString() : null;
    }
}
