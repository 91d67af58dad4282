namespace Lb.Health.Tests.Judging;

public sealed class ProbeScheduleTests
{
    private static readonly ProbeSchedule Schedule = new(Seconds(10), Seconds(1), Seconds(30));

    [Theory]
    [Trait("Row", "H2")]
    [InlineData("", 1)]
    [InlineData("+", 10)]
    [InlineData("+-", 1)]
    [InlineData("+--", 1)]
    [InlineData("+---", 30)]
    [InlineData("+---+", 1)]
    [InlineData("+---+-", 30)]
    [InlineData("+---++", 10)]
    public void The_state_chooses_the_interval(string checks, int seconds)
    {
        HealthJudge judge = Judge(checks);
        Assert.Equal(Seconds(seconds), Schedule.IntervalFor(judge));
        Assert.Equal(Seconds(100 + seconds), Schedule.Next(Seconds(100), judge, 0, 0.5, Seconds(100)));
    }

    [Fact]
    [Trait("Row", "H2")]
    public void Fast_and_down_intervals_default_to_the_interval() =>
        Assert.Equal(new ProbeSchedule(Seconds(7), Seconds(7), Seconds(7)), ProbeSchedule.From(new CheckOptions { Interval = Seconds(7) }));

    [Theory]
    [Trait("Row", "H3")]
    [InlineData(109, 110)]
    [InlineData(110, 110)]
    [InlineData(125, 125)]
    public void Is_counted_from_the_last_start_and_never_overlaps(int now, int next) =>
        Assert.Equal(Seconds(next), Schedule.Next(Seconds(100), Judge("+"), 0, 0.5, Seconds(now)));

    [Theory]
    [Trait("Row", "H4")]
    [InlineData(50, 0.0, 15.0)]
    [InlineData(50, 0.5, 10.0)]
    [InlineData(50, 0.75, 7.5)]
    [InlineData(10, 0.0, 11.0)]
    [InlineData(0, 0.0, 10.0)]
    public void Spread_changes_the_interval_in_both_directions(int percent, double chance, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Schedule.Next(TimeSpan.Zero, Judge("+"), percent, chance, TimeSpan.Zero));

    [Fact]
    [Trait("Row", "H4")]
    public void First_checks_are_spread_over_one_interval()
    {
        Assert.Equal([0, 2.5, 5, 7.5], Enumerable.Range(0, 4).Select(i => Schedule.FirstDelay(i, 4).TotalSeconds));
        Assert.Equal(TimeSpan.Zero, Schedule.FirstDelay(0, 1));

        // 24 days times 100 000 servers does not overflow.
        ProbeSchedule longest = new(TimeSpan.FromDays(24), Seconds(1), Seconds(1));
        Assert.Equal(TimeSpan.FromDays(12), longest.FirstDelay(50_000, 100_000));
    }

    [Theory]
    [Trait("Row", "H29")]
    [InlineData(1000, false)]
    [InlineData(1001, true)]
    [InlineData(-5, false)]
    public void More_than_a_second_late_is_overdue(int lateMilliseconds, bool overdue) =>
        Assert.Equal(overdue, ProbeSchedule.IsOverdue(Seconds(50), Seconds(50) + TimeSpan.FromMilliseconds(lateMilliseconds)));

    [Fact]
    [Trait("Row", "H29")]
    public void Overdue_checks_are_spread_over_the_interval_of_their_state()
    {
        Assert.Equal(Seconds(105), Schedule.PutOff(Judge("+"), 0.5, Seconds(100)));
        Assert.Equal(Seconds(100.25), Schedule.PutOff(Judge("+-"), 0.25, Seconds(100)));
        Assert.Equal(Seconds(100), Schedule.PutOff(Judge("+"), 0, Seconds(100)));
    }

    [Theory]
    [Trait("Row", "H3")]
    [InlineData(2, null, 5, 2, 2)]
    [InlineData(10, null, 5, 5, 10)]
    [InlineData(10, 3, 5, 5, 8)]
    [InlineData(2, 3, 5, 2, 5)]
    public void Limits_follow_HAProxy(int interval, int? timeout, int pool, int connect, int whole)
    {
        TimeSpan? answer = timeout is null ? null : Seconds(timeout.Value);
        Assert.Equal(new CheckTimeouts(Seconds(connect), answer, Seconds(whole)), CheckTimeouts.From(Seconds(interval), answer, Seconds(pool)));
    }

    private static HealthJudge Judge(string checks)
    {
        HealthJudge judge = new(2, 3);
        foreach (char check in checks) judge.Observe(check == '+');
        return judge;
    }

    private static TimeSpan Seconds(double value) => TimeSpan.FromSeconds(value);
}
