using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lb.Health.Tests.DependencyInjection;

/// <summary>Pools in the host's own health endpoint, through the framework's own service.</summary>
[Trait("Row", "H28")]
public sealed class HealthEndpointTests : IAsyncDisposable
{
    private readonly ServiceCollection _services = new();
    private ServiceProvider? _provider;

    private ServerPools Pools => _provider!.GetRequiredService<ServerPools>();

    public async ValueTask DisposeAsync()
    {
        if (_provider is not null) await _provider.DisposeAsync();
    }

    [Fact]
    public async Task All_servers_up_is_healthy()
    {
        Build(static b => b.AddServerPools(), "web", "api");
        HealthReportEntry entry = await ReportAsync();
        Assert.Equal((HealthStatus.Healthy, "2 pools are well"), (entry.Status, entry.Description));
        Assert.Equal(("Healthy", "Normal", true, 4, 4), (entry.Data["web:status"], entry.Data["web:mode"], entry.Data["web:quorum"], entry.Data["api:up"], entry.Data["api:servers"]));
        Assert.False(entry.Data.ContainsKey("web:missing"));
    }

    [Theory]
    [InlineData(100, 0, 1, HealthStatus.Degraded)]
    [InlineData(75, 0, 1, HealthStatus.Healthy)]
    [InlineData(76, 0, 1, HealthStatus.Degraded)]
    [InlineData(100, 50, 2, HealthStatus.Degraded)]
    [InlineData(100, 51, 2, HealthStatus.Unhealthy)]
    [InlineData(0, 0, 3, HealthStatus.Healthy)]
    [InlineData(0, 0, 4, HealthStatus.Unhealthy)]
    public async Task The_share_of_four_servers_decides(int degradedBelow, int unhealthyBelow, int down, HealthStatus expected)
    {
        Build(b => b.AddServerPools(o => (o.DegradedBelow, o.UnhealthyBelow) = (degradedBelow, unhealthyBelow)), "web");
        foreach (Server server in Pools["web"].Servers.Take(down)) Pools["web"].SetHealth(server, ServerHealth.Down);
        Assert.Equal(expected, (await ReportAsync()).Status);
    }

    [Fact]
    public async Task Those_that_are_missing_are_named_with_the_reason()
    {
        Build(static b => b.AddServerPools(), "web", "api");
        ServerPool web = Pools["web"];
        ServerPool.ReportCheck(web.Servers[1], new CheckReport(CheckStatus.Layer7Status, 503, TimeSpan.Zero, "Service Unavailable", DateTimeOffset.UnixEpoch, -3));
        web.SetHealth(web.Servers[1], ServerHealth.Down);
        web.SetHealth(web.Servers[2], ServerHealth.Down);
        HealthReportEntry entry = await ReportAsync();
        Assert.Equal((HealthStatus.Degraded, "web: 2 of 4 servers up"), (entry.Status, entry.Description));
        Assert.Equal("s2: L7STS/503: Service Unavailable; s3: down", entry.Data["web:missing"]);
        Assert.Equal("Healthy", entry.Data["api:status"]);
    }

    [Fact]
    public async Task Who_is_out_by_intention_is_not_missed()
    {
        Build(static b => b.AddServerPools(), "web");
        ServerPool web = Pools["web"];
        web.SetAdmin(web.Servers[0], ServerAdmin.Drain);
        web.SetAdmin(web.Servers[1], ServerAdmin.Maintenance);
        web.SetHealth(web.Servers[2], ServerHealth.Stopping);
        HealthReportEntry entry = await ReportAsync();
        Assert.Equal((HealthStatus.Healthy, 1, 1), (entry.Status, entry.Data["web:up"], entry.Data["web:servers"]));
        web.SetWeight(web.Servers[3], 0);
        Assert.Equal((HealthStatus.Unhealthy, "web: 0 of 0 servers up, nobody serves"), ((await ReportAsync()).Status, (await ReportAsync()).Description));
    }

    [Fact]
    [Trait("Row", "P10")]
    public async Task A_lost_quorum_is_unhealthy_though_servers_are_up()
    {
        Build(static b => b.AddServerPools(static o => o.DegradedBelow = 0), p => p.Quorum = 3, "web");
        ServerPool web = Pools["web"];
        web.SetHealth(web.Servers[0], ServerHealth.Down);
        Assert.Equal(HealthStatus.Healthy, (await ReportAsync()).Status);
        web.SetHealth(web.Servers[1], ServerHealth.Down);
        Assert.Equal((HealthStatus.Unhealthy, "web: 2 of 4 servers up, no quorum"), ((await ReportAsync()).Status, (await ReportAsync()).Description));
    }

    [Theory]
    [InlineData("backup", "web: 0 of 3 servers up, backups serve", HealthStatus.Degraded)]
    [InlineData("panic", "web: 0 of 4 servers up, health is ignored", HealthStatus.Degraded)]
    [InlineData("sorry", "web: 0 of 4 servers up, the sorry server serves", HealthStatus.Unhealthy)]
    public async Task Others_than_the_main_servers_are_no_full_health(string how, string description, HealthStatus expected)
    {
        Build(static b => b.AddServerPools(static o => o.DegradedBelow = 0), p =>
        {
            if (how == "backup") p.Servers[3].Backup = true;
            if (how == "panic") p.AllDown = AllDown.UseAll;
            if (how == "sorry") (p.SorryServer.Address, p.Quorum) = ("127.0.0.1:99", 1);
        }, "web");
        ServerPool web = Pools["web"];
        foreach (Server server in web.Servers.Where(static s => s is { Backup: false, Sorry: false }).ToArray()) web.SetHealth(server, ServerHealth.Down);
        HealthReportEntry entry = await ReportAsync();
        Assert.Equal((expected, description), (entry.Status, entry.Description));
    }

    [Fact]
    public async Task Several_checks_may_look_at_several_pools_and_call_the_worst_by_another_name()
    {
        Build(
            static b => b.AddServerPools(static o => o.Pools.Add("web"), "front", tags: ["ready"]).AddServerPools(static o => o.Pools.Add("API"), "back", HealthStatus.Degraded)
                .AddServerPools(static o => o.Pools.Add("gone"), "lost"),
            "web",
            "api");
        foreach (Server server in Pools["api"].Servers) Pools["api"].SetHealth(server, ServerHealth.Down);
        HealthReport report = await _provider!.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal((HealthStatus.Healthy, HealthStatus.Degraded, HealthStatus.Unhealthy), (report.Entries["front"].Status, report.Entries["back"].Status, report.Entries["lost"].Status));
        Assert.Equal(["ready"], report.Entries["front"].Tags);
        Assert.Equal("gone: there is no such pool", report.Entries["lost"].Description);
        Assert.DoesNotContain("api:up", report.Entries["front"].Data.Keys);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, 101)]
    public void A_share_is_0_to_100_percent(int degradedBelow, int unhealthyBelow)
    {
        IHealthChecksBuilder builder = _services.AddHealthChecks();
        Assert.Contains("must be 0 to 100", Assert.Throws<ArgumentOutOfRangeException>(
            () => builder.AddServerPools(o => (o.DegradedBelow, o.UnhealthyBelow) = (degradedBelow, unhealthyBelow))).Message);
    }

    private void Build(Action<IHealthChecksBuilder> add, params string[] pools) => Build(add, static _ => { }, pools);

    private void Build(Action<IHealthChecksBuilder> add, Action<PoolOptions> configure, params string[] pools)
    {
        _services.AddLogging();
        add(_services.AddHealthChecks());
        foreach (string name in pools)
        {
            IServerPoolBuilder pool = _services.AddServerPool(name);
            for (int i = 1; i <= 4; i++) pool.AddServer($"127.0.0.1:{8000 + i}", name: $"s{i}");
            pool.Configure(configure);
        }

        _provider = _services.BuildServiceProvider();
    }

    private async Task<HealthReportEntry> ReportAsync() =>
        (await _provider!.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["lb"];
}
