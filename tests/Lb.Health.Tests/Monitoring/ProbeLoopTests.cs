using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

public sealed class ProbeLoopTests
{
    private const int Limit = 60_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Row", "H1")]
    public async Task Defaults_check_every_2_s_and_flip_after_3_failed_and_2_passed()
    {
        using ProbeRig rig = new(checks: new CheckOptions());
        rig.Start();
        rig.Advance(3);
        Assert.Equal([0, 2], rig.Starts);

        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        rig.Advance(4.999);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        rig.Advance(0.001);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        Assert.Equal([0, 2, 4, 6, 8], rig.Starts);
        Assert.Null(rig.Pool.Snapshot);

        rig.Checker.Answer("s1", FakeHealthChecker.Pass);
        rig.Advance(2);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        rig.Advance(2);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
        Assert.Equal(["s1 Down: L4CON: connection refused, 3/3 failed", "s1 Up: L7OK/200: OK, 2/2 passed"], await rig.CausesAsync());
        Assert.Equal((7, 3, 0), (rig.Environment.Run, rig.Environment.Failed, rig.Environment.Overdue));
    }

    [Fact]
    [Trait("Row", "H1")]
    public async Task A_passed_check_in_between_starts_the_count_anew()
    {
        using ProbeRig rig = new(checks: new CheckOptions());
        ProbeResult pass = FakeHealthChecker.Pass, fail = FakeHealthChecker.Fail;
        rig.Checker.Then("s1", fail, fail, pass, fail, fail, pass);
        rig.Start();
        rig.Advance(100);
        Assert.Equal(51, rig.Starts.Length);
        Assert.Empty(await rig.CausesAsync());
    }

    [Fact]
    [Trait("Row", "H2")]
    public void The_state_chooses_the_interval()
    {
        using ProbeRig rig = new(checks: new CheckOptions { Interval = S(10), FastInterval = S(1), DownInterval = S(30) });
        ProbeResult pass = FakeHealthChecker.Pass, fail = FakeHealthChecker.Fail;
        rig.Checker.Then("s1", pass, fail, fail, fail, fail, pass, pass);
        rig.Start();
        rig.Advance(94);

        // Up: 10 s. In question: 1 s. Down: 30 s. In question again: 1 s. Up: 10 s.
        Assert.Equal([0, 10, 11, 12, 42, 72, 73, 83, 93], rig.Starts);
    }

    [Fact]
    [Trait("Row", "H4")]
    public void First_checks_are_spread_over_one_interval_of_all_pairs_of_server_and_check()
    {
        using ProbeRig rig = new(servers: 4, checks: [new CheckOptions { Interval = S(8) }, new CheckOptions { Interval = S(8), Port = 99 }]);
        rig.Start();
        rig.Advance(7.5);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], rig.Starts);
        Assert.Equal(["s1", "s1", "s2", "s2", "s3", "s3", "s4", "s4"], rig.Checker.Calls.Select(c => c.Server));
        Assert.Equal("127.0.0.1:8001 127.0.0.1:99", string.Join(' ', rig.Checker.Calls.Take(2).Select(c => c.Target.EndPoint)));
        rig.Advance(8);
        Assert.Equal([8, 9, 10, 11, 12, 13, 14, 15], rig.Starts[8..]);
    }

    [Fact]
    [Trait("Row", "H4")]
    public void Spread_changes_every_interval()
    {
        using ProbeRig rig = new(random: new ScriptedFractions(0, 0.5, 0.75, 0.25), checks: new CheckOptions { Interval = S(10) });
        rig.Follow(static o => o.Health.SpreadChecks = 20);
        rig.Start();
        rig.Advance(40.5);
        Assert.Equal([0, 12, 22, 31], rig.Starts);
    }

    [Fact]
    [Trait("Row", "H3")]
    public void A_check_longer_than_its_interval_is_followed_at_once_and_never_overlapped()
    {
        using ProbeRig rig = new(checks: new CheckOptions { Interval = S(2), Timeout = S(20) });
        rig.Checker.Hold("s1");
        rig.Start();
        rig.Advance(5);
        Assert.Equal([0], rig.Starts);
        rig.Checker.Release("s1");
        Assert.Equal([0, 5], rig.Starts);
        rig.Advance(2);
        Assert.Equal([0, 5, 7], rig.Starts);
        Assert.Equal(1, rig.Checker.MostRunning);
    }

    [Fact]
    [Trait("Row", "H3")]
    public void Without_a_time_out_the_whole_check_has_the_interval()
    {
        using ProbeRig rig = new(checks: new CheckOptions { Interval = S(2), Fall = 1 });
        rig.Checker.Hold("s1");
        rig.Start();
        rig.Advance(1.999);
        Assert.Null(rig.S1.LastCheck);
        rig.Advance(0.001);
        Assert.Equal((CheckStatus.Layer7Timeout, S(2), -1), (rig.S1.LastCheck!.Status, rig.S1.LastCheck.Duration, rig.S1.LastCheck.Consecutive));
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        Assert.Equal([0, 2], rig.Starts);
    }

    [Fact]
    [Trait("Row", "H3")]
    public void The_target_carries_HAProxys_limits()
    {
        using ProbeRig rig = new(pool: p => p.ConnectTimeout = S(3), checks: new CheckOptions { Interval = S(10), Timeout = S(4) });
        rig.Start();
        ProbeTarget target = Assert.Single(rig.Checker.Calls).Target;
        Assert.Equal((S(3), S(4), S(7)), (target.ConnectTimeout, target.AnswerTimeout!.Value, target.Timeout));
    }

    [Fact]
    [Trait("Row", "H28")]
    public void Every_result_is_reported()
    {
        using ProbeRig rig = new(checks: new CheckOptions { Interval = S(2), Timeout = S(10) });
        rig.Checker.Then("s1", new ProbeResult(CheckStatus.Layer7Status, 503, "Service\r\nUnavailable"));
        rig.Checker.Hold("s1");
        rig.Start();
        rig.Advance(0.25);
        rig.Checker.Release("s1");
        CheckReport expected = new(
            CheckStatus.Layer7Status, 503, TimeSpan.FromMilliseconds(250), "Service??Unavailable", ManualTimeProvider.Start.AddSeconds(0.25), -1);
        Assert.Equal(expected, rig.S1.LastCheck);
        rig.Advance(2);
        Assert.Equal(("L7OK", 200, 1), (rig.S1.LastCheck!.Word, rig.S1.LastCheck.Code, rig.S1.LastCheck.Consecutive));
    }

    [Fact]
    [Trait("Row", "H1")]
    public async Task With_several_checks_a_server_is_up_only_if_all_say_so()
    {
        CheckOptions first = new() { Interval = S(2), Rise = 1, Fall = 1 }, second = new() { Interval = S(2), Rise = 1, Fall = 1, Port = 99 };
        using ProbeRig rig = new(checks: [first, second]);
        rig.Start();
        rig.Advance(1.5);

        // Checks alternate: first at even seconds, second at odd ones.
        ProbeResult pass = FakeHealthChecker.Pass, fail = FakeHealthChecker.Fail;
        rig.Checker.Then("s1", fail, fail, pass, pass);
        string seen = "";
        for (int i = 0; i < 4; i++)
        {
            rig.Advance(1);
            seen += rig.S1.Status == ServerStatus.Up ? 'U' : 'D';
        }

        Assert.Equal("DDDU", seen);
        Assert.Equal(["s1 Down: L4CON: connection refused, 1/1 failed", "s1 Up: L7OK/200: OK, 1/1 passed"], await rig.CausesAsync());
    }

    [Fact]
    [Trait("Row", "P14")]
    public async Task The_initial_state_holds_until_the_first_check()
    {
        using ProbeRig rig = new(servers: 0, pool: p =>
        {
            foreach (InitState state in Enum.GetValues<InitState>()) p.Servers.Add(new ServerOptions { Name = $"{state}", Address = "127.0.0.1:1", InitState = state });
        }, checks: new CheckOptions { Interval = S(5) });
        Assert.Equal("None:Down FullyUp:Up Up:Up Down:Down FullyDown:Down", Show());
        rig.Checker.Answer("Up", FakeHealthChecker.Fail);
        rig.Checker.Answer("FullyUp", FakeHealthChecker.Fail);
        rig.Start();
        rig.Advance(4.5);
        Assert.Equal("None:Up FullyUp:Up Up:Down Down:Up FullyDown:Down", Show());
        rig.Advance(10);
        Assert.Equal("None:Up FullyUp:Down Up:Down Down:Up FullyDown:Up", Show());
        string cause = Assert.Single(await rig.CausesAsync(), c => c.StartsWith("Up ", StringComparison.Ordinal));
        Assert.Equal("Up Down: L4CON: connection refused, first check failed", cause);

        string Show() => string.Join(' ', rig.Pool.Servers.Select(s => $"{s.Name}:{s.Health}"));
    }

    [Fact]
    [Trait("Row", "H1")]
    public void A_server_in_maintenance_is_not_checked_and_keeps_its_health()
    {
        using ProbeRig rig = new(checks: new CheckOptions());
        rig.Checker.Then("s1", FakeHealthChecker.Pass, FakeHealthChecker.Fail);
        rig.Start();
        rig.Advance(2);
        rig.Pool.SetAdmin(rig.S1, ServerAdmin.Maintenance);
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        rig.Advance(21);
        Assert.Equal([0, 2], rig.Starts);
        Assert.Equal(ServerHealth.Up, rig.S1.Health);

        // Old knowledge: the first check decides alone.
        rig.Pool.SetAdmin(rig.S1, ServerAdmin.Ready);
        rig.Advance(1);
        Assert.Equal([0, 2, 24], rig.Starts);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);

        rig.Pool.SetAdmin(rig.S1, ServerAdmin.Maintenance);
        rig.Advance(20);
        rig.Checker.Answer("s1", FakeHealthChecker.Pass);
        rig.Pool.SetAdmin(rig.S1, ServerAdmin.Ready);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        rig.Advance(2);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
    }

    [Fact]
    [Trait("Row", "H1")]
    public void A_check_that_ends_in_maintenance_does_not_count()
    {
        using ProbeRig rig = new(checks: new CheckOptions { Fall = 1 });
        rig.Checker.Then("s1", FakeHealthChecker.Fail);
        rig.Checker.Hold("s1");
        rig.Start();
        rig.Pool.SetAdmin(rig.S1, ServerAdmin.Maintenance);
        rig.Checker.Release("s1");
        Assert.Equal(ServerHealth.Up, rig.S1.Health);
        Assert.Null(rig.S1.LastCheck);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H4")]
    public async Task Checks_wait_for_a_slot_without_losing_their_time()
    {
        using ProbeRig rig = new(servers: 3, checks: new CheckOptions { Interval = S(3), Fall = 1 });
        rig.Follow(static o => o.Health.MaxConcurrentChecks = 1);
        foreach (Server server in rig.Pool.Servers) rig.Checker.Hold(server.Name);
        rig.Start();
        rig.Advance(2.5);
        Assert.Equal([0], rig.Starts);

        // s1's time is up at 3 s; s2 has waited for 2 s by then, and still has its 3 s.
        rig.Advance(0.5);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        await rig.Checker.WhenCallsReach(2, Ct);
        Assert.Equal([0, 3], rig.Starts);
        rig.Advance(2.999);
        Assert.Equal(ServerStatus.Up, rig.Pool.Servers[1].Status);
        rig.Checker.Release("s2");
        await rig.Checker.WhenCallsReach(3, Ct);
        Assert.Equal(["s1", "s2", "s3"], rig.Checker.Calls.Select(c => c.Server));
        Assert.Equal(1, rig.Checker.MostRunning);
        Assert.Equal(ServerStatus.Up, rig.Pool.Servers[1].Status);
    }

    [Fact(Timeout = Limit)]
    public async Task Stopping_cancels_a_running_check_and_forgets_its_result()
    {
        using ProbeRig rig = new(servers: 2, checks: new CheckOptions { Fall = 1 });
        rig.Checker.Hold("s1");
        rig.Start();
        rig.Advance(0.5);
        await rig.StopAsync(Ct);
        Assert.Equal(0, rig.Checker.Running);
        Assert.Null(rig.S1.LastCheck);
        Assert.Equal(0, rig.Environment.Running);
        Assert.Equal(0, rig.Time.ActiveTimers);
        rig.Advance(100);
        Assert.Equal([0], rig.Starts);
    }

    [Fact]
    [Trait("Row", "H29")]
    public void A_wall_clock_that_is_set_changes_nothing()
    {
        using ProbeRig rig = new(checks: new CheckOptions());
        rig.Start();
        rig.Advance(3);
        rig.Time.SetUtcNow(ManualTimeProvider.Start.AddYears(-10));
        rig.Advance(4);
        rig.Time.SetUtcNow(ManualTimeProvider.Start.AddYears(10));
        rig.Advance(4);
        Assert.Equal(6, rig.Checker.Calls.Count);
        Assert.Equal(0, rig.Environment.Overdue);
    }

    [Fact]
    [Trait("Row", "H4")]
    public void A_check_allocates_512_bytes_at_most()
    {
        ProbeResult pass = FakeHealthChecker.Pass;
        using ProbeRig rig = new(checks: new CheckOptions());
        ServerWatch watch = new(rig.Pool, rig.S1, rig.Environment);
        watch.Follow([new CheckPlan(rig.Checks[0], new DelegateChecker((_, _) => new ValueTask<ProbeResult>(pass)))], [])[0].Start(0, 1);
        rig.Advance(200);
        long run = rig.Environment.Run, before = GC.GetAllocatedBytesForCurrentThread();
        rig.Advance(2000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(1000, rig.Environment.Run - run);

        // The manual clock's own nodes included. See TcpCheckerTests for the part of the checker: nothing.
        Assert.InRange(allocated / 1000, 1, 512);
        watch.Stop([]);
    }

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
