using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

[Trait("Row", "H22")]
public sealed class ObservingTests
{
    private static CheckOptions Check => new() { Interval = TimeSpan.FromSeconds(10), FastInterval = TimeSpan.FromSeconds(1), Rise = 2, Fall = 3 };

    [Theory]
    [InlineData(OnError.FastInter)]
    [InlineData(OnError.FailCheck)]
    [InlineData(OnError.SuddenDeath)]
    [InlineData(OnError.MarkDown)]
    public void Every_reaction_has_the_next_check_after_the_fast_interval(OnError reaction)
    {
        using ProbeRig rig = Start();
        rig.Advance(13.5);
        rig.Watches[0].CallersFailed(reaction, 10);
        rig.Advance(0.9);
        Assert.Equal([0, 10], rig.Starts);
        rig.Advance(0.2);
        Assert.Equal([0, 10, 14.5], rig.Starts);
    }

    [Fact]
    public void A_check_that_is_due_sooner_is_not_put_off()
    {
        using ProbeRig rig = Start();
        rig.Advance(9.5);
        rig.Watches[0].CallersFailed(OnError.FastInter, 10);
        rig.Advance(1);
        Assert.Equal([0, 10], rig.Starts);

        // With a clear verdict the pace is the ordinary one again.
        rig.Advance(12);
        Assert.Equal([0, 10, 20], rig.Starts);
    }

    [Fact]
    public async Task Fail_check_counts_as_a_failed_check()
    {
        using ProbeRig rig = Start();
        rig.Advance(5);
        ServerWatch watch = rig.Watches[0];
        watch.CallersFailed(OnError.FailCheck, 10);
        watch.CallersFailed(OnError.FailCheck, 10);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        watch.CallersFailed(OnError.FailCheck, 12);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        Assert.Equal(["s1 Down: 12 failures in a row of its callers"], await rig.CausesAsync());
    }

    [Fact]
    public async Task Sudden_death_leaves_one_failed_check()
    {
        using ProbeRig rig = Start();
        rig.Advance(5);
        rig.Watches[0].CallersFailed(OnError.SuddenDeath, 10);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        rig.Checker.Then("s1", FakeHealthChecker.Fail);
        rig.Advance(1);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        Assert.Equal(["s1 Down: L4CON: connection refused, 2/3 failed"], await rig.CausesAsync());
    }

    [Fact]
    public async Task Mark_down_acts_at_once_and_only_checks_bring_the_server_back()
    {
        using ProbeRig rig = Start();
        rig.Advance(5);
        rig.Watches[0].CallersFailed(OnError.MarkDown, 10);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        rig.Advance(1);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        rig.Advance(1);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        Assert.Equal(["s1 Down: 10 failures in a row of its callers", "s1 Up: L7OK/200: OK, 2/2 passed"], await rig.CausesAsync());
    }

    [Fact]
    public void With_several_checks_every_one_must_bring_it_back()
    {
        using ProbeRig rig = new(checks: [Check, Check]);
        rig.Start();
        rig.Advance(12);
        rig.Watches[0].CallersFailed(OnError.MarkDown, 10);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        rig.Advance(1.5);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        rig.Advance(1);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
    }

    [Fact]
    public void In_the_middle_of_a_check_it_acts_too_and_the_check_still_counts()
    {
        using ProbeRig rig = Start();
        rig.Checker.Hold("s1");
        rig.Advance(10);
        rig.Watches[0].CallersFailed(OnError.MarkDown, 10);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        rig.Checker.Release("s1");
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        rig.Advance(1);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
    }

    [Fact]
    public void In_maintenance_and_after_the_stop_it_says_nothing()
    {
        using ProbeRig rig = Start();
        rig.Advance(1);
        rig.Pool.SetAdmin(rig.S1, ServerAdmin.Maintenance);
        rig.Watches[0].CallersFailed(OnError.MarkDown, 10);
        Assert.Equal(ServerHealth.Up, rig.S1.Health);
        rig.Pool.SetAdmin(rig.S1, ServerAdmin.Ready);
        rig.Dispose();
        rig.Watches[0].CallersFailed(OnError.MarkDown, 10);
        Assert.Equal(ServerHealth.Up, rig.S1.Health);

        // What is left is the pool's: the slow start of a server that left maintenance.
        rig.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(0, rig.Time.ActiveTimers);
    }

    private static ProbeRig Start() => new ProbeRig(checks: Check).Start();
}
