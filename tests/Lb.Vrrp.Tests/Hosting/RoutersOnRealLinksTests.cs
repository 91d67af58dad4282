using static Lb.Vrrp.Tests.Heard;
using static Lb.Vrrp.Tests.Hosting.NamespaceNode;
using static Lb.Vrrp.Tests.TestNetwork;

namespace Lb.Vrrp.Tests.Hosting;

/// <summary>Routers as hosts run them, on interfaces of the kernel in namespaces of their own.</summary>
public sealed class RoutersOnRealLinksTests : IDisposable
{
    private const ushort IPv4 = 0x0800;
    private const int Protocol = 23;
    private readonly TestNetwork _network = new();

    public void Dispose() => _network.Dispose();

    [Theory]
    [Trait("Row", "V9")]
    [InlineData("10.0.0.100", 24)]
    [InlineData("fe80::100", 64)]
    public async Task Excluded_addresses_of_both_families_are_taken_and_not_told(string address, int bits)
    {
        RouterOptions router = Router(255, $"{address}/{bits}");
        router.ExcludedAddresses.Add(new VirtualAddressOptions { Address = "10.0.0.101/24" });
        router.ExcludedAddresses.Add(new VirtualAddressOptions { Address = "2001:db8::100/64" });
        PeerAddress told = Address(address);
        using RawReceiver receiver = Listen("eth0", told.IsV6);
        await using (NamespaceNode node = new(_network.A, router))
        {
            node.Becomes(RouterState.Active);
            string[] expected = [$"{address}/{bits}", "10.0.0.101/24", "2001:db8::100/64"];
            Assert.All(expected, one => Assert.Contains($" {one} ", Shown(), StringComparison.Ordinal));
            byte[] advert = Next(receiver)!.Bytes;
            Assert.Equal((1, 8 + told.Length, told), (advert[3], advert.Length, PeerAddress.FromBytes(advert.AsSpan(8), 0)));
        }

        Assert.DoesNotContain("100/", Shown(), StringComparison.Ordinal);
        Assert.DoesNotContain("101/", Shown(), StringComparison.Ordinal);

        string Shown() => Run("ip", "-n", _network.A, "address", "show", "dev", "eth0");
    }

    [Fact]
    [Trait("Row", "V9")]
    [Trait("Point", "57")]
    public async Task A_reload_with_other_addresses_keeps_the_mastership_and_the_addresses_that_stay()
    {
        using RawReceiver receiver = Listen("eth0", isV6: false);
        await using NamespaceNode node = new(_network.A, Router(255));
        node.Becomes(RouterState.Active);
        Assert.Equal(1, Next(receiver)!.Bytes[3]);

        RouterOptions more = Router(255);
        more.Addresses.Add(new VirtualAddressOptions { Address = "10.0.0.102/24" });
        more.ExcludedAddresses.Add(new VirtualAddressOptions { Address = "10.0.0.103/24" });
        Reload(more);
        Assert.Equal(["10.0.0.100", "10.0.0.102", "10.0.0.103"], Held());
        byte[] advert;
        do advert = Next(receiver)!.Bytes; while (advert[3] == 1);
        Assert.Equal(2, advert[3]);

        RouterOptions other = Router(255, "10.0.0.102/24");
        Reload(other);
        Assert.Equal(["10.0.0.102"], Held());
        Assert.Equal((RouterState.Active, 1L, "10.0.0.102/24"), (node.Snapshot.State, node.Snapshot.Statistics.BecameActive, Assert.Single(node.Snapshot.Addresses)));

        void Reload(RouterOptions router)
        {
            LbOptions options = new();
            options.Routers["edge"] = router;
            node.Apply(options);
        }

        string[] Held() => [.. Run("ip", "-n", _network.A, "-o", "-4", "address", "show", "dev", "eth0").Split([' ', '/', '\n']).Where(static w => w.StartsWith("10.0.0.10", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    [Theory]
    [Trait("Row", "V11")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Adverts_leave_with_the_virtual_mac_or_by_the_interface_below_with_its_own(bool transmitBase)
    {
        RouterOptions router = Router(255);
        router.VirtualMac = new RouterVirtualMacOptions { Enabled = true, TransmitBase = transmitBase };
        string own = In(_network.A, static () =>
        {
            using LinkMonitor monitor = new();
            return monitor.Get("eth0").Mac.ToString("x12", System.Globalization.CultureInfo.InvariantCulture);
        });
        using PacketSocket wire = In(_network.B, static () => new PacketSocket(Index(), IPv4));
        await using NamespaceNode node = new(_network.A, router);
        byte[] frame = new byte[200];
        Assert.True(SpinWait.SpinUntil(() => wire.TryReceive(frame, out _) && frame[Protocol] == 112, TimeSpan.FromSeconds(60)), "No advert came.");
        Assert.Equal(transmitBase ? own : "00005e000107", Convert.ToHexStringLower(frame.AsSpan(6, 6)));
    }

    [Fact]
    [Trait("Row", "V31")]
    public async Task The_second_heartbeat_alone_keeps_the_other_node_Backup()
    {
        Assert.SkipUnless(AcceptFilter.IsSupported, "The program nft (nftables) is not installed.");
        SecondCable();
        Run("ip", "netns", "exec", _network.B, "nft", "add table ip t; add chain ip t i { type filter hook input priority 0; }; add rule ip t i iifname eth0 ip protocol 112 drop");
        RouterOptions better = Router(200), worse = Router(100);
        better.HeartbeatInterface = worse.HeartbeatInterface = "eth1";
        better.AdvertisementInterval = worse.AdvertisementInterval = TimeSpan.FromSeconds(1);
        using RawReceiver receiver = Listen("eth1", isV6: false, link: 1);
        await using NamespaceNode a = new(_network.A, better);
        a.Becomes(RouterState.Active);
        Heard heard = Next(receiver)!;
        Assert.Equal((1, Address("10.1.0.1")), (heard.Datagram.Link, heard.Datagram.Source));
        await using NamespaceNode b = new(_network.B, worse);

        // Longer than it takes without any advert to become Active.
        b.Until(static s => s.Statistics.AdvertisementsReceived >= 5);
        Assert.Equal((RouterState.Backup, 0L), (b.Snapshot.State, b.Snapshot.Statistics.BecameActive));
    }

    [Fact]
    [Trait("Row", "V6")]
    public async Task A_tracked_interface_that_fails_hands_the_addresses_over()
    {
        SecondCable();
        RouterOptions tracking = Router(200);
        tracking.Track.Add(new RouterTrackOptions { Interface = "eth1", Weight = -150 });
        await using NamespaceNode a = new(_network.A, tracking), b = new(_network.B, Router(100));
        a.Becomes(RouterState.Active);
        b.Becomes(RouterState.Backup);
        Assert.Equal(200, a.Snapshot.EffectivePriority);
        Ip("-n", _network.B, "link", "set", "eth1", "down");
        b.Becomes(RouterState.Active);
        a.Becomes(RouterState.Backup);
        Assert.Equal(50, a.Snapshot.EffectivePriority);
        Ip("-n", _network.B, "link", "set", "eth1", "up");
        a.Becomes(RouterState.Active);
        Assert.Equal(200, a.Snapshot.EffectivePriority);
    }

    [Fact]
    [Trait("Row", "V31")]
    [Trait("Row", "X16")]
    public async Task Adverts_queued_ahead_leave_while_the_routers_thread_is_held_up()
    {
        using (QueuedAdverts? queue = QueuedAdverts.TryCreate(out string? reason)) Assert.SkipWhen(queue is null, reason ?? "");
        using RawReceiver receiver = Listen("eth0", isV6: false);
        using SlowOwner owner = new();
        await using NamespaceNode node = new(_network.A, Router(255), static o => o.QueueAhead = TimeSpan.FromSeconds(10), owner);
        try
        {
            Assert.True(owner.IsHeldUp.Wait(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
            byte[] buffer = new byte[DatagramReader.Capacity];
            while (receiver.TryReceive(buffer, out _, out _))
            {
                // Those of before.
            }

            for (int i = 0; i < 10; i++) Assert.Equal(255, Next(receiver)!.Bytes[2]);
        }
        finally
        {
            owner.GoOn.Set();
        }
    }

    [Fact]
    [Trait("Row", "V31")]
    public async Task The_routers_thread_has_the_real_time_priority_that_was_asked_for()
    {
        const int Priority = 37; // Of no other test.
        bool may = false;
        Thread thread = new(() => may = RealTime.TrySetFifo(1, out _));
        thread.Start();
        thread.Join();
        Assert.SkipUnless(may, "Needs CAP_SYS_NICE, and a container that allows SCHED_FIFO.");
        await using NamespaceNode node = new(_network.A, Router(100), static o => o.RealTimePriority = Priority);

        // proc(5): of what follows the name, rt_priority and policy are the 38th and 39th; 1 is SCHED_FIFO.
        string[] threads = [.. Directory.GetDirectories("/proc/self/task").Where(static t => Read(t, "comm") == "lb-vrrp\n").Select(static t => Read(t, "stat"))];
        Assert.Contains(threads.Select(static t => t[(t.LastIndexOf(')') + 2)..].Split(' ')), static f => f is { Length: > 38 } && (f[37], f[38]) == ("37", "1"));

        static string Read(string thread, string file)
        {
            try
            {
                return File.ReadAllText(Path.Combine(thread, file));
            }
            catch (IOException)
            {
                return ""; // It has ended meanwhile.
            }
        }
    }

    private void SecondCable()
    {
        Ip("-n", _network.A, "link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns", _network.B);
        foreach ((string space, int host) in new[] { (_network.A, 1), (_network.B, 2) })
        {
            Ip("-n", space, "link", "set", "eth1", "addrgenmode", "none", "up");
            Ip("-n", space, "addr", "add", $"10.1.0.{host}/24", "dev", "eth1");
        }
    }

    private RawReceiver Listen(string device, bool isV6, int link = 0)
    {
        RawReceiver receiver = new(device, isV6, isV6 ? Group6 : Group4) { Link = link };
        In(_network.B, () =>
        {
            using LinkMonitor monitor = new();
            Assert.True(receiver.TryBind(monitor.Get(device).Index, out string? error), error);
        });
        return receiver;
    }

    /// <summary>Holds the thread up when it looks after the addresses for the first time.</summary>
    private sealed class SlowOwner : IAddressOwner
    {
        public ManualResetEventSlim IsHeldUp { get; } = new();

        public ManualResetEventSlim GoOn { get; } = new();

        public TimeSpan RenewEvery => TimeSpan.FromSeconds(0.5);

        public ValueTask AcquireAsync(CancellationToken ct) => default;

        public ValueTask ReleaseAsync(CancellationToken ct) => default;

        public bool Renew()
        {
            IsHeldUp.Set();
            GoOn.Wait();
            return false;
        }

        public void Dispose()
        {
            // Its owner and the test may both come here; the events need no disposal.
        }
    }
}
