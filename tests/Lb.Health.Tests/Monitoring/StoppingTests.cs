using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>Checks that are answered with 404 by servers that want no new traffic.</summary>
[Trait("Row", "H21")]
public sealed class StoppingTests
{
    private static readonly ProbeResult Gone = new(CheckStatus.Layer7OkConditional, 404, "Not Found");

    private static CheckOptions Check => new() { Type = "http", DisableOn404 = true };

    [Fact]
    public async Task One_404_stops_new_traffic_and_one_good_answer_brings_it_back()
    {
        using ProbeRig rig = new(checks: Check);
        rig.Checker.Then("s1", FakeHealthChecker.Pass, Gone, Gone, FakeHealthChecker.Pass);
        rig.Start();
        rig.Advance(1);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        rig.Advance(2);
        Assert.Equal((ServerHealth.Stopping, ServerStatus.Stopping, "L7OKC"), (rig.S1.Health, rig.S1.Status, rig.S1.LastCheck?.Word));
        rig.Advance(4);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        Assert.Equal(["s1 Stopping: L7OKC/404: Not Found", "s1 Up: L7OK/200: OK"], await rig.CausesAsync());
        Assert.Equal(0, rig.Environment.Failed);
    }

    [Fact]
    public async Task A_server_that_is_down_stays_down_with_404()
    {
        using ProbeRig rig = new(checks: Check);
        rig.Checker.Then("s1", FakeHealthChecker.Fail, FakeHealthChecker.Fail, FakeHealthChecker.Fail, FakeHealthChecker.Pass);
        rig.Checker.Answer("s1", Gone);
        rig.Start();
        rig.Advance(21);
        Assert.Equal((ServerStatus.Down, CheckStatus.Layer7Status, 404), (rig.S1.Status, rig.S1.LastCheck?.Status, rig.S1.LastCheck?.Code));
        rig.Checker.Answer("s1", FakeHealthChecker.Pass);
        rig.Advance(4);
        rig.Checker.Answer("s1", Gone);
        rig.Advance(2);
        Assert.Equal(["s1 Down: L4CON: connection refused, 3/3 failed", "s1 Up: L7OK/200: OK, 2/2 passed", "s1 Stopping: L7OKC/404: Not Found"], await rig.CausesAsync());
    }

    [Fact]
    public async Task Failed_checks_leave_it_as_it_is_until_the_server_is_down()
    {
        using ProbeRig rig = new(checks: Check);
        rig.Checker.Then("s1", Gone, FakeHealthChecker.Fail, FakeHealthChecker.Fail, Gone, FakeHealthChecker.Fail, FakeHealthChecker.Fail, FakeHealthChecker.Fail);
        rig.Start();
        rig.Advance(30);
        Assert.Equal(
            ["s1 Stopping: L7OKC/404: Not Found", "s1 Down: L4CON: connection refused, 3/3 failed", "s1 Up: L7OK/200: OK, 2/2 passed"], await rig.CausesAsync());
    }

    [Fact]
    public void Another_check_that_fails_takes_the_server_down_and_404_does_not_bring_it_back()
    {
        // Both checks have one checker: results come in turn, first that of the plain one.
        using ProbeRig rig = new(checks: [new CheckOptions { Fall = 1, Rise = 1 }, new CheckOptions { Type = "http", DisableOn404 = true, Fall = 1, Rise = 1 }]);
        rig.Checker.Then("s1", FakeHealthChecker.Pass, Gone, FakeHealthChecker.Fail, Gone, FakeHealthChecker.Pass, Gone, FakeHealthChecker.Pass, FakeHealthChecker.Pass);
        rig.Start();
        rig.Advance(1.5);
        Assert.Equal(ServerStatus.Stopping, rig.S1.Status);
        rig.Advance(2);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        rig.Advance(2);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        rig.Advance(2);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
    }

    [Fact]
    public void It_is_remembered_in_maintenance_and_over_a_changed_check()
    {
        using ProbeRig rig = new(checks: Check);
        rig.Checker.Answer("s1", Gone);
        rig.Start();
        rig.Advance(1);
        rig.Pool.SetAdmin(rig.S1, ServerAdmin.Maintenance);
        rig.Advance(10);
        rig.Pool.SetAdmin(rig.S1, ServerAdmin.Ready);
        Assert.Equal(ServerStatus.Stopping, rig.S1.Status);
        List<Task> ended = [];
        rig.Watches[0].Follow([new CheckPlan(new CheckOptions { Type = "http", DisableOn404 = true, Path = "/new" }, rig.Checker)], ended);
        Assert.Equal(ServerStatus.Stopping, rig.S1.Status);
        rig.Watches[0].Follow([new CheckPlan(new CheckOptions(), rig.Checker)], ended);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
    }
}
