using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>A process that is suspended for 30 s, or whose clock jumps, at any time of an interval: no server changes its state for that.</summary>
[Trait("Row", "H29")]
public sealed class SuspendedTests
{
    public static TheoryData<int> Phases => [.. Enumerable.Range(0, 20).Select(static i => i * 100)];

    [Theory]
    [MemberData(nameof(Phases))]
    public async Task Suspended_between_checks_a_good_server_stays_up_and_a_dead_one_is_found(int phase)
    {
        using ProbeRig rig = Start(10_000 + phase);
        rig.Clock.Pause(TimeSpan.FromSeconds(30));
        int before = rig.Starts.Length;
        rig.Advance(20);

        // As many checks as usual: none is made up for.
        Assert.InRange(rig.Starts.Length - before, 9, 11);
        Assert.Empty(await rig.CausesAsync());
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        rig.Advance(10);
        Assert.Equal(["s1 Down: L4CON: connection refused, 5/5 failed"], await rig.CausesAsync());
    }

    [Theory]
    [MemberData(nameof(Phases))]
    public async Task Suspended_within_a_check_again_and_again_a_good_server_stays_up(int phase)
    {
        using ProbeRig rig = Start(10_000);
        for (int i = 0; i < 10; i++)
        {
            // A check runs while we are away; its answer is there when we are back.
            rig.Checker.Hold("s1");
            rig.Time.Advance(TimeSpan.FromMilliseconds(2000 + phase));
            rig.Clock.Pause(TimeSpan.FromSeconds(30));
            rig.Checker.Release("s1");
            rig.Advance(10);
        }

        Assert.Empty(await rig.CausesAsync());
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        Assert.Equal(1, rig.Checker.MostRunning);
    }

    [Theory]
    [MemberData(nameof(Phases))]
    public async Task A_server_about_to_fall_does_not_fall_by_a_pause(int phase)
    {
        using ProbeRig rig = Start(10_000 + phase);
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        rig.Advance(8);
        Assert.Equal(-4, rig.S1.LastCheck!.Consecutive);
        rig.Checker.Answer("s1", FakeHealthChecker.Pass);
        rig.Clock.Pause(TimeSpan.FromSeconds(30));
        rig.Advance(10);
        Assert.Empty(await rig.CausesAsync());
        Assert.True(rig.S1.LastCheck!.Passed);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(-24 * 365)]
    [InlineData(24 * 365)]
    public async Task A_wall_clock_that_jumps_while_a_server_falls_changes_no_time(int hours)
    {
        using ProbeRig rig = Start(10_000);
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        for (int i = 0; i < 9; i++)
        {
            rig.Time.SetUtcNow(rig.Time.GetUtcNow().AddHours(i % 2 == 0 ? hours : -hours));
            rig.Advance(1);
        }

        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        rig.Advance(1);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        Assert.Equal(0, rig.Environment.Overdue);
        Assert.Single(await rig.CausesAsync());
    }

    private static ProbeRig Start(int milliseconds)
    {
        ProbeRig rig = new(random: new ScriptedFractions(0.5), checks: new CheckOptions { Interval = TimeSpan.FromSeconds(2), Rise = 2, Fall = 5 });
        rig.Start();
        rig.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        return rig;
    }
}
