namespace Lb.Core.Tests.Configuration;

/// <summary>The section <c>Routers</c>: read whole, and every fault named with path and value.</summary>
public sealed class RouterOptionsTests
{
    private const string Pools = "\"Pools\": { \"web\": { \"Servers\": [ { \"Address\": \"192.0.2.1:80\" } ] } }";

    [Fact]
    [Trait("Row", "V18")]
    public void Every_key_is_read()
    {
        RouterOptions router = TestConfiguration.Valid($$"""
            { {{Pools}},
              "Vrrp": { "RealTimePriority": 50, "QueueAhead": "300ms", "MulticastGroup4": "224.0.0.19" },
              "Routers": { "VI_1": {
                "Interface": "eth0", "RouterId": 51, "Version": 2, "Priority": 150, "AdvertisementInterval": "2s", "DownTimerAdverts": 5,
                "Addresses": [ "192.168.88.86/24", { "Address": "192.168.88.87", "Interface": "eth1", "Label": "eth1:vip", "Scope": "link", "OffLink": true } ],
                "ExcludedAddresses": [ "2001:db8::86/64" ], "AddressLifetime": "0s", "DuplicateDetection": false, "AssignAddresses": false,
                "Preempt": true, "PreemptDelay": "30s", "StartupDelay": "10s", "Accept": false, "Handover": false, "Start": "active",
                "CheckAddresses": false, "CheckSubnet": true, "SyncGroup": "G", "AlsoVersion2": false, "Checksum": "message",
                "Unicast": { "Source": "192.168.88.2", "Peers": [ "192.168.88.3" ], "MinimumTtl": 250, "MaximumTtl": 254 },
                "Authentication": { "Type": "pass", "Password": "secret12" },
                "VirtualMac": { "Enabled": true, "Name": "vip0", "TransmitBase": true },
                "Announce": { "Repeat": 3, "Delay": "1s", "Refresh": "0s", "LowerPriorityRepeat": 2, "Spacing": "10ms" },
                "Track": [ { "Pool": "web", "Weight": -50 }, { "Command": [ "/bin/true", "x" ], "Interval": "3s", "Rise": 2, "Fall": 3, "InitFail": true, "User": "nobody", "Timeout": "1s" },
                           { "Process": "haproxy", "Quorum": 2, "Delay": "1s", "Restart": [ "/bin/systemctl", "restart", "haproxy" ], "RestartAttempts": 5, "RestartBackOff": "2s" }, { "File": "/run/weight", "Weight": 1 }, { "Interface": "eth1", "Reverse": true } ],
                "Notify": { "Active": [ "/bin/echo", "a" ], "Any": "/bin/notify", "User": "nobody", "Timeout": "5s" } } } }
            """).Routers["vi_1"];
        Assert.Equal(("eth0", 51, 2, 150, TimeSpan.FromSeconds(2), 5), (router.Interface, router.RouterId, router.Version, router.Priority, router.AdvertisementInterval, router.DownTimerAdverts));
        Assert.Equal(["192.168.88.86/24", "192.168.88.87"], router.Addresses.Select(static a => a.Address));
        Assert.Equal(("eth1", "eth1:vip", "link", true), (router.Addresses[1].Interface, router.Addresses[1].Label, router.Addresses[1].Scope, router.Addresses[1].OffLink));
        Assert.Equal("2001:db8::86/64", Assert.Single(router.ExcludedAddresses).Address);
        Assert.Equal((TimeSpan.Zero, false, false, false, false), (router.AddressLifetime, router.DuplicateDetection, router.AssignAddresses, router.Accept, router.Handover));
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10), RouterStart.Active, RouterChecksum.Message), (router.PreemptDelay, router.StartupDelay, router.Start, router.Checksum));
        Assert.Equal((false, true, "G"), (router.CheckAddresses, router.CheckSubnet, router.SyncGroup));
        Assert.Equal(("192.168.88.2", "192.168.88.3", 250, 254), (router.Unicast!.Source, router.Unicast.Peers[0], router.Unicast.MinimumTtl, router.Unicast.MaximumTtl));
        Assert.Equal(("pass", "secret12", "vip0", true), (router.Authentication.Type, router.Authentication.Password, router.VirtualMac.Name, router.VirtualMac.TransmitBase));
        Assert.Equal((3, TimeSpan.FromSeconds(1), TimeSpan.Zero, 2), (router.Announce.Repeat, router.Announce.Delay, router.Announce.Refresh, router.Announce.LowerPriorityRepeat));
        Assert.Equal(5, router.Track.Count);
        Assert.Equal((-50, 2, 3, true, "nobody"), (router.Track[0].Weight, router.Track[1].Rise, router.Track[1].Fall, router.Track[1].InitFail, router.Track[1].User));
        Assert.Equal((2, TimeSpan.FromSeconds(1), 1, true), (router.Track[2].Quorum, router.Track[2].Delay, router.Track[3].Weight, router.Track[4].Reverse));
        Assert.Equal((3, 5, TimeSpan.FromSeconds(2)), (router.Track[2].Restart.Count, router.Track[2].RestartAttempts, router.Track[2].RestartBackOff));
        Assert.Equal(["/bin/echo", "a"], router.Notify.Active);
        Assert.Equal("/bin/notify", Assert.Single(router.Notify.Any));
    }

    [Theory]
    [InlineData("\"RouterId\": 0", "RouterId = '0': must be 1 to 255")]
    [InlineData("\"Interface\": \"\"", "Interface = '': is required and must not be empty")]
    [InlineData("\"Interface\": \"a/b\"", "Interface = 'a/b': is no name of a network interface: at most 15 characters, no space and no slash")]
    [InlineData("\"Priority\": 256", "Priority = '256': must be 1 to 255")]
    [InlineData("\"Version\": 4", "Version = '4': must be 2 to 3")]
    [InlineData("\"AdvertisementInterval\": \"5ms\"", "AdvertisementInterval = '5ms': must be 10ms to 40.95s in steps of 10ms with version 3")]
    [InlineData("\"AdvertisementInterval\": \"41s\"", "AdvertisementInterval = '41s': must be 10ms to 40.95s in steps of 10ms with version 3")]
    [InlineData("\"Version\": 2, \"AdvertisementInterval\": \"500ms\"", "AdvertisementInterval = '500ms': must be 1s to 255s in whole seconds with version 2")]
    [InlineData("\"Addresses\": []", "Addresses: a virtual router needs at least one address")]
    [InlineData("\"Addresses\": [ \"192.168.88.86/33\" ]", "Addresses:0:Address = '192.168.88.86/33': the prefix '33' must be 0 to 32")]
    [InlineData("\"Addresses\": [ \"192.168.88.86:80\" ]", "Addresses:0:Address = '192.168.88.86:80': must be an IP address with its prefix, for example 192.168.88.86/24 or 2001:db8::86/64")]
    [InlineData("\"Addresses\": [ \"192.0.2.9/24\", \"fe80::1/64\" ]", "Addresses:1:Address = 'fe80::1/64': is of the other family than those before; one router is IPv4 or IPv6, excluded addresses may be of both")]
    [InlineData("\"Addresses\": [ \"2001:db8::1/64\" ]", "Addresses:0:Address = '2001:db8::1/64': must be link-local (fe80::…): the first IPv6 address of a router is (RFC 9568 5.2.9)")]
    [InlineData("\"Addresses\": [ \"224.0.0.18/24\" ]", "Addresses:0:Address = '224.0.0.18/24': is a multicast or reserved address")]
    [InlineData("\"Addresses\": [ \"127.0.0.2/8\" ]", "Addresses:0:Address = '127.0.0.2/8': is a loopback address; nobody but this node could use it")]
    [InlineData("\"Addresses\": [ \"192.0.2.9/24\", \"192.0.2.9/32\" ]", "Addresses:1:Address = '192.0.2.9/32': is already at Lb:Routers:VI_1:Addresses:0:Address and an address belongs to one virtual router, once")]
    [InlineData("\"Version\": 2, \"Addresses\": [ \"fe80::1/64\" ]", "Version = '2': does not know IPv6 (RFC 3768); set 3")]
    [InlineData("\"Preempt\": false, \"Start\": \"active\"", "Start = 'active': does not go with Preempt false: it would claim what it must not take; set backup")]
    [InlineData("\"PreemptDelay\": \"1001s\"", "PreemptDelay = '1001s': must be 0 to 1000s")]
    [InlineData("\"AddressLifetime\": \"1500ms\"", "AddressLifetime = '1500ms': must be whole seconds from 2s to 1h, or 0 for ever")]
    [InlineData("\"Unicast\": { }", "Unicast:Peers: needs at least one peer")]
    [InlineData("\"Unicast\": { \"Peers\": [ \"fe80::2\" ] }", "Unicast:Peers:0 = 'fe80::2': must be IPv4, as Addresses are")]
    [InlineData("\"HeartbeatInterface\": \"eth0\"", "HeartbeatInterface = 'eth0': must be another interface than Interface")]
    [InlineData("\"Authentication\": { \"Type\": \"pass\", \"Password\": \"secret\" }", "Authentication:Type = 'pass': is of version 2 only; version 3 has no place for it")]
    [InlineData("\"Version\": 2, \"Authentication\": { \"Type\": \"pass\", \"Password\": \"far-too-long\" }", "Authentication:Password: must be 1 to 8 characters of ASCII")]
    [InlineData("\"Authentication\": { \"Type\": \"hmac\", \"Keys\": { \"1\": \"short\" } }", "Authentication:Keys:1: must be 16 to 64 bytes")]
    [InlineData("\"Authentication\": { \"Type\": \"ah\" }", "Authentication:Type = 'ah': must be one of none, pass, hmac in this version")]
    [InlineData("\"Strict\": true, \"Unicast\": { \"Peers\": [ \"192.0.2.2\" ] }", "Unicast: is not allowed with Strict")]
    [InlineData("\"Track\": [ { \"Weight\": 5 } ]", "Track:0: needs exactly one of Pool, Interface, Command, Process and File")]
    [InlineData("\"Track\": [ { \"Pool\": \"shop\" } ]", "Track:0:Pool = 'shop': is no pool; there are: web")]
    [InlineData("\"Track\": [ { \"Pool\": \"web\", \"Weight\": 254 } ]", "Track:0:Weight = '254': must be -253 to 253")]
    [InlineData("\"Track\": [ { \"Command\": [ \"check.sh\" ] } ]", "Track:0:Command:0 = 'check.sh': must be a full path: programs are not searched for")]
    [InlineData("\"Track\": [ { \"Process\": \"nginx\", \"Restart\": [ \"systemctl\" ] } ]", "Track:0:Restart:0 = 'systemctl': must be a full path: programs are not searched for")]
    [InlineData("\"Track\": [ { \"Pool\": \"web\", \"Restart\": [ \"/bin/true\" ] } ]", "Track:0:Restart = '/bin/true': goes with Command or Process only")]
    [InlineData("\"Track\": [ { \"Process\": \"nginx\", \"Reverse\": true, \"Restart\": [ \"/bin/true\" ] } ]", "Track:0:Restart = '/bin/true': does not go with Reverse: it would start what is to be away")]
    [InlineData("\"Track\": [ { \"Process\": \"nginx\", \"RestartAttempts\": 0 } ]", "Track:0:RestartAttempts = '0': must be 1 to 100")]
    [InlineData("\"Track\": [ { \"Process\": \"nginx\", \"RestartBackOff\": \"2h\" } ]", "Track:0:RestartBackOff = '2h': must not be above 1h")]
    [InlineData("\"Track\": [ { \"File\": \"/run/x\", \"Interval\": \"1ms\" } ]", "Track:0:Interval = '1ms': must be at least 10ms")]
    [InlineData("\"Track\": [ { \"Command\": [ \"/bin/true\" ], \"Timeout\": \"25h\" } ]", "Track:0:Timeout = '25h': must not be above 24h")]
    [InlineData("\"Notify\": { \"Timeout\": \"25h\" }", "Notify:Timeout = '25h': must not be above 24h")]
    [InlineData("\"Notify\": { \"Active\": \"mail\" }", "Notify:Active:0 = 'mail': must be a full path: programs are not searched for")]
    [InlineData("\"Prioroty\": 100", "Prioroty = '100': is no known key; did you mean Priority?")]
    [Trait("Row", "B7")]
    public void Bad_values_are_named(string pairs, string error)
    {
        // What the case does not set itself is right.
        string rest = string.Concat(new[] { ("Interface", "\"eth0\""), ("RouterId", "51"), ("Addresses", "[ \"192.168.88.86/24\" ]") }
            .Where(p => !pairs.Contains($"\"{p.Item1}\"", StringComparison.Ordinal)).Select(static p => $", \"{p.Item1}\": {p.Item2}"));
        Assert.Equal("Lb:Routers:VI_1:" + error, Assert.Single(TestConfiguration.Errors($$"""{ {{Pools}}, "Routers": { "VI_1": { {{pairs}}{{rest}} } } }""")));
    }

    [Fact]
    [Trait("Row", "V18")]
    public void A_number_is_taken_once_on_an_interface_and_family()
    {
        string[] errors = TestConfiguration.Errors("""
            { "Routers": {
                "a": { "Interface": "eth0", "RouterId": 51, "Addresses": [ "192.0.2.1/24" ] },
                "b": { "Interface": "eth0", "RouterId": 51, "Addresses": [ "192.0.2.2/24" ] },
                "six": { "Interface": "eth0", "RouterId": 51, "Addresses": [ "fe80::1/64" ] },
                "other": { "Interface": "eth1", "RouterId": 51, "Addresses": [ "192.0.2.3/24" ] } } }
            """);
        Assert.Equal("Lb:Routers:b:RouterId = '51': is already at Lb:Routers:a:RouterId on eth0; a virtual router's number is unique on its interface and family", Assert.Single(errors));
    }

    [Fact]
    public void Secrets_are_in_no_error()
    {
        string[] errors = TestConfiguration.Errors("""
            { "Routers": { "a": { "Interface": "eth0", "RouterId": 51, "Version": 2, "Addresses": [ "192.0.2.1/24" ],
                "Authentication": { "Type": "pass", "Password": "hunter2-is-long", "Keys": { "300": "0xsecret" } } } } }
            """);
        Assert.DoesNotContain(errors, static e => e.Contains("hunter2", StringComparison.Ordinal) || e.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("192.168.88.86/24", "192.168.88.1", true)]
    [InlineData("192.168.88.86/24", "192.168.89.1", false)]
    [InlineData("192.168.88.86/20", "192.168.95.255", true)]
    [InlineData("192.168.88.86/0", "8.8.8.8", true)]
    [InlineData("192.168.88.86/0", "fe80::1", false)]
    [InlineData("2001:db8::86/65", "2001:db8::7fff:0:0:1", true)]
    [InlineData("2001:db8::86/65", "2001:db8::8000:0:0:1", false)]
    public void A_prefix_holds_what_shares_its_bits(string network, string address, bool holds)
    {
        Assert.True(AddressPrefix.TryParse(network, out AddressPrefix prefix, out _));
        Assert.True(PeerAddress.TryParse(address, out PeerAddress other));
        Assert.Equal(holds, prefix.Contains(other));
        Assert.Equal(network, prefix.ToString());
    }
}
