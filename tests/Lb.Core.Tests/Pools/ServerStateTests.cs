using Lb.Testing;

namespace Lb.Core.Tests.Pools;

public sealed class ServerStateTests
{
    [Theory]
    [Trait("Row", "P1")]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(256, true)]
    [InlineData(-1, false)]
    [InlineData(257, false)]
    public void A_weight_is_0_to_256(int weight, bool valid)
    {
        ServerPool pool = TestPool.Create(2);
        if (valid)
        {
            pool.SetWeight(pool.Get("a"), weight);
            Assert.Equal(weight, pool.Get("a").Weight);
            Assert.Equal(weight, TestPool.Create(2, configure: o => o.Servers[0].Weight = weight).Get("a").Weight);
        }
        else
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => pool.SetWeight(pool.Get("a"), weight));
            Assert.Contains("must be 0 to 256", Assert.Throws<ArgumentException>(() => TestPool.Create(2, configure: o => o.Servers[0].Weight = weight)).Message);
        }
    }

    [Fact]
    [Trait("Row", "P1")]
    public void Weight_0_means_no_balanced_traffic_but_sticky_traffic_is_served()
    {
        ServerPool pool = TestPool.Create(2);
        Server a = pool.Get("a");
        pool.SetWeight(a, 0);
        Assert.Equal("b b b", pool.Sequence(3));
        Assert.Equal("a", pool.Next(new PickContext { Prefer = a }));
        Assert.Equal(ServerStatus.Drain, a.Status);
        pool.SetWeight(a, 1);
        Assert.Equal("a b a", pool.Sequence(3));
    }

    [Fact]
    [Trait("Row", "P1")]
    public void A_drained_server_serves_sticky_traffic_only()
    {
        ServerPool pool = TestPool.Create(2);
        Server a = pool.Get("a");
        pool.SetAdmin(a, ServerAdmin.Drain);
        Assert.Equal("b b b", pool.Sequence(3));
        Assert.Equal("a", pool.Next(new PickContext { Prefer = a }));
    }

    [Fact]
    [Trait("Row", "P1")]
    public void Sticky_traffic_is_served_even_when_nothing_else_is()
    {
        ServerPool pool = TestPool.Create(1);
        pool.SetWeight(pool.Get("a"), 0);
        Assert.Equal(PickFailure.NoServer, pool.FailToPick());
        Assert.Equal("a", pool.Next(new PickContext { Prefer = pool.Get("a") }));
    }

    [Theory]
    [Trait("Row", "P2")]
    [InlineData(ServerAdmin.Maintenance, ServerHealth.Up)]
    [InlineData(ServerAdmin.Ready, ServerHealth.Down)]
    [InlineData(ServerAdmin.Drain, ServerHealth.Down)]
    public void Sticky_traffic_goes_elsewhere_when_its_server_is_down_or_in_maintenance(ServerAdmin admin, ServerHealth health)
    {
        ServerPool pool = TestPool.Create(2);
        Server a = pool.Get("a");
        pool.SetAdmin(a, admin);
        pool.SetHealth(a, health);
        Assert.Equal("b", pool.Next(new PickContext { Prefer = a }));
    }

    [Fact]
    public void A_preferred_server_that_is_excluded_or_of_another_pool_is_not_preferred()
    {
        ServerPool pool = TestPool.Create(2), other = TestPool.Create(2);
        Server a = pool.Get("a");
        Assert.Equal("b", pool.Next(new PickContext { Prefer = a, Avoid = a }));
        Assert.Equal("b", pool.Next(new PickContext { Prefer = a, Excluded = default(ServerSet).With(a) }));
        ServerLease lease = pool.Pick(new PickContext { Prefer = other.Get("b") });
        Assert.Same(pool, lease.Server.Pool);
    }

    [Theory]
    [Trait("Row", "P2")]
    [InlineData(ServerAdmin.Ready, ServerHealth.Up, 1, ServerStatus.Up)]
    [InlineData(ServerAdmin.Ready, ServerHealth.Up, 0, ServerStatus.Drain)]
    [InlineData(ServerAdmin.Ready, ServerHealth.Down, 1, ServerStatus.Down)]
    [InlineData(ServerAdmin.Ready, ServerHealth.Down, 0, ServerStatus.Down)]
    [InlineData(ServerAdmin.Drain, ServerHealth.Up, 1, ServerStatus.Drain)]
    [InlineData(ServerAdmin.Drain, ServerHealth.Up, 0, ServerStatus.Drain)]
    [InlineData(ServerAdmin.Drain, ServerHealth.Down, 1, ServerStatus.Down)]
    [InlineData(ServerAdmin.Maintenance, ServerHealth.Up, 1, ServerStatus.Maintenance)]
    [InlineData(ServerAdmin.Maintenance, ServerHealth.Down, 1, ServerStatus.Maintenance)]
    [InlineData(ServerAdmin.Maintenance, ServerHealth.Down, 0, ServerStatus.Maintenance)]
    public void Status_is_maintenance_then_health_then_drain(ServerAdmin admin, ServerHealth health, int weight, ServerStatus status)
    {
        ServerPool pool = TestPool.Create(2);
        Server a = pool.Get("a");
        pool.SetAdmin(a, admin);
        pool.SetHealth(a, health);
        pool.SetWeight(a, weight);
        Assert.Equal(status, a.Status);
        Assert.Equal(status == ServerStatus.Up, pool.Usable().Contains('a'));
    }

    [Fact]
    [Trait("Row", "P2")]
    public void Health_is_remembered_in_maintenance()
    {
        ServerPool pool = TestPool.Create(2);
        Server a = pool.Get("a");
        pool.SetAdmin(a, ServerAdmin.Maintenance);
        pool.SetHealth(a, ServerHealth.Down);
        Assert.Equal(ServerStatus.Maintenance, a.Status);
        pool.SetAdmin(a, ServerAdmin.Ready);
        Assert.Equal(ServerStatus.Down, a.Status);
        Assert.Equal("b b", pool.Sequence(2));
    }

    [Fact]
    [Trait("Row", "P2")]
    public async Task Every_change_of_status_is_told_once_with_its_cause()
    {
        ManualTimeProvider time = new();
        EventHub hub = new();
        ServerPool pool = TestPool.Create(1, time: time, events: hub);
        Server a = pool.Get("a");
        Assert.Equal(ManualTimeProvider.Start, a.LastChange);

        time.Advance(TimeSpan.FromSeconds(5));
        pool.SetHealth(a, ServerHealth.Down, "L4CON");
        pool.SetHealth(a, ServerHealth.Down, "again");
        pool.SetAdmin(a, ServerAdmin.Maintenance, "by hand");
        pool.SetHealth(a, ServerHealth.Up, "L4OK");
        pool.SetAdmin(a, ServerAdmin.Ready);
        pool.SetWeight(a, 0);
        Assert.Equal(ManualTimeProvider.Start + TimeSpan.FromSeconds(5), a.LastChange);

        string[] changes = [.. (await hub.Published()).OfType<ServerStatusChanged>().Select(static e => $"{e.Pool}/{e.Server} {e.From}>{e.To} {e.Cause}")];
        Assert.Equal(
            ["web/a Up>Down L4CON", "web/a Down>Maintenance by hand", "web/a Maintenance>Up ", "web/a Up>Drain weight"],
            changes);
    }

    [Fact]
    [Trait("Row", "P3")]
    public void Backups_serve_when_no_main_server_is_usable_and_only_the_first_of_them()
    {
        ServerPool pool = WithBackups();
        Assert.Equal("a b a", pool.Sequence(3));
        pool.Down("a");
        pool.SetAdmin(pool.Get("b"), ServerAdmin.Drain);
        Assert.Equal("c c c", pool.Sequence(3));
        Assert.Equal(PoolMode.Backup, pool.Mode);
        pool.Down("c");
        Assert.Equal("d d", pool.Sequence(2));
    }

    [Fact]
    [Trait("Row", "P3")]
    public void All_backups_share_the_load_if_so_configured()
    {
        ServerPool pool = WithBackups(o => o.AllBackups = true);
        pool.Down("a");
        pool.Down("b");
        Assert.Equal("c d c d", pool.Sequence(4));
    }

    [Fact]
    [Trait("Row", "P4")]
    public void Traffic_goes_back_to_the_main_servers_at_once_by_default()
    {
        ServerPool pool = WithBackups();
        pool.Down("a");
        pool.Down("b");
        Assert.Equal("c", pool.Usable());
        pool.Up("b");
        Assert.Equal("b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "P4")]
    public void Traffic_stays_with_the_backup_until_it_fails_if_so_configured()
    {
        ServerPool pool = WithBackups(o => o.Failback = Failback.Stay);
        pool.Down("a");
        pool.Down("b");
        pool.Up("a");
        pool.Up("b");
        Assert.Equal("c", pool.Usable());
        pool.Down("c");
        Assert.Equal("a b", pool.Usable());
        pool.Up("c");
        Assert.Equal("a b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "P4")]
    public void One_main_server_and_standbys_fail_over_in_the_order_of_declaration()
    {
        ServerPool pool = TestPool.Create(3, configure: o => o.Servers[1].Backup = o.Servers[2].Backup = true);
        Assert.Equal("a", pool.Usable());
        pool.Down("a");
        Assert.Equal("b", pool.Usable());
        pool.Down("b");
        Assert.Equal("c", pool.Usable());
        pool.Up("a");
        Assert.Equal("a", pool.Usable());
    }

    private static ServerPool WithBackups(Action<PoolOptions>? configure = null) => TestPool.Create(4, configure: o =>
    {
        o.Servers[2].Backup = o.Servers[3].Backup = true;
        configure?.Invoke(o);
    });
}
