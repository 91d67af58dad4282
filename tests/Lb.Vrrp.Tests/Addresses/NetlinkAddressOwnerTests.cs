using System.Text.Json;

namespace Lb.Vrrp.Tests;

[Trait("Row", "V9")]
public sealed class NetlinkAddressOwnerTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void An_address_comes_with_prefix_label_and_scope_and_goes_again()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            VirtualAddress labelled = Address("10.9.0.5/24", label: "e0:vip", scope: "link");
            using NetlinkAddressOwner owner = new([labelled, Address("10.9.0.6/32"), Address("2001:db8::5/64")], TimeSpan.Zero);
            Take(owner);
            JsonElement[] shown = space.Addresses("e0");
            Assert.Equal(["10.9.0.5", "10.9.0.6", "2001:db8::5"], space.Locals("e0").Order(StringComparer.Ordinal));
            JsonElement first = shown.Single(static a => a.GetProperty("local").GetString() == "10.9.0.5");
            Assert.Equal((24, "link", "e0:vip", false), (first.GetProperty("prefixlen").GetInt32(), first.GetProperty("scope").GetString(), first.GetProperty("label").GetString(), first.TryGetProperty("broadcast", out _)));
            JsonElement second = shown.Single(static a => a.GetProperty("local").GetString() == "10.9.0.6");
            Assert.Equal((32, "global", "e0", false), (second.GetProperty("prefixlen").GetInt32(), second.GetProperty("scope").GetString(), second.GetProperty("label").GetString(), second.TryGetProperty("broadcast", out _)));
            JsonElement third = shown.Single(static a => a.GetProperty("local").GetString() == "2001:db8::5");
            Assert.Equal((64, 0, true, false), (third.GetProperty("prefixlen").GetInt32(), third.GetProperty("preferred_life_time").GetInt64(), third.GetProperty("nodad").GetBoolean(), third.TryGetProperty("tentative", out _)));
            Assert.Equal(3, owner.Held);
            Give(owner);
            Assert.Equal((0, 0), (space.Addresses("e0").Length, owner.Held));
        });
    }

    [Fact]
    public void Taking_twice_is_taking_once()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using NetlinkAddressOwner owner = new([Address("10.9.0.5/24"), Address("2001:db8::5/64")], TimeSpan.FromSeconds(30));
            Take(owner);
            Take(owner);
            Assert.False(owner.Renew());
            Assert.Equal(2, space.Addresses("e0").Length);
        });
    }

    [Theory]
    [Trait("Row", "N6")]
    [Trait("Point", "56")]
    [InlineData("10.9.0.5/24", "10.9.0.5")]
    [InlineData("2001:db8::5/64", "2001:db8::5")]
    public void An_address_that_nobody_renews_goes_by_itself(string text, string alone)
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using AddressWatcher watcher = new();
            using NetlinkAddressOwner owner = new([Address(text)], TimeSpan.FromSeconds(1));
            Take(owner);
            Assert.Equal([alone], space.Locals("e0"));
            Assert.Equal(TestNamespace.Parse(alone), watcher.WaitForRemoval());
            Assert.Empty(space.Locals("e0"));
        });
    }

    [Fact]
    public void Renewing_begins_the_lifetime_anew()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            // Ours by its tag, but about to end: as an address is that a stalled process comes back to.
            AddTagged(Address("10.9.0.5/24"), NetlinkAddressOwner.Tag, 20);
            using NetlinkAddressOwner owner = new([Address("10.9.0.5/24")], TimeSpan.FromSeconds(3600));
            Take(owner);
            Assert.InRange(Lifetime(), 3500, 3600);
        });

        long Lifetime() => Assert.Single(space.Addresses("e0")).GetProperty("valid_life_time").GetInt64();
    }

    [Theory]
    [InlineData(0, 1000)]
    [InlineData(1, 500)]
    [InlineData(2, 1000)]
    [InlineData(3, 1000)]
    [InlineData(3600, 1000)]
    public void Renewal_is_wanted_twice_in_a_lifetime_within_half_a_second_to_one(int seconds, int milliseconds)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Netlink is Linux.");
        using NetlinkAddressOwner owner = new([], TimeSpan.FromSeconds(seconds));
        Assert.Equal(milliseconds, (int)owner.RenewEvery.TotalMilliseconds);
    }

    [Fact]
    public void What_was_there_before_is_adopted_and_left()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            space.Ip("address", "add", "10.9.0.5/24", "dev", "e0");
            space.Ip("address", "add", "10.9.0.6/32", "dev", "e0", "valid_lft", "3000", "preferred_lft", "3000");
            using NetlinkAddressOwner owner = new([Address("10.9.0.5/24"), Address("10.9.0.6/24"), Address("10.9.0.7/24")], TimeSpan.FromSeconds(60));
            Take(owner);
            Assert.False(owner.Renew());
            Assert.Equal((1, 2), (owner.Held, owner.Adopted));
            JsonElement[] shown = space.Addresses("e0");
            Assert.Equal(3, shown.Length);
            Assert.Equal(uint.MaxValue, shown.Single(static a => a.GetProperty("local").GetString() == "10.9.0.5").GetProperty("valid_life_time").GetInt64());
            Assert.InRange(shown.Single(static a => a.GetProperty("local").GetString() == "10.9.0.6").GetProperty("valid_life_time").GetInt64(), 2000, 3000);
            Give(owner);
            Assert.Equal(["10.9.0.5", "10.9.0.6"], space.Locals("e0").Order(StringComparer.Ordinal));
        });
    }

    [Fact]
    public void Somebody_elses_address_in_the_same_subnet_survives_ours()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using NetlinkAddressOwner owner = new([Address("10.9.0.5/24")], TimeSpan.Zero);
            Take(owner);

            // Now a second address of our subnet: the kernel would take it along.
            space.Ip("address", "add", "10.9.0.99/24", "dev", "e0");
            Give(owner);
            Assert.Equal(["10.9.0.99"], space.Locals("e0"));
        });
    }

    [Fact]
    [Trait("Row", "V28")]
    [Trait("Point", "58")]
    public void A_deleted_address_is_put_back_and_said()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using NetlinkAddressOwner owner = new([Address("10.9.0.5/24"), Address("2001:db8::5/64")], TimeSpan.FromSeconds(30));
            Take(owner);
            Assert.False(owner.Renew());
            space.Ip("address", "del", "10.9.0.5/24", "dev", "e0");
            owner.Suspect();
            Assert.True(owner.Renew());
            Assert.Equal(["10.9.0.5", "2001:db8::5"], space.Locals("e0"));
            Assert.False(owner.Renew());

            // Without a hint it is put back all the same.
            space.Ip("address", "del", "10.9.0.5/24", "dev", "e0");
            _ = owner.Renew();
            Assert.Equal(["10.9.0.5", "2001:db8::5"], space.Locals("e0"));
        });
    }

    [Fact]
    [Trait("Row", "V28")]
    public void An_interface_made_anew_gets_its_addresses_again()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using NetlinkAddressOwner owner = new([Address("10.9.0.5/24")], TimeSpan.FromSeconds(30));
            Take(owner);
            space.Ip("link", "del", "e0");
            NetlinkException gone = Assert.Throws<NetlinkException>(() => owner.Renew());
            Assert.Equal("interface e0: No such device (errno 19)", gone.Message);
            space.AddDevice();
            Assert.True(owner.Renew());
            Assert.Equal(["10.9.0.5"], space.Locals("e0"));
        });
    }

    [Fact]
    [Trait("Point", "56")]
    public void What_a_killed_run_left_is_removed_and_nothing_else()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using (NetlinkAddressOwner killed = new([Address("10.9.0.5/24"), Address("2001:db8::5/64"), Address("10.9.0.8/24"), Address("10.9.0.9/24")], TimeSpan.Zero)) Take(killed);
            space.Ip("address", "add", "10.9.0.6/24", "dev", "e0");
            AddTagged(Address("10.9.0.7/24"), 0x4B, Netlink.Forever);
            using NetlinkAddressOwner owner = new([Address("10.9.0.5/24"), Address("10.9.0.6/24"), Address("2001:db8::5/64")], TimeSpan.Zero);
            Assert.Equal(2, owner.RemoveStale());
            Assert.Equal(["10.9.0.6", "10.9.0.7", "10.9.0.8", "10.9.0.9"], space.Locals("e0").Order(StringComparer.Ordinal));
            Take(owner);
            Assert.Equal(0, owner.RemoveStale());
        });
    }

    [Fact]
    [Trait("Row", "X16")]
    public void Without_the_capability_the_message_names_it()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        Exception? refused = null;
        space.Run(() =>
        {
            using NetlinkAddressOwner owner = new([Address("10.9.0.5/24")], TimeSpan.Zero);
            TestNamespace.WithoutRights(() => refused = Record.Exception(() => Take(owner)));
        });
        Assert.Equal("adding 10.9.0.5/24 on e0: Operation not permitted (errno 1). The process needs the capability CAP_NET_ADMIN.", refused?.Message);
    }

    [Fact]
    public void The_kernels_own_words_are_in_the_message()
    {
        using TestNamespace space = TestNamespace.MakeWithDevice();
        space.Run(() =>
        {
            using Netlink netlink = new();
            NetlinkException refused = Assert.Throws<NetlinkException>(() => netlink.AddAddress(Address("2001:db8::5/64"), 99_999, 10, 1, replace: false));
            Assert.StartsWith("adding 2001:db8::5/64 on e0: No such device (errno 19): ", refused.Message, StringComparison.Ordinal);
        });
    }

    private static VirtualAddress Address(string address, string? label = null, string scope = "global") =>
        VirtualAddress.Parse(new VirtualAddressOptions { Address = address, Label = label, Scope = scope }, "e0");

    // The program ip of many systems does not know tags yet.
    private static void AddTagged(VirtualAddress address, byte tag, uint seconds)
    {
        using Netlink netlink = new();
        Assert.True(netlink.AddAddress(address, netlink.RequireLink(address.Interface).Index, seconds, tag, replace: false));
    }

    private static void Take(NetlinkAddressOwner owner)
    {
        Task taken = owner.AcquireAsync(Ct).AsTask();
        Assert.True(taken.IsCompleted);
        taken.GetAwaiter().GetResult();
    }

    private static void Give(NetlinkAddressOwner owner)
    {
        Task given = owner.ReleaseAsync(Ct).AsTask();
        Assert.True(given.IsCompleted);
        given.GetAwaiter().GetResult();
    }
}
