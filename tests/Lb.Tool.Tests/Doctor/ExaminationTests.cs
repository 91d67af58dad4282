namespace Lb.Tool.Tests.Doctor;

/// <summary>What is read -> what is found; a machine in a few lines.</summary>
public sealed class ExaminationTests
{
    private const ulong NetRaw = 1 << 13, NetAdmin = 1 << 12, BindService = 1 << 10, SysNice = 1 << 23;

    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        ["net/ipv4/ip_unprivileged_port_start"] = "1024\n",
        ["net/ipv4/ip_nonlocal_bind"] = "0\n",
        ["net/ipv4/ping_group_range"] = "1\t0\n",
        ["net/ipv4/igmp_max_memberships"] = "20\n",
        ["net/ipv4/conf/eth0/promote_secondaries"] = "1\n",
        ["net/core/rmem_default"] = "212992\n",
    };

    [Fact]
    [Trait("Row", "N6")]
    public void A_good_machine_has_nothing_to_mend() => Assert.All(All(Pair(), Good()), static f => Assert.Equal(FindingLevel.Ok, f.Level));

    [Theory]
    [Trait("Row", "N6")]
    [InlineData(0, "CAP_NET_RAW and CAP_NET_ADMIN missing")]
    [InlineData(NetRaw, "CAP_NET_ADMIN missing")]
    [InlineData(NetAdmin, "CAP_NET_RAW missing")]
    public void Virtual_routers_need_two_capabilities(ulong capabilities, string told) =>
        AssertFail($"capabilities: {told}, virtual routers need CAP_NET_RAW and CAP_NET_ADMIN", "in the systemd unit: AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN; or run it as root",
            All(Pair(), Good() with { Capabilities = capabilities }));

    [Fact]
    [Trait("Row", "N6")]
    public void An_election_over_udp_needs_none()
    {
        LbOptions options = Pair();
        RouterOptions router = options.Routers["edge"];
        router.AssignAddresses = false;
        router.Unicast = new RouterUnicastOptions { Source = "192.0.2.1", Peers = { "192.0.2.2" }, UdpPort = 18112 };
        Assert.All(All(options, Good() with { Capabilities = 0 }), static f => Assert.Equal(FindingLevel.Ok, f.Level));
        router.Accept = false;
        AssertFail("capabilities: CAP_NET_ADMIN missing, virtual routers need CAP_NET_ADMIN", "in the systemd unit: AmbientCapabilities=CAP_NET_ADMIN; or run it as root", All(options, Good() with { Capabilities = 0 }));
    }

    [Theory]
    [Trait("Row", "V31")]
    [InlineData(SysNice, 0, FindingLevel.Ok)]
    [InlineData(0, 50, FindingLevel.Ok)]
    [InlineData(0, 49, FindingLevel.Warn)]
    public void A_real_time_priority_needs_a_capability_or_a_limit(ulong capabilities, long limit, object level)
    {
        LbOptions options = Pair();
        options.Vrrp.RealTimePriority = 50;
        MachineFacts facts = Good() with { Capabilities = capabilities | NetRaw | NetAdmin, RealTimePriority = limit };
        Assert.Equal(level, Assert.Single(All(options, facts), static f => f.Text.StartsWith("real-time priority 50", StringComparison.Ordinal)).Level);
    }

    [Theory]
    [InlineData("0.0.0.0:80", 0, "1024", "Fail")]
    [InlineData("0.0.0.0:80", BindService, "1024", "Ok")]
    [InlineData("0.0.0.0:80", 0, "80", "none")]
    [InlineData("[::]:443 v6only", 0, "1024", "Fail")]
    [InlineData("*:80-90", 0, "1024", "Fail")]
    [InlineData("*:8080", 0, "1024", "none")]
    [InlineData("unix:/run/lb:80", 0, "1024", "none")]
    public void Low_ports_need_a_capability(string listen, ulong capabilities, string first, string expected)
    {
        LbOptions options = new();
        options.Gateways["front"] = new GatewayOptions { Listen = { listen } };
        Finding? found = All(options, Good() with { Capabilities = capabilities, Setting = With("net/ipv4/ip_unprivileged_port_start", first) }).SingleOrDefault(static f => f.Text.StartsWith("gateway front", StringComparison.Ordinal));
        Assert.Equal(expected, found?.Level.ToString() ?? "none");
    }

    [Theory]
    [InlineData("192.0.2.100:8080", "0", "Fail")]
    [InlineData("192.0.2.100:8080", "1", "Ok")]
    [InlineData("0.0.0.0:8080", "0", "none")]
    [InlineData("192.0.2.1:8080", "0", "none")]
    public void A_gateway_on_a_virtual_address_needs_a_setting(string listen, string setting, string expected)
    {
        LbOptions options = Pair();
        options.Gateways["front"] = new GatewayOptions { Listen = { listen } };
        Finding? found = All(options, Good() with { Setting = With("net/ipv4/ip_nonlocal_bind", setting) }).SingleOrDefault(static f => f.Text.StartsWith("gateway front", StringComparison.Ordinal));
        Assert.Equal(expected, found?.Level.ToString() ?? "none");
        if (expected == "Fail") Assert.Equal("sysctl -w net.ipv4.ip_nonlocal_bind=1; or set Freebind: true; or listen on 0.0.0.0:8080", found!.Cure);
    }

    [Theory]
    [Trait("Row", "T13")]
    [InlineData("128", "1", "accept queues: Backlog is 4096, and the kernel cuts it to 128", "Tcp:FastOpen of gateways: the kernel does not take it (net.ipv4.tcp_fastopen is 1)")]
    [InlineData("4096", "3")]
    [InlineData("65535", "2", "Tcp:FastOpen towards servers: the kernel does not do it (net.ipv4.tcp_fastopen is 2)")]
    public void What_the_kernel_cuts_or_leaves_undone_is_told(string backlog, string fastOpen, params string[] expected)
    {
        LbOptions options = new();
        options.Gateways["front"] = new GatewayOptions { Listen = { "0.0.0.0:8080" }, Tcp = { FastOpen = 100 } };
        options.Pools["web"] = new PoolOptions { Tcp = new ConnectTcpOptions { FastOpen = true } };
        Func<string, string?> setting = path => path switch { "net/core/somaxconn" => backlog, "net/ipv4/tcp_fastopen" => fastOpen, _ => Settings.GetValueOrDefault(path) };
        Assert.Equal(expected, All(options, Good() with { Setting = setting }).Where(static f => f.Level == FindingLevel.Warn && f.Cure!.StartsWith("sysctl", StringComparison.Ordinal)).Select(static f => f.Text));
    }

    [Fact]
    [Trait("Row", "T7")]
    public void Freebind_needs_no_setting_for_a_virtual_address()
    {
        LbOptions options = Pair();
        options.Gateways["front"] = new GatewayOptions { Listen = { "192.0.2.100:8080" }, Freebind = true };
        Assert.Equal(FindingLevel.Ok, Assert.Single(All(options, Good()), static f => f.Text.StartsWith("gateway front", StringComparison.Ordinal)).Level);
    }

    [Theory]
    [InlineData("1\t0", 0, FindingLevel.Fail)]
    [InlineData("1\t0", NetRaw, FindingLevel.Ok)]
    [InlineData("0\t2147483647", 0, FindingLevel.Ok)]
    [InlineData("100\t200", 0, FindingLevel.Fail)]
    [InlineData("1000\t1000", 0, FindingLevel.Ok)]
    public void Pings_need_a_group_or_a_capability(string range, ulong capabilities, object level)
    {
        LbOptions options = new();
        options.Pools["web"] = new PoolOptions { Checks = { new CheckOptions { Type = "icmp" } } };
        MachineFacts facts = Good() with { Capabilities = capabilities, Groups = [1000, 27], Setting = With("net/ipv4/ping_group_range", range) };
        Assert.Equal(level, Assert.Single(All(options, facts), static f => f.Text.StartsWith("icmp", StringComparison.Ordinal)).Level);
    }

    [Theory]
    [InlineData(0, 4096, FindingLevel.Ok)]
    [InlineData(0, 1024, FindingLevel.Warn)]
    [InlineData(10_000, 20_000, FindingLevel.Ok)]
    [InlineData(10_000, 19_999, FindingLevel.Warn)]
    public void A_connection_takes_two_descriptors(int connections, long files, object level)
    {
        LbOptions options = new();
        options.Gateways["front"] = new GatewayOptions { Listen = { "*:8080" }, MaxConnections = connections };
        Assert.Equal(level, Assert.Single(All(options, Good() with { OpenFiles = files }), static f => f.Text.StartsWith("open files", StringComparison.Ordinal)).Level);
    }

    [Theory]
    [Trait("Row", "V8")]
    [InlineData("hmac", "time", true, FindingLevel.Ok)]
    [InlineData("hmac", "time", false, FindingLevel.Fail)]
    [InlineData("hmac", "time", null, FindingLevel.Warn)]
    [InlineData("hmac", "monotonic", false, FindingLevel.Warn)]
    [InlineData("none", "time", false, FindingLevel.Warn)]
    public void The_time_in_adverts_needs_a_clock_in_step(string type, string replay, bool? isSynchronized, object level)
    {
        LbOptions options = Pair();
        (options.Routers["edge"].Authentication.Type, options.Routers["edge"].Authentication.Replay) = (type, replay);
        Assert.Equal(level, Assert.Single(All(options, Good() with { ClockIsSynchronized = isSynchronized }), static f => f.Text.StartsWith("clock", StringComparison.Ordinal)).Level);
    }

    [Fact]
    [Trait("Row", "V31")]
    public void Queueing_ahead_needs_io_uring_and_does_without_it()
    {
        LbOptions options = Pair();
        MachineFacts barred = Good() with { RingError = "Operation not permitted" };
        Assert.DoesNotContain(All(options, barred), static f => f.Text.StartsWith("io_uring", StringComparison.Ordinal));
        options.Vrrp.QueueAhead = TimeSpan.FromMilliseconds(300);
        Assert.Equal(FindingLevel.Warn, Assert.Single(All(options, barred), static f => f.Text.StartsWith("io_uring", StringComparison.Ordinal)).Level);
    }

    [Fact]
    [Trait("Row", "V5")]
    public void Interfaces_must_be_there_up_and_have_an_address()
    {
        LbOptions options = Pair();
        options.Routers["edge"].Interface = "eth9";
        AssertFail("router edge: there is no interface eth9; there are: eth0", "ip link show", All(options, Good()));
        AssertFail("router edge: the link of eth0 is down", "ip link set dev eth0 up", All(Pair(), WithDevice(new DeviceFacts(false, [Prefix("192.0.2.1/24")]))));
        AssertFail("router edge: eth0 has no IPv4 address of its own to send adverts from", "ip address add ADDRESS/PREFIX dev eth0", All(Pair(), WithDevice(new DeviceFacts(true, [Prefix("fe80::1/64"), Prefix("192.0.2.100/24")]))));
        options = Pair();
        options.Routers["edge"].Unicast = new RouterUnicastOptions { Source = "192.0.2.7", Peers = { "192.0.2.2" } };
        AssertFail("router edge: Unicast:Source 192.0.2.7 is no address of this machine", "ip address add 192.0.2.7 dev eth0", All(options, Good()));
        options = Pair("fe80::100/64");
        AssertFail("router edge: eth0 has no link-local address to send adverts from", "sysctl -w net.ipv6.conf.eth0.disable_ipv6=0; ip link set dev eth0 addrgenmode eui64", All(options, Good()));
        Assert.All(All(options, WithDevice(new DeviceFacts(true, [Prefix("fe80::1/64")]))), static f => Assert.Equal(FindingLevel.Ok, f.Level));
    }

    [Fact]
    [Trait("Row", "V10")]
    public void Two_interfaces_in_one_network_both_answer()
    {
        MachineFacts facts = Good() with { Devices = new Dictionary<string, DeviceFacts>(StringComparer.Ordinal) { ["eth0"] = new(true, [Prefix("192.0.2.1/24")]), ["eth1"] = new(true, [Prefix("192.0.2.9/24")]) } };
        Assert.Contains(All(Pair(), facts), static f => f.Cure == "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2");
        Dictionary<string, string> quiet = new(Settings, StringComparer.Ordinal) { ["net/ipv4/conf/all/arp_ignore"] = "1", ["net/ipv4/conf/all/arp_announce"] = "2" };
        Assert.All(All(Pair(), facts with { Setting = quiet.GetValueOrDefault }), static f => Assert.Equal(FindingLevel.Ok, f.Level));
        MachineFacts running = Good() with { Devices = new Dictionary<string, DeviceFacts>(StringComparer.Ordinal) { ["eth0"] = new(true, [Prefix("192.0.2.1/24")]), ["vrrp.51"] = new(true, [Prefix("192.0.2.100/24")]) } };
        Assert.All(All(Pair(), running), static f => Assert.Equal(FindingLevel.Ok, f.Level));
        quiet["net/ipv4/conf/eth1/rp_filter"] = "1";
        Assert.Contains(All(Pair(), facts with { Setting = quiet.GetValueOrDefault }), static f => f.Cure == "sysctl -w net.ipv4.conf.eth0.rp_filter=2 net.ipv4.conf.eth1.rp_filter=2");
    }

    [Fact]
    public void Kernel_settings_are_told_with_the_line_that_sets_them()
    {
        LbOptions options = Pair();
        Assert.Contains(All(options, Good() with { Setting = With("net/ipv4/conf/eth0/promote_secondaries", "0") }), static f => f.Cure == "sysctl -w net.ipv4.conf.eth0.promote_secondaries=1");
        Assert.Contains(All(options, Good() with { Setting = With("net/ipv4/igmp_max_memberships", "0") }), static f => f.Level == FindingLevel.Fail);

        // 100 adverts a second of 768 bytes each.
        options.Routers["edge"].AdvertisementInterval = TimeSpan.FromMilliseconds(10);
        Assert.DoesNotContain(All(options, Good() with { Setting = With("net/core/rmem_default", "76800") }), static f => f.Level != FindingLevel.Ok);
        Assert.Contains(All(options, Good() with { Setting = With("net/core/rmem_default", "76799") }), static f => f.Cure == "sysctl -w net.core.rmem_default=153600");
        options.Routers["edge"].VirtualMac.Enabled = true;
        Assert.Contains(All(options, Good() with { CanWriteSettings = false }), static f => f.Level == FindingLevel.Fail && f.Text.StartsWith("VirtualMac", StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Row", "B7")]
    public void The_firewall_is_told_or_that_it_was_not_looked_at()
    {
        const string closed = "table inet f {\n\tchain i {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n}";
        AssertFail("firewall: nft list ruleset: drops what no rule accepts, and none accepts protocol 112 (router edge)",
            "nft insert rule inet filter input iifname eth0 meta l4proto 112 accept   (table and chain as yours are called)", All(Pair(), WithFirewall(new FirewallFacts("nft list ruleset", closed))));
        AssertFail("firewall: iptables -S: a rule drops protocol 112 (router edge)", "iptables -I INPUT -i eth0 -p 112 -j ACCEPT", All(Pair(), WithFirewall(new FirewallFacts("iptables -S", "-A INPUT -p 112 -j DROP"))));
        Assert.All(All(Pair(), WithFirewall(new FirewallFacts("ip6tables -S", "-P INPUT DROP"))), static f => Assert.Equal(FindingLevel.Ok, f.Level));
        Assert.Contains(All(Pair(), WithFirewall(new FirewallFacts("nft list ruleset", null, "Operation not permitted"))), static f => f is { Level: FindingLevel.Warn, Cure: "run lb doctor as root" });
        Assert.Contains(All(Pair(), Good() with { Firewalls = [] }), static f => f is { Level: FindingLevel.Warn, Text: "firewall: not looked at, neither nft nor iptables is installed" });
    }

    private static List<Finding> All(LbOptions options, MachineFacts facts) => [.. HostExamination.Examine(options, facts), .. RouterExamination.Examine(options, facts)];

    private static void AssertFail(string text, string cure, List<Finding> findings) => Assert.Contains(Finding.Fail(text, cure), findings);

    private static LbOptions Pair(string address = "192.0.2.100/24")
    {
        LbOptions options = new();
        options.Routers["edge"] = new RouterOptions { Interface = "eth0", RouterId = 51, Addresses = { new VirtualAddressOptions { Address = address } } };
        return options;
    }

    private static MachineFacts Good() => new()
    {
        Capabilities = NetRaw | NetAdmin,
        OpenFiles = 1 << 20,
        Devices = new Dictionary<string, DeviceFacts>(StringComparer.Ordinal) { ["eth0"] = new(true, [Prefix("192.0.2.1/24")]) },
        Setting = Settings.GetValueOrDefault,
        Firewalls = [new FirewallFacts("nft list ruleset", "")],
        ClockIsSynchronized = true,
    };

    private static MachineFacts WithDevice(DeviceFacts device) => Good() with { Devices = new Dictionary<string, DeviceFacts>(StringComparer.Ordinal) { ["eth0"] = device } };

    private static MachineFacts WithFirewall(FirewallFacts firewall) => Good() with { Firewalls = [firewall] };

    private static Func<string, string?> With(string setting, string value) => path => path == setting ? value : Settings.GetValueOrDefault(path);

    private static AddressPrefix Prefix(string text)
    {
        Assert.True(AddressPrefix.TryParse(text, out AddressPrefix prefix, out _));
        return prefix;
    }
}
