using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>A pause of this process says nothing of the servers.</summary>
[Trait("Row", "H29")]
public sealed class PauseTests
{
    [Fact]
    public async Task After_a_pause_each_check_runs_once_spread_over_an_interval()
    {
        const int servers = 100;
        using ProbeRig rig = new(servers, new ScriptedFractions([.. Enumerable.Range(0, servers).Select(i => (i + 0.5) / servers)]), checks: new CheckOptions { Interval = S(10) });
        rig.Start();
        rig.Advance(10);
        Assert.Equal(servers + 1, rig.Starts.Length);

        rig.Clock.Pause(S(300));
        Assert.Equal(servers + 1, rig.Starts.Length);
        for (int second = 0; second < 10; second++)
        {
            int before = rig.Starts.Length;
            rig.Advance(1);
            Assert.Equal(10, rig.Starts.Length - before);
        }

        Assert.Equal(servers, rig.Checker.Calls.Skip(servers + 1).Select(c => c.Server).Distinct().Count());
        Assert.Equal(servers, rig.Environment.Overdue);
        Assert.Empty(await rig.CausesAsync());
    }

    [Fact]
    public void A_host_that_is_always_late_still_checks()
    {
        using ProbeRig rig = new(random: new ScriptedFractions(0.5), checks: new CheckOptions { Interval = S(4) });
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        rig.Start();

        // Every wake-up is 10 s late.
        for (int i = 0; i < 4; i++) rig.Clock.Pause(S(14));
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
    }

    [Theory]
    [InlineData(1.0, false)]
    [InlineData(1.001, true)]
    public void A_second_is_the_border(double late, bool overdue)
    {
        using ProbeRig rig = new(random: new ScriptedFractions(0.5), checks: new CheckOptions());
        rig.Start();
        rig.Clock.Pause(S(2 + late));
        Assert.Equal(overdue ? 1 : 2, rig.Starts.Length);
        Assert.Equal(overdue ? 1 : 0, rig.Environment.Overdue);
    }

    [Fact]
    public async Task A_time_out_in_a_pause_does_not_count()
    {
        using ProbeRig rig = new(random: new ScriptedFractions(0.5), checks: new CheckOptions { Interval = S(2), Fall = 1 });
        rig.Checker.Hold("s1");
        rig.Start();
        rig.Advance(1);
        rig.Clock.Pause(S(60));

        // The check goes on: the server has at least a slice more to answer.
        Assert.Equal(1, rig.Checker.Running);
        rig.Checker.Release("s1");
        Assert.True(rig.S1.LastCheck!.Passed);

        // All such checks of a host end now; the next ones are spread over an interval again.
        Assert.Equal([0], rig.Starts);
        rig.Advance(1);
        Assert.Equal([0, 62], rig.Starts);
        Assert.Empty(await rig.CausesAsync());
    }

    [Fact]
    public async Task A_failure_in_a_pause_does_not_count_but_the_next_one_does()
    {
        using ProbeRig rig = new(random: new ScriptedFractions(0.5), checks: new CheckOptions { Interval = S(2), Fall = 1 });
        rig.Checker.Hold("s1");
        rig.Start();
        rig.Clock.Pause(S(60));
        rig.Advance(2);

        // Silent for its whole fair time: no verdict, as we had paused; again after half an interval.
        Assert.Null(rig.S1.LastCheck);
        Assert.Equal((1, 0), (rig.Environment.Overdue, rig.Environment.Failed));
        rig.Advance(1);
        Assert.Equal([0, 63], rig.Starts);

        // A second pause in a row is no excuse.
        rig.Clock.Pause(S(60));
        rig.Advance(2);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        Assert.Equal(["s1 Down: L7TOUT: held by the test, 1/1 failed"], await rig.CausesAsync());
    }

    [Fact]
    public void A_failure_after_a_pause_that_the_checker_saw_first_does_not_count()
    {
        // The checker's own timer fires before ours: its result comes while our slice still looks like running.
        using ProbeRig rig = new(random: new ScriptedFractions(0.5), checks: new CheckOptions { Interval = S(2), Fall = 1 });
        ServerWatch watch = new(rig.Pool, rig.S1, rig.Environment);
        TaskCompletionSource<ProbeResult> answer = new();
        watch.Follow([new CheckPlan(rig.Checks[0], new DelegateChecker((_, _) => new ValueTask<ProbeResult>(answer.Task)))], [])[0].Start(0, 1);
        rig.Time.Advance(S(0.1));
        using ITimer first = rig.Clock.CreateTimer(_ => answer.SetResult(FakeHealthChecker.Fail), null, S(0.1), Timeout.InfiniteTimeSpan);
        rig.Clock.Pause(S(30));
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        Assert.Equal(1, rig.Environment.Overdue);
        watch.Stop([]);
    }

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
