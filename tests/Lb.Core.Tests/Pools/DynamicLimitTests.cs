using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>HAProxy's minconn and fullconn: a quiet pool keeps its servers quieter than their limit.</summary>
[Trait("Row", "L5")]
public sealed class DynamicLimitTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void The_limit_grows_with_what_the_pool_has_to_do()
    {
        // max(2, load * 8 / 10), in whole numbers; the load is who is served, who waits and who asks.
        ServerPool pool = Create(minimum: 2, maximum: 8, full: 10);
        Server a = pool.Get("a");
        List<int> inFlight = [];
        for (int load = 1; load <= 10; load++)
        {
            _ = pool.AcquireAsync(default, Ct).AsTask();
            inFlight.Add(a.InFlight);
            Assert.Equal(load, a.InFlight + pool.QueueLength);
        }

        Assert.Equal([1, 2, 2, 3, 4, 4, 5, 6, 7, 8], inFlight);

        // On the way back, too: one that waits is served when the limit for what is left allows it.
        ServerLease one = new(a, 0);
        List<int> after = [];
        for (int n = 0; n < 9; n++)
        {
            one.Complete(LeaseOutcome.Success);
            after.Add(a.InFlight);
        }

        Assert.Equal([7, 6, 5, 4, 4, 3, 2, 2, 1], after);
    }

    // The numbers of HAProxy's own example of fullconn: 100 to 1000 connections, the full 1000 at a load of 10 000.
    [Theory]
    [InlineData(1, 100)]
    [InlineData(1009, 100)]
    [InlineData(1010, 101)]
    [InlineData(5000, 500)]
    [InlineData(9999, 999)]
    [InlineData(10000, 1000)]
    [InlineData(20000, 1000)]
    public void As_HAProxy_s_example_says(int load, int limit)
    {
        ServerPool pool = Create(minimum: 100, maximum: 1000, full: 10_000, others: 1);
        Server a = pool.Get("a"), b = pool.Get("b");
        for (int n = 0; n < load - 1; n++) Assert.True(b.TryEnter(isNewcomer: false));
        pool.TryPick(new PickContext { Avoid = b }, out _, out _);
        Assert.Equal(limit, a.Limit);
    }

    [Fact]
    public void During_a_slow_start_it_is_a_part_of_that()
    {
        ManualTimeProvider time = new();
        ServerPool pool = TestPool.Create(1, time: time, configure: static o =>
        {
            (o.Servers[0].MinConnections, o.Servers[0].MaxConnections, o.FullConnections) = (40, 100, 1000);
            (o.SlowStart, o.Balance) = (TimeSpan.FromSeconds(100), "roundrobin");
        });
        Server a = pool.Get("a");
        pool.Down("a");
        pool.Up("a");
        time.Advance(TimeSpan.FromSeconds(50));
        pool.Next();
        Assert.Equal(20, a.Limit);
        time.Advance(TimeSpan.FromSeconds(51));
        pool.Next();
        Assert.Equal(40, a.Limit);
    }

    [Theory]
    [InlineData(0, 2000, 0, 200)]
    [InlineData(0, 11, 0, 2)]
    [InlineData(0, 0, 500, 50)]
    [InlineData(7, 2000, 0, 7)]
    public void What_is_full_comes_from_the_gateways_unless_it_is_said(int full, int ofGateway, int ofProcess, int expected)
    {
        LbOptions options = Options(full, ofGateway, ofProcess);
        AdmissionValidation.CountGateways(options);
        Assert.Equal(expected, PoolProtections.From(options.Pools["web"], 1000).FullConnections);
    }

    [Fact]
    public void Without_any_word_of_it_a_minimum_is_an_error()
    {
        LbOptions options = Options(full: 0, ofGateway: 0, ofProcess: 0);
        AdmissionValidation.CountGateways(options);
        List<ConfigurationError> errors = [];
        AdmissionValidation.ValidateDynamicLimits("Lb:Pools:web", options.Pools["web"], errors);
        Assert.Equal("Lb:Pools:web:FullConnections: is required with MinConnections, unless every gateway of the pool, or Transport, has MaxConnections", Assert.Single(errors).ToString());
    }

    [Fact]
    public void A_minimum_above_the_maximum_is_an_error()
    {
        PoolOptions pool = new() { FullConnections = 10 };
        pool.Servers.Add(new ServerOptions { Address = "192.0.2.1:80", MinConnections = 5, MaxConnections = 4 });
        ArgumentException error = Assert.Throws<ArgumentException>(() => new ServerPool("web", pool));
        Assert.Contains("web:Servers:0:MinConnections = '5': must not be above MaxConnections, which must be set with it", error.Message, StringComparison.Ordinal);
    }

    private static LbOptions Options(int full, int ofGateway, int ofProcess)
    {
        LbOptions options = new() { Transport = new TransportOptions { MaxConnections = ofProcess } };
        PoolOptions pool = options.Pools["web"] = new PoolOptions { FullConnections = full };
        pool.Servers.Add(new ServerOptions { Address = "192.0.2.1:80", MinConnections = 1, MaxConnections = 4 });
        options.Gateways["front"] = new GatewayOptions { Pool = "web", MaxConnections = ofGateway };
        options.Gateways["other"] = new GatewayOptions { Pool = "elsewhere", MaxConnections = 5 };
        return options;
    }

    private static ServerPool Create(int minimum, int maximum, int full, int others = 0) => TestPool.Create(1 + others, configure: o =>
    {
        (o.Servers[0].MinConnections, o.Servers[0].MaxConnections, o.FullConnections, o.QueueTimeout) = (minimum, maximum, full, TimeSpan.FromHours(1));
    });
}
