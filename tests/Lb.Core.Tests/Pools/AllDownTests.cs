using Microsoft.Extensions.DependencyInjection;

namespace Lb.Core.Tests.Pools;

[Trait("Row", "P15")]
public sealed class AllDownTests
{
    [Fact]
    public void Fail_is_the_default()
    {
        ServerPool pool = TestPool.Create(2);
        pool.Down("a");
        pool.Down("b");
        Assert.Equal(PickFailure.NoServer, pool.FailToPick());
        Assert.Equal(PoolMode.Down, pool.Mode);
        Assert.Null(pool.Snapshot);
        pool.Up("b");
        Assert.Equal("b", pool.Next());
    }

    [Fact]
    public void Use_all_ignores_health_but_not_people()
    {
        ServerPool pool = TestPool.Create(3, configure: static o => o.AllDown = AllDown.UseAll);
        pool.SetAdmin(pool.Get("c"), ServerAdmin.Maintenance);
        pool.Down("a");
        pool.Down("b");
        Assert.Equal(PoolMode.Panic, pool.Mode);
        Assert.Equal("a b", pool.Usable());
    }

    [Fact]
    public void Last_known_good_keeps_those_that_went_last()
    {
        ServerPool pool = TestPool.Create(3, configure: static o => o.AllDown = AllDown.LastKnownGood);
        pool.Down("b");
        pool.Down("a");
        Assert.Equal("c", pool.Usable());
        pool.Down("c");
        Assert.Equal("c", pool.Usable());
        Assert.Equal(PoolMode.LastKnownGood, pool.Mode);
        pool.Up("a");
        Assert.Equal("a", pool.Usable());
        Assert.Equal(PoolMode.Normal, pool.Mode);
    }

    [Theory]
    [InlineData(50, 4, 2, PoolMode.Normal)]
    [InlineData(50, 4, 3, PoolMode.Panic)]
    [InlineData(50, 4, 4, PoolMode.Panic)]
    [InlineData(34, 3, 2, PoolMode.Panic)]
    [InlineData(33, 3, 2, PoolMode.Normal)]
    [InlineData(100, 100, 1, PoolMode.Panic)]
    [InlineData(1, 100, 99, PoolMode.Normal)]
    [InlineData(0, 4, 3, PoolMode.Normal)]
    public void Panic_begins_below_the_threshold(int threshold, int servers, int down, PoolMode mode)
    {
        ServerPool pool = TestPool.Create(servers, configure: o => o.PanicThreshold = threshold);
        foreach (Server server in pool.Servers.Take(down)) pool.SetHealth(server, ServerHealth.Down);
        Assert.Equal(mode, pool.Mode);
        Assert.Equal(mode == PoolMode.Panic ? servers : servers - down, pool.Snapshot!.Servers.Length);
    }

    [Fact]
    public async Task Every_change_of_mode_is_told()
    {
        EventHub hub = new();
        ServerPool pool = TestPool.Create(
            3,
            configure: static o =>
            {
                o.Servers[2].Backup = true;
                o.AllDown = AllDown.UseAll;
            },
            events: hub);
        pool.Down("a");
        pool.Down("b");
        pool.Down("c");
        pool.Up("a");
        foreach (Server server in pool.Servers) pool.SetAdmin(server, ServerAdmin.Maintenance);

        string[] modes = [.. (await hub.Published()).OfType<PoolModeChanged>().Select(static e => $"{e.Pool} {e.From}>{e.To} {e.Usable}")];
        Assert.Equal(["web Normal>Backup 1", "web Backup>Panic 3", "web Panic>Normal 1", "web Normal>Panic 2", "web Panic>Down 0"], modes);
    }

    [Fact]
    public void The_mode_is_visible_in_the_metrics()
    {
        ServiceCollection services = new();
        services.AddServerPool("web").AddServer("127.0.0.1:1").Configure(static o => o.AllDown = AllDown.UseAll);
        using MetricsReader metrics = new(services);
        ServerPool pool = metrics.Pool("web");
        Assert.Equal(0, metrics.Read("lb.pool.mode", "web"));
        Assert.Equal(1, metrics.Read("lb.pool.usable", "web"));
        pool.SetHealth(pool.Servers[0], ServerHealth.Down);
        Assert.Equal(2, metrics.Read("lb.pool.mode", "web"));
        pool.SetAdmin(pool.Servers[0], ServerAdmin.Maintenance);
        Assert.Equal(4, metrics.Read("lb.pool.mode", "web"));
        Assert.Equal(0, metrics.Read("lb.pool.usable", "web"));
    }
}
