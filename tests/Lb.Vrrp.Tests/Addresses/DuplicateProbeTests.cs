namespace Lb.Vrrp.Tests;

[Trait("Row", "V29")]
public sealed class DuplicateProbeTests
{
    private static readonly MacAddress s_far = MacAddress.From([2, 0, 0, 0, 0, 2]);

    [Theory]
    [InlineData("10.9.0.4", "10.9.0.5", "24")]
    [InlineData("2001:db8::4", "2001:db8::5", "64")]
    public void A_machine_that_has_the_address_is_found_and_named(string free, string taken, string prefix)
    {
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        Give(far, taken, prefix);
        near.Run(() =>
        {
            using DuplicateProbe probe = new("e0", [TestNamespace.Parse(free), TestNamespace.Parse(taken)]);
            Assert.Equal(2, probe.Count);
            Assert.True(probe.Ask(0));
            Assert.True(probe.Ask(1));
            AddressConflict conflict = Next(probe);
            Assert.Equal(new(TestNamespace.Parse(taken), s_far, false), conflict);
            Assert.Equal($"{taken} is at 02:00:00:00:00:02", conflict.ToString());
        });
    }

    [Theory]
    [InlineData("10.9.0.4", "10.9.0.5", "24")]
    [InlineData("2001:db8::4", "2001:db8::5", "64")]
    public void Announcements_of_ours_by_another_are_heard_and_nothing_else(string theirs, string ours, string prefix)
    {
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        using DuplicateProbe probe = near.Run(() => new DuplicateProbe("e0", [TestNamespace.Parse(ours)]));
        using NeighborAnnouncer own = near.Run(() => new NeighborAnnouncer([Address(ours, prefix, "e0")]));
        using NeighborAnnouncer other = far.Run(() => new NeighborAnnouncer([Address(theirs, prefix, "e1"), Address(ours, prefix, "e1")]));
        Assert.True(own.Announce(0));
        Assert.True(other.Announce(0));
        Assert.True(other.Announce(1));
        Assert.Equal(new(TestNamespace.Parse(ours), s_far, false), Next(probe));
        Assert.False(probe.TryReceive(out _));
    }

    [Theory]
    [InlineData("10.9.0.5")]
    [InlineData("2001:db8::5")]
    public void Somebody_who_asks_for_our_address_is_about_to_take_it(string text)
    {
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        using DuplicateProbe probe = near.Run(() => new DuplicateProbe("e0", [TestNamespace.Parse(text)]));
        using DuplicateProbe other = far.Run(() => new DuplicateProbe("e1", [TestNamespace.Parse(text)]));
        Assert.True(other.Ask(0));
        Assert.Equal(new(TestNamespace.Parse(text), s_far, true), Next(probe));
    }

    [Fact]
    public void Our_other_mac_addresses_are_no_conflict()
    {
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        using DuplicateProbe strict = near.Run(() => new DuplicateProbe("e0", [TestNamespace.Parse("10.9.0.5")]));
        using DuplicateProbe probe = near.Run(() => new DuplicateProbe("e0", [TestNamespace.Parse("10.9.0.5"), TestNamespace.Parse("10.9.0.6")], s_far.ToBytes()));
        using NeighborAnnouncer other = far.Run(() => new NeighborAnnouncer([Address("10.9.0.5", "24", "e1")]));
        Assert.True(other.Announce(0));

        // The kernel gives a frame to the socket opened last first: when this one has heard it, so has the other.
        Assert.Equal(s_far, Next(strict).Mac);
        Assert.False(probe.TryReceive(out _));
    }

    [Fact]
    [Trait("Row", "X1")]
    public void Listening_allocates_nothing()
    {
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        using DuplicateProbe probe = near.Run(() => new DuplicateProbe("e0", [TestNamespace.Parse("10.9.0.5")]));
        using NeighborAnnouncer other = far.Run(() => new NeighborAnnouncer([Address("10.9.0.4", "24", "e1"), Address("10.9.0.5", "24", "e1")]));
        Hear();
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool heard = Hear();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(heard);

        bool Hear()
        {
            bool conflict = false;
            for (int i = 0; i < 50; i++)
            {
                if (!other.Announce(0) || !other.Announce(1)) return false;
                for (int turn = 0; turn < 1_000_000 && !conflict; turn++) conflict = probe.TryReceive(out _);
            }

            while (probe.TryReceive(out _)) conflict = true;
            return conflict;
        }
    }

    [Fact]
    public void Whole_frames_of_other_kinds_are_passed_over()
    {
        (TestNamespace near, TestNamespace far) = TestNamespace.MakePair();
        using TestNamespace one = near, two = far;
        using DuplicateProbe probe = near.Run(() => new DuplicateProbe("e0", [TestNamespace.Parse("2001:db8::5")]));
        using PacketSocket sender = far.Run(() =>
        {
            using Netlink netlink = new();
            return new PacketSocket(netlink.RequireLink("e1").Index);
        });
        byte[] good = NeighborFrames.UnsolicitedAdvertisement(s_far.ToBytes(), TestNamespace.Parse("2001:db8::5"), isRouter: false);
        byte[] distant = [.. good];
        distant[21] = 64;
        byte[] echo = [.. good];
        echo[54] = 128;
        byte[] cut = good[..70];
        foreach (byte[] frame in new[] { distant, echo, cut, good }) Assert.True(sender.Send(frame));
        Assert.Equal(s_far, Next(probe).Mac);
        Assert.False(probe.TryReceive(out _));
    }

    private static void Give(TestNamespace space, string address, string prefix)
    {
        if (address.Contains(':', StringComparison.Ordinal))
        {
            space.Ip("address", "add", $"{address}/{prefix}", "dev", "e1", "nodad");
            space.WaitForSolicitations("e1", "ff02::1:ff00:5");
        }
        else
        {
            space.Ip("address", "add", $"{address}/{prefix}", "dev", "e1");
        }
    }

    private static AddressConflict Next(DuplicateProbe probe)
    {
        AddressConflict conflict = default;
        Assert.True(SpinWait.SpinUntil(() => probe.TryReceive(out conflict), TimeSpan.FromSeconds(10)), "No conflict was heard.");
        return conflict;
    }

    private static VirtualAddress Address(string text, string prefix, string device) => VirtualAddress.Parse(new VirtualAddressOptions { Address = $"{text}/{prefix}" }, device);
}
