using System.Text.Json;

namespace Lb.Vrrp.Tests;

[Trait("Row", "V11")]
public sealed class VirtualMacDeviceTests
{
    private static readonly MacAddress s_near = MacAddress.From([2, 0, 0, 0, 0, 1]);

    [Theory]
    [Trait("Point", "24")]
    [InlineData(51, false, "vrrp.51", "00:00:5e:00:01:33")]
    [InlineData(52, true, "vrrp6.52", "00:00:5e:00:02:34")]
    public void The_device_is_a_private_macvlan_with_the_virtual_mac(byte routerId, bool isV6, string name, string mac)
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using (VirtualMacDevice device = new("e0", routerId, isV6))
            {
                device.Create();
                JsonElement link = Link(space, name);
                Assert.Equal((mac, "e0", "macvlan", "private", "none", "Lb.Vrrp"), (
                    link.GetProperty("address").GetString(),
                    link.GetProperty("link").GetString(),
                    link.GetProperty("linkinfo").GetProperty("info_kind").GetString(),
                    link.GetProperty("linkinfo").GetProperty("info_data").GetProperty("mode").GetString(),
                    link.GetProperty("inet6_addr_gen_mode").GetString(),
                    link.GetProperty("ifalias").GetString()));
                Assert.False(IsUp(space, name));
                device.Up();
                Assert.True(IsUp(space, name));
                Assert.False(device.IsAdopted);
            }

            Assert.Equal(1, TestNamespace.Execute("ip", ["-n", space.Name, "link", "show", name]).Code);
        });
    }

    [Fact]
    public void Its_settings_are_those_of_keepalived()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using VirtualMacDevice four = new("e0", 51, isV6: false), six = new("e0", 52, isV6: true);
            four.Create();
            six.Create();

            // Read from the devices of keepalived 2.2.7 with use_vmac.
            foreach ((string path, int expected) in new[]
            {
                ("ipv4/conf/vrrp.51/arp_ignore", 1), ("ipv4/conf/vrrp.51/rp_filter", 0), ("ipv4/conf/vrrp.51/accept_local", 1), ("ipv4/conf/vrrp.51/promote_secondaries", 1),
                ("ipv6/conf/vrrp.51/disable_ipv6", 1), ("ipv6/conf/vrrp6.52/disable_ipv6", 0), ("ipv6/conf/vrrp6.52/addr_gen_mode", 1), ("ipv4/conf/e0/arp_ignore", 1),
            })
            {
                Assert.Equal((path, expected), (path, Sysctl.Read(path)));
            }
        });
    }

    [Fact]
    public void A_strict_filter_for_all_interfaces_is_loosened_on_the_device_alone()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            Assert.True(Sysctl.Write("ipv4/conf/all/rp_filter", 1));
            using VirtualMacDevice device = new("e0", 51, isV6: false);
            device.Create();
            Assert.Equal((2, 1), (Sysctl.Read("ipv4/conf/vrrp.51/rp_filter"), Sysctl.Read("ipv4/conf/all/rp_filter")));
        });
    }

    [Theory]
    [Trait("Point", "45")]
    [InlineData(51, "10.9.0.5", "10.9.0.1", "24")]
    [InlineData(52, "2001:db8::5", "2001:db8::1", "64")]
    public void The_virtual_address_is_answered_for_with_the_virtual_mac_only(byte routerId, string virtualAddress, string own, string prefix)
    {
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        bool isV6 = routerId == 52;
        string[] flags = isV6 ? ["nodad"] : [];
        near.Ip(["address", "add", $"{own}/{prefix}", "dev", "e0", .. flags]);
        near.Run(() =>
        {
            using VirtualMacDevice device = new("e0", routerId, isV6);
            device.Create();
            device.Up();
            using NetlinkAddressOwner owner = new([VirtualAddress.Parse(new VirtualAddressOptions { Address = $"{virtualAddress}/{prefix}" }, device.Name)], TimeSpan.Zero);
            Assert.True(owner.Renew());
            if (isV6)
            {
                near.WaitForSolicitations(device.Name, "ff02::1:ff00:5");
                near.WaitForSolicitations("e0", "ff02::1:ff00:1");
            }

            using DuplicateProbe asker = far.Run(() => new DuplicateProbe("e1", [TestNamespace.Parse(virtualAddress), TestNamespace.Parse(own)]));
            AddressConflict fromDevice = new(TestNamespace.Parse(virtualAddress), device.Mac, false), fromBelow = new(TestNamespace.Parse(own), s_near, false);
            HashSet<AddressConflict> heard = [];

            // Twice: a wrong answer to the first question comes before the right one to the second.
            for (int round = 0; round < 2; round++)
            {
                Assert.True(asker.Ask(0));
                Assert.True(asker.Ask(1));
                HashSet<AddressConflict> missing = [fromDevice, fromBelow];
                Assert.True(SpinWait.SpinUntil(() => asker.TryReceive(out AddressConflict answer) && (heard.Add(answer) | missing.Remove(answer)) && missing.Count == 0, TimeSpan.FromSeconds(10)), string.Join(", ", heard));
            }

            Assert.Equal([fromDevice, fromBelow], heard.OrderBy(static a => a.Mac.Value));
        });
    }

    [Fact]
    [Trait("Point", "47")]
    public void Announcements_carry_the_virtual_mac()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using VirtualMacDevice device = new("e0", 51, isV6: false);
            device.Create();
            using NeighborAnnouncer announcer = new([VirtualAddress.Parse(new VirtualAddressOptions { Address = "10.9.0.5/24" }, device.Name)]);
            Assert.False(announcer.Announce(0));
            device.Up();
            Assert.True(announcer.Announce(0));
            Assert.Equal(NeighborFrames.GratuitousArp(device.Mac.ToBytes(), TestNamespace.Parse("10.9.0.5")), announcer.Frame(0));
        });
    }

    [Fact]
    public void The_link_local_address_below_is_on_the_device_but_never_preferred()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Ip("address", "add", "fe80::1/64", "dev", "e0", "nodad");
        space.Run(() =>
        {
            using VirtualMacDevice device = new("e0", 52, isV6: true);
            device.Create();
            device.Up();
            JsonElement address = Assert.Single(space.Addresses("vrrp6.52"));
            Assert.Equal(("fe80::1", true), (address.GetProperty("local").GetString(), address.GetProperty("deprecated").GetBoolean()));
        });
    }

    [Fact]
    public void What_an_earlier_run_has_left_is_replaced()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            VirtualMacDevice killed = new("e0", 51, isV6: false);
            killed.Create();
            space.Ip("address", "add", "10.9.0.5/24", "dev", "vrrp.51");
            using (VirtualMacDevice device = new("e0", 51, isV6: false))
            {
                device.Create();
                Assert.NotEqual(killed.Index, device.Index);
                Assert.Empty(space.Addresses("vrrp.51"));
            }
        });
    }

    [Fact]
    public void A_device_that_somebody_else_has_made_is_used_and_left()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            space.Ip("link", "add", "link", "e0", "name", "mine", "address", "00:00:5e:00:01:33", "type", "macvlan", "mode", "bridge");
            using (VirtualMacDevice device = new("e0", 51, isV6: false, "mine"))
            {
                device.Create();
                Assert.True(device.IsAdopted);
            }

            Assert.Equal("bridge", Link(space, "mine").GetProperty("linkinfo").GetProperty("info_data").GetProperty("mode").GetString());
        });
    }

    [Fact]
    public void What_stands_in_the_way_is_named()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using VirtualMacDevice taken = new("e0", 51, isV6: false, "e1"), nowhere = new("e9", 51, isV6: false), below = new("e0", 51, isV6: false);
            Assert.Equal(
                "making the macvlan device e1: File exists (errno 17): an interface of this name exists and is no macvlan on e0 with the address 00:00:5e:00:01:33",
                Assert.Throws<NetlinkException>(taken.Create).Message);
            Assert.Equal("interface e9: No such device (errno 19)", Assert.Throws<NetlinkException>(nowhere.Create).Message);
            below.Create();
            space.Ip("link", "del", "e0");
            Assert.Equal("taking the interface up: No such device (errno 19)", Assert.Throws<NetlinkException>(below.Up).Message);
            Assert.Throws<ArgumentException>(static () => new VirtualMacDevice("e0", 51, isV6: false, "sixteen-letters!"));
        });
    }

    [Fact]
    public void Links_are_listed_and_their_mac_addresses_set()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using Netlink netlink = new();
            netlink.SetHardwareAddress(netlink.RequireLink("e1").Index, [2, 0, 0, 0, 0, 9]);
            Assert.Equal("02:00:00:00:00:09", Link(space, "e1").GetProperty("address").GetString());
            Assert.Equal(["e0", "e1", "lo"], netlink.ReadLinks().Select(static link => link.Name).Order(StringComparer.Ordinal));
            Assert.Null(netlink.FindLink("e9"));
        });
    }

    [Fact]
    [Trait("Row", "X16")]
    public void Settings_that_cannot_be_written_are_named()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            Assert.False(Sysctl.Write("ipv4/conf/e0/no_such_setting", 1));
            IOException error = Assert.Throws<IOException>(static () => Sysctl.Write("ipv6/conf/e0/addr_gen_mode", 77));
            Assert.StartsWith("writing 77 to /proc/sys/net/ipv6/conf/e0/addr_gen_mode: Invalid argument", error.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    [Trait("Row", "V28")]
    public void A_device_that_somebody_deletes_is_missed_and_made_again()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using VirtualMacDevice device = new("e0", 51, isV6: false);
            Assert.False(device.Exists);
            device.Create();
            Assert.True(device.Exists);
            int first = device.Index;
            space.Ip("link", "del", "vrrp.51");
            Assert.False(device.Exists);
            device.Create();
            device.Up();
            Assert.True(device.Exists);
            Assert.NotEqual(first, device.Index);
            Assert.True(IsUp(space, "vrrp.51"));

            // Somebody else's in its place is another device: it is used, and stays.
            space.Ip("link", "del", "vrrp.51");
            space.Ip("link", "add", "vrrp.51", "link", "e0", "address", "00:00:5e:00:01:33", "type", "macvlan", "mode", "private");
            Assert.False(device.Exists);
            device.Create();
            Assert.True(device.IsAdopted);
            device.Dispose();
            Assert.Equal("vrrp.51", Link(space, "vrrp.51").GetProperty("ifname").GetString());
        });
    }

    private static JsonElement Link(TestNamespace space, string name)
    {
        using JsonDocument json = JsonDocument.Parse(space.Ip("-j", "-d", "link", "show", "dev", name));
        return json.RootElement[0].Clone();
    }

    private static bool IsUp(TestNamespace space, string name) => Link(space, name).GetProperty("flags").EnumerateArray().Any(static flag => flag.GetString() == "UP");
}
