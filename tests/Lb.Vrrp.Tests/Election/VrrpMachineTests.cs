using static Lb.Vrrp.VrrpActions;

namespace Lb.Vrrp.Tests;

/// <summary>RFC 9568 6.4, state by state; expected times are worked out by hand from 6.1.</summary>
[Trait("Row", "V2")]
public sealed class VrrpMachineTests
{
    private const VrrpActions TakesOver = AcquireAddresses | Announce | SendAdvertisement | BecameActive;

    [Fact]
    [Trait("Point", "30")]
    [Trait("Row", "V3")]
    public void The_owner_is_Active_at_once()
    {
        Election owner = new(new VrrpSettings { Priority = 255 });
        Assert.Equal(TakesOver, owner.Start(5));
        Assert.Equal((RouterState.Active, 6.0), (owner.Machine.State, owner.Due));
    }

    [Theory]
    [InlineData(3, 100, 1.0, 3.609375)]
    [InlineData(3, 254, 1.0, 3.0078125)]
    [InlineData(3, 1, 0.1, 0.399609375)]
    [InlineData(3, 100, 0.01, 0.03609375)]
    [InlineData(2, 100, 1.0, 3.609375)]
    [InlineData(2, 100, 5.0, 15.609375)]
    [Trait("Point", "31")]
    [Trait("Point", "32")]
    public void Without_an_advert_it_takes_over_after_three_intervals_and_its_skew(int version, byte priority, double interval, double expected)
    {
        Election e = new(new VrrpSettings { Version = version, Priority = priority, Interval = Election.S(interval) });
        Assert.Equal(BecameBackup, e.Start());
        Assert.Equal(Election.S(expected).TotalSeconds, e.Due, 6);
        Assert.Equal(None, e.Deadline(e.Due - 0.000001));
        Assert.Equal(TakesOver, e.Deadline(e.Due));
    }

    [Fact]
    [Trait("Row", "V23")]
    public void More_adverts_may_be_missing_when_told_so()
    {
        Election e = new(new VrrpSettings { DownTimerAdverts = 10 });
        e.Start();
        Assert.Equal(10.609375, e.Due);
    }

    [Fact]
    [Trait("Point", "33")]
    public void Two_lost_adverts_change_nothing()
    {
        Election e = new();
        e.Start();
        e.Hear(200, 1);
        Assert.Equal(None, e.Deadline(3.999));
        e.Hear(200, 4);
        Assert.Equal((RouterState.Backup, 7.609375), (e.Machine.State, e.Due));
    }

    [Theory]
    [InlineData(2, 1.0, 0.609375)]
    [InlineData(2, 4.0, 0.609375)]
    [InlineData(3, 0.1, 0.0609375)]
    [Trait("Point", "34")]
    [Trait("Row", "V25")]
    public void A_resignation_leaves_only_the_skew(int version, double interval, double skew)
    {
        Election e = new(new VrrpSettings { Version = version, Interval = Election.S(interval) });
        e.Start();
        e.Hear(200, 1, interval: interval);
        Assert.Equal(None, e.Hear(0, 2, interval: interval));
        Assert.Equal(2 + skew, e.Due, 6);
        Assert.Equal(TakesOver, e.Deadline(e.Due));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(255)]
    [Trait("Point", "35")]
    public void A_Backup_waits_anew_after_an_equal_or_higher_advert(byte priority)
    {
        Election e = new();
        e.Start();
        e.Hear(priority, 2);
        Assert.Equal((5.609375, Election.Higher, priority), (e.Due, e.Machine.ActiveRouter, e.Machine.ActivePriority));
    }

    [Fact]
    [Trait("Point", "36")]
    [Trait("Row", "V4")]
    public void A_lower_advert_holds_off_only_who_does_not_preempt()
    {
        Election preempts = new();
        preempts.Start();
        preempts.Hear(99, 3);
        Assert.Equal(3.609375, preempts.Due);
        Election waits = new(new VrrpSettings { Preempt = false });
        waits.Start();
        waits.Hear(99, 3);
        Assert.Equal(6.609375, waits.Due);
    }

    [Fact]
    [Trait("Point", "37")]
    [Trait("Row", "V4")]
    public void The_owner_preempts_even_when_told_not_to()
    {
        Election owner = new(new VrrpSettings { Priority = 255, Preempt = false, StartupDelay = Election.S(5) });
        Assert.Equal(BecameBackup, owner.Start());
        owner.Hear(200, 4.5);
        Assert.Equal(5, owner.Due);
        Assert.Equal(TakesOver, owner.Deadline(5));
    }

    [Fact]
    [Trait("Point", "38")]
    public void A_Backup_stops_without_a_word()
    {
        Election e = new();
        e.Start();
        Assert.Equal(BecameInitialize, e.Machine.Stop(Election.S(1)));
        Assert.Equal((RouterState.Initialize, double.PositiveInfinity), (e.Machine.State, e.Due));
    }

    [Fact]
    [Trait("Point", "39")]
    [Trait("Row", "V25")]
    public void An_Active_without_hand_over_resigns_and_lets_go()
    {
        Election e = new Election(new VrrpSettings { Handover = false }).Active();
        Assert.Equal(SendResign | ReleaseAddresses | BecameInitialize, e.Machine.Stop(Election.S(11)));
        Assert.Equal(RouterState.Initialize, e.Machine.State);
    }

    [Fact]
    [Trait("Point", "40")]
    public void An_Active_answers_a_resignation_at_once()
    {
        Election e = new Election().Active();
        Assert.Equal(SendAdvertisement, e.Hear(0, 10.4));
        Assert.Equal(11.4, e.Due);
    }

    [Fact]
    [Trait("Point", "41")]
    public void An_Active_gives_way_to_a_higher_priority_and_says_so_once()
    {
        Election e = new Election().Active();
        Assert.Equal(SendLastAdvertisement | ReleaseAddresses | BecameBackup | IntervalLearned, e.Hear(101, 10.5, Election.Lower, interval: 2));
        Assert.Equal((RouterState.Backup, Election.S(2), Election.Lower), (e.Machine.State, e.Machine.ActiveInterval, e.Machine.ActiveRouter));
        Assert.Equal(10.5 + 6 + (156 * 2 / 256.0), e.Due);
    }

    [Theory]
    [InlineData("10.77.0.6", true)]
    [InlineData("10.77.0.4", false)]
    [InlineData("200.0.0.1", true)] // As a signed number it would be the lower one.
    [InlineData("10.76.255.255", false)]
    [Trait("Point", "42")]
    public void Of_equal_priorities_the_higher_address_wins(string from, bool givesWay)
    {
        Election e = new Election().Active();
        VrrpActions actions = e.Hear(100, 10.5, Wire.Ip(from));
        Assert.Equal(givesWay ? SendLastAdvertisement | ReleaseAddresses | BecameBackup : SendAdvertisement | AnnounceOnce, actions);
    }

    [Theory]
    [InlineData("fe80::1", "fe80::2", -1)]
    [InlineData("fe80::ff", "fe80::1", 1)]
    [InlineData("fe80::1", "fd00::2", 1)]
    [InlineData("10.0.0.1", "10.0.0.1", 0)]
    [Trait("Point", "42")]
    public void Addresses_are_compared_as_unsigned_numbers(string a, string b, int expected)
        => Assert.Equal(expected, Math.Sign(VrrpTimes.Compare(Wire.Ip(a), Wire.Ip(b))));

    [Fact]
    [Trait("Point", "43")]
    [Trait("Row", "B6")]
    public void An_Active_answers_a_lower_advert_and_announces_again()
    {
        Election e = new Election().Active();
        Assert.Equal(SendAdvertisement | AnnounceOnce, e.Hear(99, 10.9)); // Hands may still be changing.
        Assert.Equal(SendAdvertisement | AnnounceOnce | DualActiveSeen, e.Hear(99, 11.5));
        Assert.Equal(12.5, e.Due);
        Election silent = new Election(new VrrpSettings { LowerPriorityAdvert = false }).Active();
        Assert.Equal(AnnounceOnce, silent.Hear(99, 10.9));
        Assert.Equal(11, silent.Due);
    }

    [Fact]
    [Trait("Point", "49")]
    public void Two_owners_are_told_of()
    {
        Election e = new Election(new VrrpSettings { Priority = 255 });
        e.Start();
        Assert.Equal(OwnerConflict | SendAdvertisement | AnnounceOnce, e.Hear(255, 0.5, Election.Lower));
        Assert.Equal(OwnerConflict | SendLastAdvertisement | ReleaseAddresses | BecameBackup, e.Hear(255, 0.6, Election.Higher));
    }

    [Fact]
    [Trait("Point", "28")]
    public void Adverts_do_not_drift_though_each_is_late()
    {
        Election e = new Election().Active(10);
        for (int i = 1; i <= 1000; i++)
        {
            Assert.Equal(10 + i, e.Due);
            Assert.Equal(SendAdvertisement, e.Deadline(10 + i + (0.01 * (i % 90))));
        }
    }

    [Fact]
    [Trait("Row", "V24")]
    public void Adverts_that_were_missed_are_not_made_up_for()
    {
        Election e = new Election().Active(10);
        Assert.Equal(SendAdvertisement, e.Deadline(15.5));
        Assert.Equal(16.5, e.Due);
        Assert.Equal(None, e.Deadline(15.5));
    }
}
