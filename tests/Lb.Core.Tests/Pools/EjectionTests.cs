using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>Servers that fail their callers in a row are taken out, whatever the checks say, and come back.</summary>
public sealed class EjectionTests
{
    private static readonly LeaseOutcome Error = LeaseOutcome.Failure(FailureKind.Status);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    [Trait("Row", "H23")]
    public void Five_failures_in_a_row_take_a_server_out_by_default()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        pool.Fail(a, 4);
        Assert.Equal("a b c", pool.Usable());
        pool.Fail(a, 1);
        Assert.Equal("b c", pool.Usable());
        Assert.Equal(ServerStatus.Ejected, a.Status);
        Assert.Equal(EjectionReason.ConsecutiveFailures, a.Ejection!.Reason);
    }

    [Fact]
    [Trait("Row", "H23")]
    public void A_success_in_between_forgives()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        pool.Fail(a, 4);
        pool.Take(a).Complete(LeaseOutcome.Success);
        pool.Fail(a, 4);
        Assert.Equal("a b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void An_answer_forgives_while_its_connection_is_still_open()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        pool.Fail(a, 4);
        pool.Take(a).Responded();
        pool.Fail(a, 4);
        Assert.Equal("a b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void An_old_connection_that_ends_well_forgives_nothing()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        ServerLease old = pool.Take(a);
        _time.Advance(TimeSpan.FromSeconds(1));
        pool.Fail(a, 4);
        old.Complete(LeaseOutcome.Success);
        pool.Fail(a, 1);
        Assert.Equal("b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void Callers_that_give_up_count_for_nothing()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        for (int n = 0; n < 100; n++) pool.Take(a).Complete(LeaseOutcome.Ignored);
        Assert.Equal("a b c", pool.Usable());
        pool.Fail(a, 4);
        pool.Take(a).Complete(LeaseOutcome.Ignored);
        pool.Fail(a, 1);
        Assert.Equal("b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void Broken_connections_count_for_themselves()
    {
        ServerPool pool = Pool(3, o => o.Outlier.ConsecutiveFailures = 0);
        Server a = pool.Get("a");
        pool.Fail(a, 20, Error);
        pool.Fail(a, 4);
        pool.Fail(a, 1, Error);
        pool.Fail(a, 4);
        Assert.Equal("a b c", pool.Usable());
        pool.Fail(a, 1);
        Assert.Equal(EjectionReason.ConsecutiveGatewayFailures, a.Ejection!.Reason);
    }

    [Fact]
    [Trait("Row", "H23")]
    public void It_is_out_longer_each_time_and_less_long_after_quiet_intervals()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        Assert.Equal([30, 60, 90], new[] { OutFor(pool, a), OutFor(pool, a), OutFor(pool, a) });

        // Three times ejected; each quiet interval of 10 s takes one away.
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(60, OutFor(pool, a));
    }

    [Fact]
    [Trait("Row", "H23")]
    public void No_more_than_a_tenth_is_out_but_always_one()
    {
        ServerPool pool = Pool(10);
        pool.Fail(pool.Get("a"), 5);
        pool.Fail(pool.Get("b"), 50);
        Assert.Equal(9, pool.Snapshot!.Servers.Length);

        ServerPool many = Pool(20);
        foreach (string name in (string[])["a", "b", "c"]) many.Fail(many.Get(name), 5);
        Assert.Equal(18, many.Snapshot!.Servers.Length);
    }

    [Theory]
    [Trait("Row", "H23")]
    [Trait("Row", "H34")]
    [InlineData(1, 100)]
    [InlineData(2, 100)]
    [InlineData(3, 100)]
    public void The_last_server_stays(int servers, int percent)
    {
        ServerPool pool = Pool(servers, o => o.Outlier.MaxEjectedPercent = percent);
        foreach (Server server in pool.Servers) pool.Fail(server, 50);
        Assert.Equal(1, pool.Snapshot!.Servers.Length);
    }

    [Fact]
    [Trait("Row", "H23")]
    public void An_ejected_server_is_better_than_none()
    {
        ServerPool pool = Pool(2);
        pool.Fail(pool.Get("a"), 5);
        pool.Down("b");
        Assert.Equal("a", pool.Usable());
        pool.SetHealth(pool.Get("b"), ServerHealth.Up);
        Assert.Equal("b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void A_backup_is_better_than_an_ejected_server()
    {
        ServerPool pool = Pool(3, o => o.Servers[2].Backup = true);
        pool.Fail(pool.Get("a"), 5);
        pool.Down("b");
        Assert.Equal("c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void It_can_be_turned_off()
    {
        ServerPool pool = Pool(3, o => o.Outlier.Enabled = false);
        pool.Fail(pool.Get("a"), 100);
        Assert.Equal("a b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void Ejections_may_be_enforced_in_part()
    {
        ServerPool pool = Pool(3, static o =>
        {
            o.Outlier.Enforcing = 30;
            o.Random = new Draws(0.9, 0.3, 0.29);
        });
        pool.Fail(pool.Get("a"), 10);
        Assert.Equal("a b c", pool.Usable());
        pool.Fail(pool.Get("a"), 5);
        Assert.Equal("b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void A_server_whose_checks_failed_and_pass_again_is_forgiven()
    {
        ServerPool pool = Pool(3);
        pool.Fail(pool.Get("a"), 5);
        pool.Down("a");
        Assert.Equal(ServerStatus.Down, pool.Get("a").Status);
        pool.SetHealth(pool.Get("a"), ServerHealth.Up);
        Assert.Equal("a b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    [Trait("Row", "K9")]
    public void Sticky_clients_leave_an_ejected_server()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        pool.Fail(a, 5);
        Assert.NotSame(a, pool.Pick(new PickContext { Prefer = a }).Server);
    }

    [Fact]
    [Trait("Row", "H23")]
    public async Task Ejections_are_told()
    {
        EventHub events = new();
        ServerPool pool = TestPool.Create(2, time: _time, events: events);
        pool.Fail(pool.Get("a"), 5);
        _time.Advance(TimeSpan.FromSeconds(30));
        ServerStatusChanged[] told = [.. (await events.Published()).OfType<ServerStatusChanged>()];
        Assert.Equal([ServerStatus.Ejected, ServerStatus.Up], told.Select(static e => e.To));
        Assert.Equal("5 failures in a row; out for 30s", told[0].Cause);
        Assert.Equal("ejection over", told[1].Cause);
    }

    private ServerPool Pool(int servers, Action<PoolOptions>? configure = null) => TestPool.Create(servers, configure: configure, time: _time);

    private sealed class Draws(params double[] draws) : Random
    {
        private int _next;

        public override double NextDouble() => draws[_next++];
    }

    private int OutFor(ServerPool pool, Server server)
    {
        pool.Fail(server, 5);
        Assert.Equal(ServerStatus.Ejected, server.Status);
        for (int seconds = 0; ; seconds++)
        {
            if (server.Ejection is null) return seconds;
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
