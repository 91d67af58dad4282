using static Lb.Vrrp.VrrpActions;

namespace Lb.Vrrp.Tests;

/// <summary>What goes beyond the RFC's table: delays, learning, pauses, faults, hand-over, reload.</summary>
public sealed class VrrpMachineRuleTests
{
    private const VrrpActions TakesOver = AcquireAddresses | Announce | SendAdvertisement | BecameActive;

    [Theory]
    [InlineData(0.25, 0.25, IntervalLearned)]
    [InlineData(1, 1, None)]
    [InlineData(4, 4, IntervalLearned)]
    [InlineData(4.01, 4, IntervalRefused)]
    [InlineData(40.95, 4, IntervalRefused)]
    [Trait("Point", "14")]
    [Trait("Row", "V2")]
    internal void The_interval_of_the_Active_is_learned_within_bounds(double interval, double learned, VrrpActions expected)
    {
        Election e = new();
        e.Start();
        Assert.Equal(expected, e.Hear(200, 1, interval: interval));
        Assert.Equal(Election.S(learned), e.Machine.ActiveInterval);
        Assert.Equal(1 + (learned * (3 + (156 / 256.0))), e.Due, 6);
    }

    [Fact]
    [Trait("Point", "14")]
    public void A_fast_router_learns_up_to_a_second()
    {
        Election e = new(new VrrpSettings { Interval = Election.S(0.1) });
        e.Start();
        Assert.Equal(IntervalLearned, e.Hear(200, 0.1, interval: 1));
        Assert.Equal(IntervalRefused, e.Hear(200, 0.2, interval: 1.01));
    }

    [Fact]
    [Trait("Point", "15")]
    public void Version_2_learns_nothing()
    {
        Election e = new(new VrrpSettings { Version = 2 });
        e.Start();
        Assert.Equal(None, e.Hear(200, 1, interval: 3, version: 2));
        Assert.Equal(4.609375, e.Due);
    }

    [Fact]
    [Trait("Point", "50")]
    public void Who_sends_both_versions_is_heard_in_version_3_only()
    {
        Election e = new(new VrrpSettings { AlsoVersion2 = true, Interval = Election.S(0.5) });
        e.Start();
        Assert.Equal(IntervalLearned, e.Hear(200, 1, interval: 1, version: 2));
        Assert.Equal(IntervalLearned, e.Hear(200, 1.5, interval: 0.5));
        double due = e.Due;
        Assert.Equal(None, e.Hear(200, 1.6, interval: 1, version: 2));
        Assert.Equal(due, e.Due);
        Assert.Equal(IntervalLearned, e.Hear(200, 1.7, Election.Lower, interval: 1, version: 2)); // Another node that has version 2 only.
    }

    [Fact]
    [Trait("Row", "V4")]
    [Trait("Point", "54")]
    public void The_preempt_delay_counts_from_the_first_lower_advert_and_anew_for_another_Active()
    {
        Election e = new(new VrrpSettings { PreemptDelay = Election.S(10) });
        e.Start();
        for (int second = 1; second <= 10; second++) e.Hear(50, second);
        Assert.Equal(13.609375, e.Due);
        e.Hear(50, 11); // Ten seconds after the first one.
        Assert.Equal(13.609375, e.Due);
        e.Hear(60, 12, Election.Lower);
        Assert.Equal(15.609375, e.Due);
        e.Hear(200, 13, Election.Lower);
        e.Hear(50, 14, Election.Lower);
        e.Hear(50, 23.9, Election.Lower);
        Assert.Equal(27.509375, e.Due, 6);
        e.Hear(50, 24, Election.Lower);
        Assert.Equal(TakesOver, e.Deadline(27.51));
    }

    [Fact]
    [Trait("Row", "V22")]
    [Trait("Point", "54")]
    public void The_startup_delay_comes_before_everything()
    {
        Election e = new(new VrrpSettings { StartupDelay = Election.S(30) });
        e.Start();
        Assert.Equal(33.609375, e.Due);
        e.Hear(0, 2);
        Assert.Equal(30, e.Due);
        e.Hear(200, 29);
        Assert.Equal(32.609375, e.Due);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(255)]
    [Trait("Row", "V22")]
    public void Nothing_is_claimed_before_what_is_tracked_was_looked_at(byte priority)
    {
        Election e = new(new VrrpSettings { Priority = priority }, ready: false);
        Assert.Equal(BecameBackup, e.Start());
        Assert.Equal(WaitsForReady, e.Deadline(10));
        Assert.Equal((RouterState.Backup, double.PositiveInfinity), (e.Machine.State, e.Due));
        Assert.Equal(None, e.Deadline(11));
        Assert.Equal(TakesOver, e.Machine.Ready(Election.S(12)));
    }

    [Fact]
    [Trait("Row", "V22")]
    public void An_Active_heard_while_waiting_to_be_ready_starts_a_new_wait()
    {
        Election e = new(ready: false);
        e.Start();
        e.Deadline(10);
        e.Hear(200, 11);
        Assert.Equal(None, e.Machine.Ready(Election.S(12)));
        Assert.Equal(14.609375, e.Due);
    }

    [Fact]
    public void Starting_as_Active_waits_for_one_advert_of_a_living_one()
    {
        Election e = new(new VrrpSettings { Start = RouterStart.Active });
        Assert.Equal(BecameBackup, e.Start());
        Assert.Equal(1.609375, e.Due);
        e.Hear(101, 0.9);
        Assert.Equal(4.509375, e.Due, 6);
    }

    [Fact]
    [Trait("Row", "V24")]
    [Trait("Row", "X16")]
    public void Adverts_are_judged_by_when_they_arrived()
    {
        Election e = new();
        e.Start();
        e.Hear(200, 3.5, arrived: 1);
        Assert.Equal(4.609375, e.Due);
        e.Hear(200, 3.5, arrived: 3.2);
        e.Hear(200, 3.6, arrived: 2); // Overtaken by the one above.
        Assert.Equal(6.809375, e.Due, 6);
        e.Hear(200, 4, arrived: 99); // A clock that is ahead counts as now.
        Assert.Equal(7.609375, e.Due);
    }

    [Fact]
    [Trait("Row", "V24")]
    [Trait("Row", "X16")]
    public void After_a_pause_of_its_own_a_Backup_grants_one_more_interval()
    {
        Election e = new();
        e.Start();
        e.Hear(200, 1);
        Assert.Equal(None, e.Machine.Paused(Election.S(5), Election.S(9)));
        Assert.Equal(10.609375, e.Due);
        Assert.Equal(None, e.Deadline(9));
        e.Machine.Paused(Election.S(0), Election.S(10.5)); // Not late: no grace.
        Assert.Equal(10.609375, e.Due);
        Assert.Equal(TakesOver, e.Deadline(10.61));
        Assert.Equal(None, e.Machine.Paused(Election.S(5), Election.S(20)));
        Assert.Equal(11.61, e.Due);
    }

    [Fact]
    [Trait("Row", "V5")]
    public void A_fault_resigns_and_ends_with_a_whole_time_out()
    {
        Election e = new Election().Active();
        Assert.Equal(SendResign | ReleaseAddresses | BecameFault, e.Machine.Fault(Election.S(11)));
        Assert.Equal((RouterState.Fault, double.PositiveInfinity), (e.Machine.State, e.Due));
        Assert.Equal(None, e.Hear(200, 12));
        Assert.Equal(None, e.Machine.Fault(Election.S(12)));
        Assert.Equal(BecameBackup, e.Machine.Recover(Election.S(20)));
        Assert.Equal(23.609375, e.Due);
        Assert.Equal(BecameFault, e.Machine.Fault(Election.S(21)));
        Assert.Equal(BecameInitialize, e.Machine.Stop(Election.S(22)));
        Assert.Equal(None, e.Machine.Recover(Election.S(23)));
    }

    [Fact]
    [Trait("Row", "V3")]
    public void An_owner_that_recovers_is_Active_at_once()
    {
        Election owner = new(new VrrpSettings { Priority = 255 });
        owner.Start();
        owner.Machine.Fault(Election.S(1));
        Assert.Equal(TakesOver, owner.Machine.Recover(Election.S(2)));
    }

    [Fact]
    [Trait("Row", "V25")]
    public void A_hand_over_keeps_the_addresses_until_the_successor_is_heard()
    {
        Election e = new Election().Active();
        Assert.Equal(SendResign | BecameResigning, e.Machine.Stop(Election.S(10.2)));
        Assert.Equal((RouterState.Resigning, 11.2), (e.Machine.State, e.Due));
        Assert.Equal(SendResign, e.Deadline(11.2)); // The first one may be lost.
        Assert.Equal(None, e.Hear(0, 11.3));
        Assert.Equal(ReleaseAddresses | BecameInitialize, e.Hear(1, 11.4));
        Assert.Equal((RouterState.Initialize, double.PositiveInfinity), (e.Machine.State, e.Due));
    }

    [Fact]
    [Trait("Row", "V25")]
    public void A_hand_over_without_a_successor_ends_by_time_or_a_second_stop()
    {
        Election e = new Election().Active();
        e.Machine.Stop(Election.S(10));
        Assert.Equal(SendResign, e.Deadline(11));
        Assert.Equal(SendResign, e.Deadline(12));
        Assert.Equal(SendResign, e.Deadline(13));
        Assert.Equal(13.609375, e.Due);
        Assert.Equal(ReleaseAddresses | BecameInitialize, e.Deadline(13.609375));
        Election twice = new Election().Active();
        twice.Machine.Stop(Election.S(10));
        Assert.Equal(ReleaseAddresses | BecameInitialize, twice.Machine.Stop(Election.S(10.5)));
        Assert.Equal(None, twice.Machine.Stop(Election.S(10.6)));
    }

    [Theory]
    [InlineData(100, 120, 120)]
    [InlineData(100, 0, 1)]
    [InlineData(100, 255, 254)]
    [InlineData(255, 100, 255)]
    [Trait("Row", "V3")]
    [Trait("Point", "26")]
    [Trait("Point", "53")]
    public void Tracking_never_makes_an_owner_nor_a_resignation(byte configured, byte tracked, byte expected)
    {
        Election e = new(new VrrpSettings { Priority = configured });
        e.Machine.SetPriority(tracked, default);
        Assert.Equal(expected, e.Machine.EffectivePriority);
    }

    [Fact]
    [Trait("Point", "57")]
    public void A_reload_keeps_the_mastership_and_a_shorter_interval_counts_at_once()
    {
        Election e = new Election().Active(10);
        e.Machine.SetPriority(90, default);
        e.Machine.Reconfigure(new VrrpSettings { Priority = 120, Interval = Election.S(0.1) }, Election.S(10.3));
        Assert.Equal((RouterState.Active, 10.4, (byte)110), (e.Machine.State, e.Due, e.Machine.EffectivePriority));
        Assert.Equal(SendAdvertisement, e.Deadline(10.4));
        Election backup = new();
        backup.Start();
        backup.Machine.Reconfigure(new VrrpSettings { Priority = 255 }, Election.S(1));
        Assert.Equal(TakesOver, backup.Deadline(1));
    }

    [Fact]
    [Trait("Row", "V13")]
    [Trait("Point", "52")]
    public void Members_of_a_group_follow()
    {
        Election e = new();
        e.Start();
        Assert.Equal(TakesOver, e.Machine.Follow(RouterState.Active, Election.S(1)));
        Assert.Equal(SendResign | ReleaseAddresses | BecameBackup, e.Machine.Follow(RouterState.Backup, Election.S(2)));
        Assert.Equal((RouterState.Backup, 5.609375), (e.Machine.State, e.Due));
        Assert.Equal(None, e.Machine.Follow(RouterState.Backup, Election.S(3)));
    }
}
