using Lb.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Vrrp.Tests.Hosting;

/// <summary>Ends that do not wait for ever, and sync groups over a reload.</summary>
public sealed class StoppingAndGroupsTests
{
    private const int Limit = 60_000;

    [Theory(Timeout = Limit)]
    [Trait("Row", "V25")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stop_without_time_does_not_wait_for_a_slow_owner(bool listens)
    {
        await using Node a = new("127.0.0.1", "127.0.0.2", VirtualRoutersTests.FreePort(), 255);
        await a.StartAsync();
        await a.BecomesAsync(RouterState.Active);
        a.Owner.IgnoresCancellation = !listens;
        a.Owner.IsSlow = true;
        await a.Routers.StopAsync(new CancellationToken(canceled: true));
        Assert.Equal(["acquire", "release"], a.Owner.Calls);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "V25")]
    public async Task A_stop_without_time_does_not_wait_for_a_reload_that_waits()
    {
        int number = 51;
        await using Node a = new("127.0.0.1", "127.0.0.2", VirtualRoutersTests.FreePort(), 255, configure: o => (o.RouterId, o.Handover) = (number, false));
        await a.StartAsync();
        await a.BecomesAsync(RouterState.Active);
        a.Owner.IsSlow = true;
        number = 52;
        Task reload = a.ReloadAsync();
        await a.BecomesAsync(RouterState.Initialize);
        Assert.False(reload.IsCompleted);
        await a.Routers.StopAsync(new CancellationToken(canceled: true));
        await reload;
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "V13")]
    [Trait("Point", "52")]
    public async Task A_group_in_fault_claims_nothing_while_it_is_reloaded()
    {
        int port = VirtualRoutersTests.FreePort();
        await using Node a = new("127.0.0.1", "127.0.0.2", port, 255, configure: static o => o.SyncGroup = "g", services: s =>
        {
            s.AddServerPool("web").AddServer("127.0.0.1:9");
            s.AddVirtualRouter("second", o =>
            {
                o.Interface = "lo";
                o.RouterId = 52;
                o.Priority = 255;
                o.SyncGroup = "G";
                o.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.101/24", OffLink = true });
                o.Unicast = new RouterUnicastOptions { Source = "127.0.0.1", UdpPort = port };
                o.Unicast.Peers.Add("127.0.0.2");
            }).TrackPool("web", weight: 0).UseAddressOwner(static _ => new InMemoryAddressOwner());
        });
        await a.StartAsync();
        await a.NextAsync<RouterStateChanged>(static e => e is { Router: "edge", To: RouterState.Active });
        ServerPool pool = a.Services.GetRequiredService<ServerPools>()["web"];
        pool.SetHealth(pool.Servers[0], ServerHealth.Down);
        await a.NextAsync<RouterStateChanged>(static e => e is { Router: "edge", To: RouterState.Fault });
        int calls = a.Owner.Calls.Count;
        Assert.Empty(await a.ReloadAsync());
        Assert.Equal((RouterState.Fault, calls), (a.Snapshot.State, a.Owner.Calls.Count));
        pool.SetHealth(pool.Servers[0], ServerHealth.Up);
        await a.NextAsync<RouterStateChanged>(static e => e is { Router: "edge", To: RouterState.Active });
    }

    [Fact(Timeout = Limit)]
    public async Task Settings_for_all_routers_may_change_when_there_is_none()
    {
        LbOptions With(int realTime, params string[] names)
        {
            LbOptions options = new();
            options.Vrrp.RealTimePriority = realTime;
            foreach (string name in names)
            {
                RouterOptions router = new() { Interface = "lo", RouterId = 51, AssignAddresses = false, Unicast = new RouterUnicastOptions { Source = "127.0.0.1", UdpPort = VirtualRoutersTests.FreePort() } };
                router.Unicast.Peers.Add("127.0.0.2");
                router.Addresses.Add(new VirtualAddressOptions { Address = "192.0.2.100/24", OffLink = true });
                options.Routers[name] = router;
            }

            return options;
        }

        ServiceCollection services = new();
        services.AddLogging();
        services.AddLb().AddRouters();
        await using ServiceProvider provider = services.BuildServiceProvider();
        VirtualRouters routers = provider.GetRequiredService<VirtualRouters>();
        await routers.ApplyAsync(With(0, "edge"), TestContext.Current.CancellationToken);
        List<ConfigurationError> errors = [];
        routers.Validate(With(1, "edge"), errors);
        Assert.Single(errors);
        await routers.ApplyAsync(With(0), TestContext.Current.CancellationToken);
        errors.Clear();
        routers.Validate(With(1, "edge"), errors);
        Assert.Empty(errors);
        await routers.StopAsync(TestContext.Current.CancellationToken);
    }
}
