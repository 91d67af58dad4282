using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>nginx's max_fails, and a circuit breaker: out, then tried.</summary>
public sealed class CircuitBreakerTests
{
    private static readonly LeaseOutcome Refused = LeaseOutcome.Failure(FailureKind.Connect);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    [Trait("Row", "H24")]
    public void Max_fails_takes_a_server_out_and_then_tries_it_once()
    {
        ServerPool pool = Pool(2, o => o.MaxFails = 1);
        Server a = pool.Get("a");
        pool.Fail(a, 1);
        Assert.Equal("b", pool.Usable());
        _time.Advance(TimeSpan.FromSeconds(10));

        // One trial, and only one.
        ServerLease trial = pool.Take(a);
        for (int n = 0; n < 10; n++) Assert.Equal("b", pool.Pick().Server.Name);
        trial.Complete(Refused);
        Assert.Equal("b", pool.Usable());

        _time.Advance(TimeSpan.FromSeconds(10));
        pool.Take(a).Complete(LeaseOutcome.Success);
        Assert.Null(a.Ejection);
        Assert.Equal("a b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H24")]
    public void Max_fails_leaves_a_single_server_in()
    {
        ServerPool pool = Pool(1, o => o.MaxFails = 1);
        pool.Fail(pool.Get("a"), 3);
        Assert.Equal("a", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H31")]
    public void A_circuit_opens_is_tried_and_closes()
    {
        ServerPool pool = Pool(2, o =>
        {
            o.CircuitBreaker.ConsecutiveFailures = 3;
            o.CircuitBreaker.HalfOpenRequests = 2;
        });
        Server a = pool.Get("a");
        pool.Fail(a, 3);
        Assert.Equal(EjectionReason.CircuitOpen, a.Ejection!.Reason);
        Assert.Equal(ServerHealth.Up, a.Health);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.True(a.Ejection!.IsTrial);
        ServerLease one = pool.Take(a), two = pool.Take(a);
        Assert.False(a.HasRoom);
        one.Responded();
        one.Complete(LeaseOutcome.Success);
        Assert.NotNull(a.Ejection);
        two.Complete(LeaseOutcome.Success);
        Assert.Null(a.Ejection);
        Assert.Equal("a b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H31")]
    public void A_trial_whose_caller_gives_up_is_somebody_elses()
    {
        ServerPool pool = Pool(2, o => o.CircuitBreaker.ConsecutiveFailures = 3);
        Server a = pool.Get("a");
        pool.Fail(a, 3);
        _time.Advance(TimeSpan.FromSeconds(30));
        pool.Take(a).Complete(LeaseOutcome.Ignored);
        Assert.True(a.HasRoom);
        pool.Take(a).Complete(Refused);
        Assert.False(a.Ejection!.IsTrial);
    }

    [Fact]
    [Trait("Row", "H31")]
    public void An_old_lease_decides_no_trial()
    {
        ServerPool pool = Pool(2, o => o.CircuitBreaker.ConsecutiveFailures = 3);
        Server a = pool.Get("a");
        ServerLease[] old = [pool.Take(a), pool.Take(a)];
        pool.Fail(a, 3);
        _time.Advance(TimeSpan.FromSeconds(30));
        old[0].Complete(LeaseOutcome.Success);
        old[1].Complete(Refused);
        Assert.True(a.Ejection!.IsTrial);
    }

    [Fact]
    [Trait("Row", "H31")]
    public void An_open_circuit_stays_open_even_if_nobody_else_is_there()
    {
        ServerPool pool = Pool(1, o => o.CircuitBreaker.ConsecutiveFailures = 3);
        pool.Fail(pool.Get("a"), 3);
        Assert.Equal(PickFailure.NoServer, pool.FailToPick());
    }

    [Fact]
    [Trait("Row", "H31")]
    public void A_circuit_opens_by_percentage()
    {
        ServerPool pool = Pool(2, o =>
        {
            o.Outlier.Enabled = false;
            o.CircuitBreaker.FailurePercentage = 50;
            o.CircuitBreaker.MinimumRequests = 10;
        });
        Server a = pool.Get("a");
        pool.Fail(a, 1);
        for (int n = 0; n < 5; n++) pool.Take(a).Complete(LeaseOutcome.Success);
        pool.Fail(a, 3);
        Assert.Null(a.Ejection);
        pool.Fail(a, 1);
        Assert.Equal(EjectionReason.CircuitOpen, a.Ejection?.Reason);
    }

    private ServerPool Pool(int servers, Action<PoolOptions>? configure = null) => TestPool.Create(servers, configure: configure, time: _time);
}
