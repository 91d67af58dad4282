using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>Several attempts within one check, in virtual time.</summary>
[Trait("Row", "H6")]
public sealed class RetryTests
{
    private static readonly ProbeResult Pass = FakeHealthChecker.Pass, Fail = FakeHealthChecker.Fail;

    [Fact]
    public async Task A_failed_attempt_is_followed_by_others_and_one_that_passes_is_enough()
    {
        using ProbeRig rig = new(checks: Check(retry: 2));
        rig.Checker.Then("s1", Fail, Fail, Pass, Fail, Pass);
        rig.Start();
        rig.Advance(25);

        // Two failed attempts, then a good one; ten seconds after the start of that check the next, whose second attempt is good.
        Assert.Equal([0, 1, 2, 10, 11, 20], rig.Starts);
        Assert.Equal((3, 0), (rig.Environment.Run, rig.Environment.Failed));
        Assert.Empty(await rig.CausesAsync());
    }

    [Fact]
    public async Task When_all_fail_the_check_has_failed_once()
    {
        using ProbeRig rig = new(checks: Check(retry: 2));
        rig.Checker.Then("s1", Fail, Fail, Fail);
        rig.Start();
        rig.Advance(1.999);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        rig.Advance(0.001);
        Assert.Equal((1, 1), (rig.Environment.Run, rig.Environment.Failed));
        Assert.Equal(TimeSpan.FromSeconds(2), rig.S1.LastCheck?.Duration);
        Assert.Equal(["s1 Down: L4CON: connection refused, 1/1 failed"], await rig.CausesAsync());
    }

    [Fact]
    public void A_server_that_is_down_gets_one_attempt()
    {
        using ProbeRig rig = new(checks: Check(retry: 3));
        rig.Checker.Answer("s1", Fail);
        rig.Start();
        rig.Advance(35);
        Assert.Equal([0, 1, 2, 3, 10, 20, 30], rig.Starts);
        rig.Checker.Answer("s1", Pass);
        rig.Advance(10);
        rig.Checker.Answer("s1", Fail);
        rig.Advance(10);
        Assert.Equal([40, 50, 51, 52, 53], rig.Starts[^5..]);
    }

    [Fact]
    public void A_silent_server_has_the_whole_time_in_every_attempt()
    {
        CheckOptions check = Check(retry: 1);
        check.Timeout = TimeSpan.FromSeconds(3);
        using ProbeRig rig = new(checks: check, pool: static p => p.ConnectTimeout = TimeSpan.FromSeconds(1));
        rig.Checker.Hold("s1");
        rig.Start();

        // Connection 1 s and answer 3 s; a second later the same again.
        rig.Advance(8.9);
        Assert.Equal([0, 5], rig.Starts);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        rig.Advance(0.2);
        Assert.Equal((ServerStatus.Down, CheckStatus.Layer7Timeout), (rig.S1.Status, rig.S1.LastCheck?.Status));
        Assert.Equal(0, rig.Checker.Running);
    }

    [Fact]
    public void Exceptions_are_failed_attempts_and_no_delay_is_a_delay_too()
    {
        int calls = 0;
        CheckOptions check = Check(retry: 2);
        check.DelayBeforeRetry = TimeSpan.Zero;
        using ProbeRig rig = new();
        CheckPlan plan = new(check, new DelegateChecker((_, _) => ++calls < 3 ? throw new InvalidOperationException("broken") : new(Pass)), rig.Clock);
        ServerWatch watch = new(rig.Pool, rig.S1, rig.Environment);
        List<Task> ended = [];
        watch.Follow([plan], ended)[0].Start(0, 1);
        rig.Advance(0);
        Assert.Equal((3, ServerStatus.Up, true), (calls, rig.S1.Status, rig.S1.LastCheck?.Passed));
        watch.Stop(ended);
    }

    [Fact(Timeout = 60_000)]
    public async Task Checks_that_stop_do_not_wait_for_the_next_attempt()
    {
        using ProbeRig rig = new(checks: Check(retry: 100));
        rig.Checker.Answer("s1", Fail);
        rig.Start();
        rig.Advance(5);
        await rig.StopAsync(TestContext.Current.CancellationToken);
        rig.Advance(60);
        Assert.Equal(6, rig.Starts.Length);
    }

    [Theory]
    [InlineData(1, 0, 1, 1)]
    [InlineData(2, 3, 1, 11)]
    [InlineData(2, 1, 0, 4)]
    [InlineData(2_000_000, 100, 1, 2_073_600)]
    public void The_whole_time_is_that_of_all_attempts_and_delays(int attempt, int retry, int delay, int whole)
    {
        Assert.Equal(TimeSpan.FromSeconds(whole), CheckTimeouts.WithRetries(TimeSpan.FromSeconds(attempt), retry, TimeSpan.FromSeconds(delay)));
    }

    private static CheckOptions Check(int retry) => new() { Interval = TimeSpan.FromSeconds(10), Fall = 1, Rise = 1, Retry = retry };
}
