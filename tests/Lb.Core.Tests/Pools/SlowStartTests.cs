using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>A server that returns gets its share step by step.</summary>
[Trait("Row", "P5")]
public sealed class SlowStartTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void A_server_that_returns_gets_its_weight_in_sixteenths()
    {
        ServerPool pool = Pool("roundrobin");
        Return(pool, "a");
        Assert.Equal("1/16 16/16", Weights(pool));
        _time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal("9/16 16/16", Weights(pool));
        _time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal("16/16 16/16", Weights(pool).Replace("15/16", "16/16", StringComparison.Ordinal));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("1/1 1/1", Weights(pool));
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public void The_share_of_the_picks_follows()
    {
        ServerPool pool = Pool("roundrobin");
        Return(pool, "a");
        _time.Advance(TimeSpan.FromSeconds(3));

        // 4/16 against 16/16: a fifth.
        int a = Enumerable.Range(0, 100).Count(_ => pool.Next() == "a");
        Assert.Equal(20, a);
    }

    [Fact]
    public void It_does_not_begin_at_the_start_nor_when_a_server_comes_up_for_the_first_time()
    {
        ServerPool pool = Pool("roundrobin", o =>
        {
            o.Servers[0].InitState = InitState.Down;
            o.Checks.Add(new CheckOptions());
        });
        Assert.Equal("b", pool.Usable());
        pool.SetHealth(pool.Get("a"), ServerHealth.Up);
        Assert.Equal("1/1 1/1", Weights(pool));
    }

    [Fact]
    public void A_server_that_leaves_maintenance_starts_slowly_one_that_is_undrained_does_not()
    {
        ServerPool pool = Pool("roundrobin");
        Server a = pool.Get("a");
        pool.SetAdmin(a, ServerAdmin.Drain);
        pool.SetAdmin(a, ServerAdmin.Ready);
        Assert.Equal("1/1 1/1", Weights(pool));
        pool.SetAdmin(a, ServerAdmin.Maintenance);
        pool.SetAdmin(a, ServerAdmin.Ready);
        Assert.Equal("1/16 16/16", Weights(pool));
    }

    [Fact]
    public void A_server_that_goes_down_meanwhile_begins_again()
    {
        ServerPool pool = Pool("roundrobin");
        Return(pool, "a");
        _time.Advance(TimeSpan.FromSeconds(8));
        Return(pool, "a");
        Assert.Equal("1/16 16/16", Weights(pool));
    }

    [Fact]
    [Trait("Row", "P6")]
    public void Servers_added_start_slowly_if_asked()
    {
        ServerPool pool = Pool("roundrobin"), asked = Pool("roundrobin", o => o.SlowStartAdded = true);
        foreach (ServerPool each in (ServerPool[])[pool, asked]) each.Add(TestPool.Server("new"), ServerAdmin.Ready);
        Assert.Equal("1/1 1/1 1/1", Weights(pool));
        Assert.Equal("16/16 16/16 1/16", Weights(asked));
        asked.SetAdmin(asked.Add(TestPool.Server("later")), ServerAdmin.Ready);
        Assert.Equal("16/16 16/16 1/16 1/16", Weights(asked));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_pool_that_goes_down_meanwhile_waits_for_nothing()
    {
        ServerPool pool = Pool("roundrobin");
        Return(pool, "a");
        pool.Down("a");
        pool.Down("b");
        Assert.Equal(0, _time.ActiveTimers);
        await Task.Run(() => _time.Advance(TimeSpan.FromSeconds(30)), TestContext.Current.CancellationToken);
        Assert.Equal(PoolMode.Down, pool.Mode);
    }

    [Fact]
    public void The_limit_of_connections_grows_too()
    {
        ServerPool pool = Pool("roundrobin", o => o.Servers[0].MaxConnections = 32);
        Server a = pool.Get("a");
        Return(pool, "a");
        pool.Down("b");
        pool.Pick();
        Assert.False(a.HasRoom);
        _time.Advance(TimeSpan.FromSeconds(8));
        for (int n = 1; n < 16; n++) pool.Pick();
        Assert.False(a.HasRoom);
        _time.Advance(TimeSpan.FromSeconds(8));
        for (int n = 16; n < 32; n++) pool.Pick();
        Assert.False(a.HasRoom);
    }

    [Fact]
    public async Task A_step_lets_waiting_callers_in()
    {
        ServerPool pool = Pool("roundrobin", o => o.Servers[0].MaxConnections = 32);
        Return(pool, "a");
        pool.Down("b");
        pool.Pick();
        ValueTask<ServerLease> waiting = pool.AcquireAsync(default, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("a", (await waiting).Server.Name);
    }

    [Fact]
    public void Sticky_clients_are_not_held_back_by_the_weight()
    {
        ServerPool pool = Pool("roundrobin");
        Return(pool, "a");
        Server a = pool.Get("a");
        for (int n = 0; n < 20; n++) Assert.Same(a, pool.Pick(new PickContext { Prefer = a }).Server);
    }

    [Theory]
    [InlineData("maglev")]
    [InlineData("source")]
    [InlineData("static-rr")]
    [InlineData("ketama")]
    public void Tables_keep_their_keys(string balance)
    {
        ServerPool pool = Pool(balance);
        string before = Keys(pool);
        Return(pool, "a");
        Assert.Equal(before, Keys(pool));
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public void Envoys_curve_begins_at_the_minimum()
    {
        ServerPool pool = Pool("leastconn", o =>
        {
            o.SlowStartCurve = SlowStartCurve.Aggression;
            o.SlowStartMinimum = 25;
        });
        Return(pool, "a");
        Assert.Equal("16/64 64/64", Weights(pool));
        _time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal("32/64 64/64", Weights(pool));
    }

    [Fact]
    public void It_is_on_by_default_for_policies_that_compare_loads()
    {
        ServerPool p2c = Pool("p2c", o => o.SlowStart = null), rr = Pool("roundrobin", o => o.SlowStart = null);
        Return(p2c, "a");
        Return(rr, "a");
        Assert.Equal("1/16 16/16", Weights(p2c));
        Assert.Equal("1/1 1/1", Weights(rr));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("1/1 1/1", Weights(p2c));
    }

    [Fact]
    [Trait("Row", "H23")]
    public void A_server_whose_ejection_ends_starts_slowly()
    {
        ServerPool pool = Pool("roundrobin");
        Server a = pool.Get("a");
        for (int n = 0; n < 5; n++) pool.Pick(new PickContext { Avoid = pool.Get("b") }).Complete(LeaseOutcome.Failure(FailureKind.Connect));
        Assert.Equal(ServerStatus.Ejected, a.Status);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("1/16 16/16", Weights(pool));
    }

    private ServerPool Pool(string balance, Action<PoolOptions>? configure = null)
    {
        PoolOptions options = new() { Balance = balance, SlowStart = TimeSpan.FromSeconds(16) };
        foreach (string name in (string[])["a", "b"]) options.Servers.Add(TestPool.Server(name));
        configure?.Invoke(options);
        return new ServerPool("web", options, time: _time);
    }

    private static void Return(ServerPool pool, string name)
    {
        pool.Down(name);
        pool.SetHealth(pool.Get(name), ServerHealth.Up);
    }

    private static string Weights(ServerPool pool) =>
        string.Join(' ', pool.Snapshot!.LiveWeights.ToArray().Select(w => $"{w}/{pool.Snapshot!.LiveScale}"));

    private static string Keys(ServerPool pool) => string.Concat(Enumerable.Range(0, 100).Select(n =>
        pool.Next(new PickContext { Key = AffinityKey.From($"key {n}"), Source = TestPool.Client($"192.0.2.{n}") })));
}
