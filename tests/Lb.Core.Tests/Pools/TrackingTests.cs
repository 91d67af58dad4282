using Lb.Core.Tests.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Core.Tests.Pools;

[Trait("Row", "P7")]
public sealed class TrackingTests : IAsyncDisposable
{
    private static readonly string[] None = [];
    private readonly ServiceCollection _services = new();
    private ServiceProvider? _provider;

    public async ValueTask DisposeAsync()
    {
        if (_provider is not null) await _provider.DisposeAsync();
    }

    [Fact]
    public void One_that_tracks_takes_over_every_flip_at_once()
    {
        ServerPools pools = Build(("web", "a", null), ("web", "b", null), ("api", "x", "web/a"), ("api", "y", null));
        Server x = pools["api"].Get("x");
        Assert.Equal(ServerStatus.Up, x.Status);
        pools["web"].Down("a");
        Assert.Equal(ServerStatus.Down, x.Status);
        Assert.Equal("y", pools["api"].Usable());
        pools["web"].Down("b");
        pools["web"].Up("a");
        Assert.Equal(ServerStatus.Up, x.Status);
        Assert.Equal("x y", pools["api"].Usable());
    }

    [Fact]
    public void Maintenance_of_the_tracked_one_counts_as_down_and_drain_does_not()
    {
        ServerPools pools = Build(("web", "a", null), ("api", "x", "web/a"));
        ServerPool web = pools["web"];
        Server a = web.Get("a"), x = pools["api"].Get("x");
        web.SetAdmin(a, ServerAdmin.Drain);
        Assert.Equal(ServerStatus.Up, x.Status);
        web.SetAdmin(a, ServerAdmin.Maintenance);
        Assert.Equal(ServerStatus.Down, x.Status);

        // What the checks find meanwhile changes nothing, and holds afterwards.
        web.SetHealth(a, ServerHealth.Down);
        web.SetHealth(a, ServerHealth.Up);
        Assert.Equal(ServerStatus.Down, x.Status);
        web.SetHealth(a, ServerHealth.Down);
        web.SetAdmin(a, ServerAdmin.Ready);
        Assert.Equal(ServerStatus.Down, x.Status);
        web.SetHealth(a, ServerHealth.Up);
        Assert.Equal(ServerStatus.Up, x.Status);
    }

    [Fact]
    [Trait("Row", "H21")]
    public void One_that_stops_is_followed()
    {
        ServerPools pools = Build(("web", "a", null), ("api", "x", "web/a"));
        ServerPool web = pools["web"];
        web.SetHealth(web.Get("a"), ServerHealth.Stopping);
        Assert.Equal(ServerStatus.Stopping, pools["api"].Get("x").Status);
        web.SetAdmin(web.Get("a"), ServerAdmin.Maintenance);
        Assert.Equal(ServerStatus.Down, pools["api"].Get("x").Status);
        web.SetAdmin(web.Get("a"), ServerAdmin.Ready);
        Assert.Equal(ServerStatus.Stopping, pools["api"].Get("x").Status);
        web.Up("a");
        Assert.Equal(ServerStatus.Up, pools["api"].Get("x").Status);
    }

    [Fact]
    [Trait("Row", "H20")]
    public void Maintenance_that_the_agent_asks_for_counts_as_the_administrators()
    {
        ServerPools pools = Build(("web", "a", null), ("api", "x", "web/a"));
        ServerPool web = pools["web"];
        web.SetAgent(web.Get("a"), ServerAdmin.Drain);
        Assert.Equal(ServerStatus.Up, pools["api"].Get("x").Status);
        web.SetAgent(web.Get("a"), ServerAdmin.Maintenance);
        Assert.Equal(ServerStatus.Down, pools["api"].Get("x").Status);
        web.SetAgent(web.Get("a"), ServerAdmin.Ready);
        Assert.Equal(ServerStatus.Up, pools["api"].Get("x").Status);
    }

    [Fact]
    public void Chains_are_followed_within_a_pool_and_over_pools()
    {
        ServerPools pools = Build(("web", "a", null), ("web", "b", "web/a"), ("api", "x", "web/b"), ("api", "y", "API/X"));
        pools["web"].Down("a");
        Assert.Equal(["Down", "Down", "Down", "Down"], All(pools));
        pools["web"].Up("a");
        Assert.Equal(["Up", "Up", "Up", "Up"], All(pools));
        pools["web"].SetAdmin(pools["web"].Get("b"), ServerAdmin.Maintenance);
        Assert.Equal(["Up", "Maintenance", "Down", "Down"], All(pools));
    }

    [Fact]
    public void One_that_tracks_has_no_health_of_its_own()
    {
        ServerPools pools = Build(("web", "a", null), ("api", "x", "web/a"));
        pools["api"].Down("x");
        Assert.Equal(ServerStatus.Up, pools["api"].Get("x").Status);
        pools["web"].Down("a");
        pools["api"].Up("x");
        Assert.Equal(ServerStatus.Down, pools["api"].Get("x").Status);

        // Its administration is its own.
        pools["web"].Up("a");
        pools["api"].SetAdmin(pools["api"].Get("x"), ServerAdmin.Maintenance);
        Assert.Equal(ServerStatus.Maintenance, pools["api"].Get("x").Status);
    }

    [Fact]
    public void It_starts_with_the_health_of_the_tracked_one_also_when_it_joins_later()
    {
        ServerPools pools = Build(("web", "a", null), ("api", "x", null));
        pools["web"].Down("a");
        Server late = pools["api"].Add(new ServerOptions { Name = "late", Address = "127.0.0.1:80", Track = "web/a" }, ServerAdmin.Ready);
        Assert.Equal(ServerStatus.Down, late.Status);
        pools["web"].Up("a");
        Assert.Equal(ServerStatus.Up, late.Status);
    }

    [Fact]
    public void A_tracked_server_that_comes_again_is_followed_again()
    {
        ServerPools pools = Build(("web", "a", null), ("web", "b", null), ("api", "x", "web/a"));
        Server x = pools["api"].Get("x");
        pools["web"].Down("a");
        pools["web"].Remove(pools["web"].Get("a"), force: true);
        Assert.Equal(ServerStatus.Down, x.Status);
        pools["web"].Add(TestPool.Server("a"), ServerAdmin.Ready);
        Assert.Equal(ServerStatus.Up, x.Status);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_flood_of_events_loses_no_flip()
    {
        ServerPools pools = Build(("web", "a", null), ("web", "b", null), ("api", "x", "web/a"));
        ServerPool web = pools["web"];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(n => Task.Run(() =>
        {
            for (int i = 0; i < 2000; i++) web.SetHealth(web.Get("a"), (i + n) % 2 == 0 ? ServerHealth.Down : ServerHealth.Up);
        })));
        Assert.Equal(web.Get("a").Health, pools["api"].Get("x").Health);
        Assert.True(_provider!.GetRequiredService<EventHub>().Dropped > 0);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_reload_begins_and_ends_tracking()
    {
        string? track = null;
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddServerPool("web").Configure(static o => o.Servers.Add(TestPool.Server("a")));
        builder.Services.AddServerPool("api").Configure(o => o.Servers.Add(new ServerOptions { Name = "x", Address = "127.0.0.1:81", Track = track }));
        using IHost host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        ServerPools pools = host.Services.GetRequiredService<ServerPools>();
        pools["web"].Down("a");
        Assert.Equal(ServerStatus.Up, pools["api"].Get("x").Status);
        await ReloadAsync("web/a");
        Assert.Equal(ServerStatus.Down, pools["api"].Get("x").Status);
        await ReloadAsync(null);
        Assert.Equal(ServerStatus.Up, pools["api"].Get("x").Status);
        await host.StopAsync(TestContext.Current.CancellationToken);

        async Task ReloadAsync(string? with)
        {
            track = with;
            Assert.Empty(await host.Services.GetRequiredService<ILbReloader>().ReloadAsync(TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("nowhere/a", "there is no pool 'nowhere'; there are: api, web")]
    [InlineData("web/z", "pool 'web' has no server 'z'; there are: a, 127.0.0.1:81")]
    [InlineData("web", "must be pool/server")]
    [InlineData("web/", "must be pool/server")]
    [InlineData("api/x", "leads back to itself: api/x > api/x")]
    [InlineData("Web/A", null)]
    [InlineData("web/127.0.0.1:81", null)]
    public void What_is_tracked_must_exist(string track, string? error)
    {
        string[] errors = TestConfiguration.Errors($$"""
            { "Pools": {
              "web": { "Servers": [ { "Name": "a", "Address": "127.0.0.1:80" }, { "Address": "127.0.0.1:81" } ] },
              "api": { "Servers": [ { "Name": "x", "Address": "127.0.0.1:82", "Track": "{{track}}" } ] } } }
            """);
        Assert.Equal(error is null ? None : [$"Lb:Pools:api:Servers:0:Track = '{track}': {error}"], errors);
    }

    [Fact]
    public void Loops_are_named_once_for_each_server_in_them()
    {
        string[] errors = TestConfiguration.Errors("""
            { "Pools": {
              "web": { "Servers": [ { "Name": "a", "Address": "127.0.0.1:80", "Track": "api/x" }, { "Name": "b", "Address": "127.0.0.1:81", "Track": "web/a" } ] },
              "api": { "Servers": [ { "Name": "x", "Address": "127.0.0.1:82", "Track": "web/a" } ] } } }
            """);
        Assert.Equal(
            [
                "Lb:Pools:api:Servers:0:Track = 'web/a': leads back to itself: api/x > web/a > api/x",
                "Lb:Pools:web:Servers:0:Track = 'api/x': leads back to itself: web/a > api/x > web/a",
            ],
            errors.Order(StringComparer.Ordinal));
    }

    private static string[] All(ServerPools pools) => [.. pools["web"].Servers.Concat(pools["api"].Servers).Select(static s => $"{s.Status}")];

    private ServerPools Build(params (string Pool, string Server, string? Track)[] servers)
    {
        _services.AddLb();
        _services.Configure<LbOptions>(options =>
        {
            foreach ((string pool, string server, string? track) in servers)
            {
                if (!options.Pools.TryGetValue(pool, out PoolOptions? o)) options.Pools[pool] = o = new PoolOptions();
                o.Servers.Add(new ServerOptions { Name = server, Address = "127.0.0.1:80", Track = track });
            }
        });
        _provider = _services.BuildServiceProvider();
        return _provider.GetRequiredService<ServerPools>();
    }
}
