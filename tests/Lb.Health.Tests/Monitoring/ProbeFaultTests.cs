using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>What becomes of a loop whose checker, or whose pool, does not behave.</summary>
public sealed class ProbeFaultTests
{
    private const int Limit = 60_000;

    [Fact]
    [Trait("Row", "H1")]
    public void A_checker_that_throws_is_a_failed_check()
    {
        Exception[] errors = [new InvalidOperationException("bug"), new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.ConnectionRefused), new OperationCanceledException()];
        List<string> seen = [];
        foreach (Exception error in errors)
        {
            using ProbeRig rig = new(checks: new CheckOptions { Fall = 1 });
            ServerWatch watch = new(rig.Pool, rig.S1, rig.Environment);
            watch.Follow([new CheckPlan(rig.Checks[0], new DelegateChecker((_, _) => throw error))], [])[0].Start(0, 1);
            seen.Add($"{rig.S1.Status} {rig.S1.LastCheck!.Word} {rig.S1.LastCheck.Text}");
            watch.Stop([]);
        }

        Assert.Equal(
            [
                "Down L7RSP InvalidOperationException: bug",
                "Down L4CON connection refused",
                "Down L7RSP OperationCanceledException: The operation was canceled.",
            ],
            seen);
    }

    [Fact]
    [Trait("Row", "H1")]
    [Trait("Row", "H28")]
    public void A_fault_of_our_own_is_told_but_not_held_against_the_server()
    {
        using ProbeRig rig = new(checks: new CheckOptions { Fall = 1 });
        ServerWatch watch = new(rig.Pool, rig.S1, rig.Environment);
        DelegateChecker checker = new(static (_, _) => ValueTask.FromResult(new ProbeResult(CheckStatus.SocketError, 0, "too many open files")));
        watch.Follow([new CheckPlan(rig.Checks[0], checker)], [])[0].Start(0, 1);
        Assert.Equal((ServerStatus.Up, "SOCKERR", "too many open files"), (rig.S1.Status, rig.S1.LastCheck!.Word, rig.S1.LastCheck.Text));
        watch.Stop([]);
    }

    [Fact]
    [Trait("Row", "H3")]
    public void A_checker_that_lets_the_cancellation_through_has_timed_out()
    {
        using ProbeRig rig = new(checks: new CheckOptions { Fall = 1 });
        ServerWatch watch = new(rig.Pool, rig.S1, rig.Environment);
        DelegateChecker checker = new(static (_, ct) =>
        {
            TaskCompletionSource<ProbeResult> never = new();
            ct.Register(() => never.TrySetCanceled(ct));
            return new ValueTask<ProbeResult>(never.Task);
        });
        watch.Follow([new CheckPlan(rig.Checks[0], checker)], [])[0].Start(0, 1);
        rig.Advance(2);
        Assert.Equal((CheckStatus.Layer7Timeout, "no answer in time"), (rig.S1.LastCheck!.Status, rig.S1.LastCheck.Text));
        watch.Stop([]);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H3")]
    public async Task A_checker_that_never_comes_back_is_a_failed_check_and_is_not_called_twice()
    {
        using ProbeRig rig = new(checks: new CheckOptions { Fall = 2 });
        rig.Checker.Hold("s1", ignoreCancellation: true);
        rig.Start();
        rig.Advance(2);
        Assert.Null(rig.S1.LastCheck);
        rig.Advance(1);

        // Its time and the grace are over: failed, and its slot is free. The next check finds it still running: failed too.
        Assert.Equal(CheckStatus.Layer7Timeout, rig.S1.LastCheck!.Status);
        Assert.Equal(0, rig.Environment.Running);
        rig.Advance(2);
        Assert.Equal(ServerStatus.Down, rig.S1.Status);
        rig.Advance(20);
        Assert.Equal([0], rig.Starts);

        // Once it has come back, checks go on.
        rig.Checker.Release("s1");
        await WhenIdleAsync(rig);
        rig.Advance(6);
        Assert.Equal(ServerStatus.Up, rig.S1.Status);
    }

    [Fact]
    public void A_policy_that_fails_does_not_end_the_checks()
    {
        FailingPolicy policy = new();
        using ProbeRig rig = new(servers: 2, pool: p => p.Policy = () => policy, checks: new CheckOptions { Fall = 1, Rise = 1 });
        rig.Start();
        rig.Advance(1);
        policy.Fails = true;
        rig.Checker.Then("s1", FakeHealthChecker.Fail);
        rig.Advance(1);
        policy.Fails = false;
        rig.Advance(2);
        Assert.Equal(["s1", "s2", "s1", "s2", "s1"], rig.Checker.Calls.Select(c => c.Server));
        Assert.Equal(2, rig.Pool.Snapshot!.Servers.Length);
    }

    private sealed class FailingPolicy : ISchedulingPolicy
    {
        private readonly First _inner = new();

        public bool Fails { get; set; }

        public IScheduler Build(PoolSnapshot snapshot) => Fails ? throw new InvalidOperationException("bug") : _inner.Build(snapshot);
    }

    private static async Task WhenIdleAsync(ProbeRig rig)
    {
        while (rig.Checker.Running > 0) await Task.Yield();
    }
}
