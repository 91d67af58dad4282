using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>The same client gets the same server: LVS's persistence, and what becomes of it when the server can't be used.</summary>
public sealed class PersistenceTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    [Trait("Row", "K6")]
    public void A_client_keeps_its_server_and_others_are_balanced()
    {
        ServerPool pool = Pool();
        Assert.Equal("a a a a a a", string.Join(' ', Enumerable.Range(0, 6).Select(_ => Next(pool, "192.0.2.1"))));
        Assert.Equal("b c a", string.Join(' ', Next(pool, "192.0.2.2"), Next(pool, "192.0.2.3"), Next(pool, "192.0.2.4")));
        Assert.Equal("a b", $"{Next(pool, "192.0.2.1")} {Next(pool, "192.0.2.2")}");
    }

    [Fact]
    [Trait("Row", "K6")]
    public void It_is_forgotten_a_minute_after_its_last_connection_came()
    {
        ServerPool pool = Pool();
        Next(pool, "192.0.2.1");
        Next(pool, "192.0.2.2");
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal("a", Next(pool, "192.0.2.1"));
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal("a", Next(pool, "192.0.2.1"));
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal("c", Next(pool, "192.0.2.1"));
    }

    [Fact]
    [Trait("Row", "K6")]
    public void It_is_not_forgotten_while_a_connection_is_open()
    {
        ServerPool pool = Pool();
        ServerLease open = pool.Pick(Context("192.0.2.1"));
        _time.Advance(TimeSpan.FromMinutes(10));
        Next(pool, "192.0.2.2");
        Assert.Equal("a", Next(pool, "192.0.2.1"));
        open.Complete(LeaseOutcome.Success);
        _time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal("c", Next(pool, "192.0.2.1"));
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    [Trait("Row", "K6")]
    public void A_mask_makes_a_network_one_client()
    {
        ServerPool pool = Pool(o => o.Persistence.Mask = 24);
        Assert.Equal("a a a b", string.Join(' ', Next(pool, "192.0.2.1"), Next(pool, "192.0.2.77"), Next(pool, "192.0.2.255"), Next(pool, "192.0.3.1")));
    }

    [Fact]
    [Trait("Row", "K10")]
    public void A_drained_server_keeps_its_clients_one_in_maintenance_does_not()
    {
        ServerPool pool = Pool();
        Next(pool, "192.0.2.1");
        pool.SetAdmin(pool.Get("a"), ServerAdmin.Drain);
        Assert.Equal("a", Next(pool, "192.0.2.1"));
        pool.SetAdmin(pool.Get("a"), ServerAdmin.Ready);
        pool.SetWeight(pool.Get("a"), 0);
        Assert.Equal("a", Next(pool, "192.0.2.1"));
        pool.SetAdmin(pool.Get("a"), ServerAdmin.Maintenance);
        Assert.NotEqual("a", Next(pool, "192.0.2.1"));
    }

    [Fact]
    [Trait("Row", "K9")]
    public void Clients_of_a_server_that_is_down_get_another_for_good()
    {
        ServerPool pool = Pool();
        Next(pool, "192.0.2.1");
        pool.Down("a");
        string other = Next(pool, "192.0.2.1");
        Assert.NotEqual("a", other);
        pool.SetHealth(pool.Get("a"), ServerHealth.Up);
        for (int n = 0; n < 5; n++) Assert.Equal(other, Next(pool, "192.0.2.1"));
    }

    [Fact]
    [Trait("Row", "K9")]
    public void Or_they_get_none_until_it_is_back()
    {
        ServerPool pool = Pool(o => o.Persistence.OnDown = PersistenceOnDown.Fail);
        Next(pool, "192.0.2.1");
        pool.Down("a");
        Assert.Equal(PickFailure.PreferredDown, pool.FailToPick(Context("192.0.2.1")));
        Assert.Equal("b", Next(pool, "192.0.2.2"));
        Assert.NotEqual("a", pool.Next(Context("192.0.2.1") with { Persistence = PersistenceUse.Ignore }));
        pool.SetHealth(pool.Get("a"), ServerHealth.Up);
        Assert.Equal("a", Next(pool, "192.0.2.1"));
    }

    [Fact]
    [Trait("Row", "K9")]
    public void Or_they_are_sent_there_all_the_same()
    {
        ServerPool pool = Pool(o => o.Persistence.OnDown = PersistenceOnDown.Persist);
        Next(pool, "192.0.2.1");
        pool.Down("a");
        Assert.Equal("a", Next(pool, "192.0.2.1"));
        Assert.NotEqual("a", pool.Next(Context("192.0.2.1") with { Excluded = default(ServerSet).With(pool.Get("a")) }));
    }

    [Fact]
    [Trait("Row", "K9")]
    public void A_pick_may_insist_or_ignore()
    {
        ServerPool pool = Pool();
        Server a = pool.Get("a");
        pool.Down("a");
        Assert.Same(a, pool.Pick(new PickContext { Prefer = a, Persistence = PersistenceUse.Force }).Server);
        pool.SetHealth(a, ServerHealth.Up);
        Assert.Equal("a b c", string.Join(' ', Enumerable.Range(0, 3).Select(_ => pool.Next(new PickContext { Prefer = a, Persistence = PersistenceUse.Ignore }))));
    }

    [Fact]
    [Trait("Row", "S27")]
    public void A_rule_may_name_a_server_which_is_used_while_it_is_up()
    {
        ServerPool pool = TestPool.Create(3, time: _time);
        PickContext rule = new() { Prefer = pool.Get("c") };
        Assert.Equal("c c", $"{pool.Next(rule)} {pool.Next(rule)}");
        pool.Down("c");
        Assert.Equal("a b a", $"{pool.Next(rule)} {pool.Next(rule)} {pool.Next(rule)}");
        pool.SetHealth(pool.Get("c"), ServerHealth.Up);
        Assert.Equal("c", pool.Next(rule));
    }

    [Fact]
    [Trait("Row", "K6")]
    [Trait("Row", "P16")]
    public void Clients_of_a_server_that_left_are_balanced()
    {
        ServerPool pool = Pool();
        Next(pool, "192.0.2.1");
        pool.Reconcile([TestPool.Server("b"), TestPool.Server("c")]);
        Assert.NotEqual("a", Next(pool, "192.0.2.1"));
    }

    [Fact]
    [Trait("Row", "K6")]
    public async Task One_who_waits_for_a_full_server_gets_that_server()
    {
        ServerPool pool = Pool(o =>
        {
            foreach (ServerOptions server in o.Servers) server.MaxConnections = 1;
        });
        ServerLease open = pool.Pick(Context("192.0.2.1"));
        ValueTask<ServerLease> waiting = pool.AcquireAsync(Context("192.0.2.1"), TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, open.Server.Queued);
        open.Complete(LeaseOutcome.Success);
        Assert.Same(open.Server, (await waiting).Server);
    }

    [Fact]
    [Trait("Row", "K6")]
    public void A_known_client_costs_no_allocation()
    {
        ServerPool pool = Pool();
        PickContext context = Context("192.0.2.1");
        for (int n = 0; n < 200; n++) pool.Pick(context).Complete(LeaseOutcome.Success);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int n = 0; n < 1000; n++)
        {
            pool.TryPick(in context, out ServerLease lease, out _);
            lease.Complete(LeaseOutcome.Success);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private ServerPool Pool(Action<PoolOptions>? configure = null) =>
        TestPool.Create(3, time: _time, configure: o =>
        {
            o.Persistence.Type = "source";
            o.Persistence.Timeout = TimeSpan.FromSeconds(60);
            configure?.Invoke(o);
        });

    private static PickContext Context(string client) => new() { Source = TestPool.Client(client) };

    private static string Next(ServerPool pool, string client) => pool.Next(Context(client));
}
