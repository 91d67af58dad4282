namespace Lb.Vrrp.Tests;

[Trait("Row", "V10")]
public sealed class AnnounceScheduleTests
{
    private static RouterAnnounceOptions Options(int repeat = 1, double delay = 0, double refresh = 0, double spacing = 0, int lower = 1) => new()
    {
        Repeat = repeat, Delay = Election.S(delay), Refresh = Election.S(refresh), Spacing = Election.S(spacing), LowerPriorityRepeat = lower,
    };

    [Fact]
    public void A_burst_is_whole_rounds_of_all_addresses()
    {
        AnnounceSchedule schedule = new(3, Options(repeat: 2));
        Assert.Equal(TimeSpan.MaxValue, schedule.Due);
        schedule.Start(Election.S(10));
        Assert.Equal(Election.S(10), schedule.Due);
        Assert.Equal([0, 1, 2, 0, 1, 2], Sent(schedule, 10));
        Assert.Equal(TimeSpan.MaxValue, schedule.Due);
    }

    [Fact]
    public void The_burst_comes_again_once_after_the_delay()
    {
        AnnounceSchedule schedule = new(1, Options(repeat: 5, delay: 5));
        schedule.Start(Election.S(10));
        Assert.Equal(5, Sent(schedule, 10).Count);
        Assert.Equal(Election.S(15), schedule.Due);
        Assert.Empty(Sent(schedule, 14.9));
        Assert.Equal(5, Sent(schedule, 15).Count);
        Assert.Equal(TimeSpan.MaxValue, schedule.Due);
    }

    [Fact]
    public void Refreshes_come_without_drift_and_missed_ones_are_not_made_up_for()
    {
        AnnounceSchedule schedule = new(2, Options(refresh: 1));
        schedule.Start(Election.S(10));
        Sent(schedule, 10);
        Assert.Equal([0, 1], Sent(schedule, 11.25));
        Assert.Equal(Election.S(12), schedule.Due);
        Assert.Equal([0, 1], Sent(schedule, 15.5));
        Assert.Equal(Election.S(16.5), schedule.Due);
    }

    [Fact]
    public void Messages_keep_their_distance()
    {
        AnnounceSchedule schedule = new(2, Options(repeat: 2, spacing: 0.1));
        schedule.Start(Election.S(10));
        Assert.Equal([0], Sent(schedule, 10));
        Assert.Equal(Election.S(10.1), schedule.Due);
        Assert.Empty(Sent(schedule, 10.09));
        Assert.Equal([1], Sent(schedule, 10.1));
        Assert.Equal([0], Sent(schedule, 10.25));
        Assert.Equal([1], Sent(schedule, 10.35));
        schedule.Again(Election.S(10.4));
        Assert.Equal(Election.S(10.45), schedule.Due);
    }

    [Fact]
    public void A_flood_of_lower_adverts_is_one_round_at_a_time()
    {
        AnnounceSchedule schedule = new(2, Options());
        schedule.Start(Election.S(10));
        Sent(schedule, 10);
        for (int i = 0; i < 100; i++) schedule.Again(Election.S(11));
        Assert.Equal([0, 1], Sent(schedule, 11));
        AnnounceSchedule none = new(2, Options(lower: 0));
        none.Again(Election.S(11));
        Assert.Empty(Sent(none, 11));
    }

    [Fact]
    public void Who_is_not_Active_any_more_says_nothing()
    {
        AnnounceSchedule schedule = new(2, Options(5, 5, 1));
        schedule.Start(Election.S(10));
        schedule.Stop();
        Assert.Equal(TimeSpan.MaxValue, schedule.Due);
        Assert.Empty(Sent(schedule, 100));
        new AnnounceSchedule(0, Options(5, 5, 1)).Start(Election.S(10)); // No addresses: nothing to divide by.
    }

    private static List<int> Sent(AnnounceSchedule schedule, double at)
    {
        List<int> sent = [];
        while (schedule.TryNext(Election.S(at), out int index)) sent.Add(index);
        return sent;
    }
}
