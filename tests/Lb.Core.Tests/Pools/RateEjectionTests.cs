using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>Servers that fail more of their callers in an interval than the others are taken out.</summary>
public sealed class RateEjectionTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    [Trait("Row", "H23")]
    public void A_success_rate_far_below_the_others_takes_a_server_out()
    {
        ServerPool pool = Pool(6, o => o.Outlier.ConsecutiveFailures = o.Outlier.ConsecutiveGatewayFailures = 0);
        pool.Mix(pool.Get("a"), successes: 70, failures: 30);
        foreach (Server server in pool.Servers.Skip(1)) pool.Mix(server, successes: 99, failures: 1);
        Assert.Equal(6, pool.Snapshot!.Servers.Length);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("b c d e f", pool.Usable());
        Assert.Equal(EjectionReason.SuccessRate, pool.Get("a").Ejection!.Reason);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("a b c d e f", pool.Usable());
    }

    [Theory]
    [Trait("Row", "H23")]
    [InlineData(85, 7, 43, true)]
    [InlineData(85, 7, 42, false)]
    [InlineData(85, 8, 42, false)]
    [InlineData(85, 10, 40, false)]
    [InlineData(0, 0, 50, false)]
    public void Too_many_failures_of_an_interval_take_a_server_out_if_asked(int percentage, int successes, int failures, bool isOut)
    {
        ServerPool pool = Pool(6, o =>
        {
            o.Outlier.ConsecutiveFailures = o.Outlier.ConsecutiveGatewayFailures = o.Outlier.SuccessRateStdevFactor = 0;
            o.Outlier.FailurePercentage = percentage;
        });
        foreach (Server server in pool.Servers.Skip(1)) pool.Mix(server, successes: 50, failures: 1);
        pool.Mix(pool.Get("a"), successes, failures);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(isOut ? EjectionReason.FailurePercentage : null, pool.Get("a").Ejection?.Reason);
    }

    [Fact]
    [Trait("Row", "H23")]
    public void Successes_of_earlier_intervals_do_not_count()
    {
        ServerPool pool = Pool(6, o => o.Outlier.ConsecutiveFailures = o.Outlier.ConsecutiveGatewayFailures = 0);
        foreach (Server server in pool.Servers) pool.Mix(server, successes: 10_000, failures: 1);
        _time.Advance(TimeSpan.FromSeconds(10));
        pool.Mix(pool.Get("a"), successes: 70, failures: 30);
        foreach (Server server in pool.Servers.Skip(1)) pool.Mix(server, successes: 99, failures: 1);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("b c d e f", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void A_pool_that_does_not_fail_has_no_timer()
    {
        ServerPool pool = Pool(3);
        pool.Take(pool.Get("a")).Complete(LeaseOutcome.Success);
        Assert.Equal(0, _time.ActiveTimers);
        pool.Fail(pool.Get("a"), 1);
        Assert.Equal(1, _time.ActiveTimers);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(0, _time.ActiveTimers);
    }

    private ServerPool Pool(int servers, Action<PoolOptions>? configure = null) => TestPool.Create(servers, configure: configure, time: _time);
}
