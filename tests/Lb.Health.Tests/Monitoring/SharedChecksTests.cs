using Lb.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Health.Tests.Monitoring;

[Trait("Row", "H4")]
public sealed class SharedChecksTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Pools_that_ask_the_same_ask_once_and_each_counts_for_itself()
    {
        using ProbeRig rig = new();
        PoolMember web = new(rig, "web"), api = new(rig, "api");
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        web.Start();
        rig.Advance(3);
        Assert.Equal([0, 2], rig.Starts);
        api.Start(delay: 1);
        Assert.Single(rig.Environment.Loops.All);

        // The third failure of one is the first of the other.
        rig.Advance(1);
        Assert.Equal("Down Up", $"{web.Server.Health} {api.Server.Health}");
        Assert.Equal((-3, -1), (web.Server.LastCheck!.Consecutive, api.Server.LastCheck!.Consecutive));
        rig.Advance(4);
        Assert.Equal("Down Down", $"{web.Server.Health} {api.Server.Health}");
        Assert.Equal([0, 2, 4, 6, 8], rig.Starts);
        Assert.Equal((5, 5), (rig.Environment.Run, rig.Environment.Failed));
    }

    [Fact]
    public void One_that_joins_is_told_within_the_time_it_was_given()
    {
        using ProbeRig rig = new();
        PoolMember web = new(rig, "web", static c => c.Interval = TimeSpan.FromSeconds(10)), api = new(rig, "api", static c => c.Interval = TimeSpan.FromSeconds(10));
        web.Start();
        rig.Advance(1);
        api.Start(delay: 2);
        rig.Advance(20);
        Assert.Equal([0, 3, 13], rig.Starts);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_one_that_stays_goes_on_and_the_last_one_ends_it()
    {
        using ProbeRig rig = new();
        PoolMember web = new(rig, "web"), api = new(rig, "api");
        web.Start();
        api.Start();
        rig.Advance(3);

        // One that joins has its first check when it would have had it alone.
        Assert.Equal([0, 0, 2], rig.Starts);
        await web.StopAsync(Ct);
        rig.Advance(4);
        Assert.Equal([0, 0, 2, 4, 6], rig.Starts);
        Assert.Equal(3, web.Server.LastCheck!.Consecutive);
        Assert.Equal(4, api.Server.LastCheck!.Consecutive);
        await api.StopAsync(Ct);
        rig.Advance(10);
        Assert.Equal([0, 0, 2, 4, 6], rig.Starts);
        Assert.Empty(rig.Environment.Loops.All);
        Assert.Equal(0, rig.Time.ActiveTimers);

        // The same again begins anew.
        api.Start();
        rig.Advance(1);
        Assert.Equal([0, 0, 2, 4, 6, 17], rig.Starts);
        await api.StopAsync(Ct);
    }

    [Fact]
    public void Maintenance_in_one_pool_is_that_pools_business()
    {
        using ProbeRig rig = new();
        PoolMember web = new(rig, "web"), api = new(rig, "api");
        web.Start();
        api.Start();
        rig.Advance(1);
        web.Pool.SetAdmin(web.Server, ServerAdmin.Maintenance);
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        rig.Advance(6);
        Assert.Equal("Up Down", $"{web.Server.Health} {api.Server.Health}");
        api.Pool.SetAdmin(api.Server, ServerAdmin.Maintenance);
        int before = rig.Starts.Length;
        rig.Advance(20);
        Assert.Equal(before, rig.Starts.Length);

        // What was known is old: the first check decides.
        web.Pool.SetAdmin(web.Server, ServerAdmin.Ready);
        rig.Advance(2);
        Assert.Equal(ServerHealth.Down, web.Server.Health);
    }

    [Fact]
    public void The_one_in_the_greatest_hurry_sets_the_pace()
    {
        using ProbeRig rig = new();
        static void Slow(CheckOptions c) => (c.Interval, c.FastInterval) = (TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1));
        PoolMember web = new(rig, "web", Slow), api = new(rig, "api", Slow);
        web.Start();
        api.Start();
        rig.Advance(10);
        Assert.Equal([0, 0, 10], rig.Starts);

        // Callers of one pool fail: only that one is in question.
        api.Check!.CallersFailed(OnError.FailCheck);
        rig.Advance(2);
        Assert.Equal([0, 0, 10, 11], rig.Starts);
        Assert.Equal(4, web.Server.LastCheck!.Consecutive);
    }

    [Theory]
    [InlineData("interval")]
    [InlineData("fall")]
    [InlineData("port")]
    [InlineData("connect time-out of the pool")]
    [InlineData("address")]
    [InlineData("kind")]
    [InlineData("retries")]
    [InlineData("PROXY header")]
    [InlineData("PROXY header of the traffic")]
    [InlineData("source address")]
    [InlineData("off")]
    public void What_differs_is_asked_twice(string what)
    {
        using ProbeRig rig = new();
        if (what == "off") rig.Follow(static o => o.Health.ShareChecks = false);
        PoolMember web = new(rig, "web"), api = new(
            rig, "api",
            c =>
            {
                if (what == "interval") c.Interval = TimeSpan.FromSeconds(3);
                if (what == "fall") c.Fall = 7;
                if (what == "port") c.Port = 8001;
                if (what == "retries") c.Retry = 1;
                if (what == "PROXY header") c.SendProxy = "v2";
                if (what == "source address") c.SourceAddress = "127.0.0.1";
            },
            p =>
            {
                if (what == "connect time-out of the pool") p.ConnectTimeout = TimeSpan.FromSeconds(1);
                if (what == "PROXY header of the traffic") p.Servers[0].SendProxy = "v2";
                if (what == "address") p.Servers[0].Address = "127.0.0.1:8002";
            },
            isShareable: what != "kind");
        web.Start();
        api.Start();
        Assert.Equal(2, rig.Environment.Loops.All.Count);
        Assert.Equal([0, 0], rig.Starts);
    }

    [Fact]
    public void A_reload_that_ends_the_sharing_separates_them()
    {
        using ProbeRig rig = new();
        PoolMember web = new(rig, "web"), api = new(rig, "api");
        web.Start();
        api.Start();
        rig.Advance(1);
        rig.Follow(static o => o.Health.ShareChecks = false);
        rig.Advance(1);
        Assert.Equal(2, rig.Environment.Loops.All.Count);
        Assert.Equal([0, 0, 2, 2], rig.Starts);
        Assert.Equal((3, 2), (web.Server.LastCheck!.Consecutive, api.Server.LastCheck!.Consecutive));
    }

    [Theory]
    [InlineData("tcp", true)]
    [InlineData("http", true)]
    [InlineData("redis", true)]
    [InlineData("agent", false)]
    public void Kinds_that_speak_of_one_server_are_never_shared(string type, bool expected)
    {
        CheckOptions check = new() { Type = type, Port = 1 };
        HealthCheckers kinds = new(HealthCheckers.BuiltInRegistrations(TimeProvider.System));
        using ServiceProvider services = new ServiceCollection().BuildServiceProvider();
        Assert.Equal(expected, new CheckPlan(check, kinds.Create(check, services)).IsShareable);
        Assert.False(new CheckPlan(check, new DelegateChecker((_, _) => default)).IsShareable);
        Assert.False(new CheckPlan(new CheckOptions { Checker = _ => new TcpChecker() }, new TcpChecker()).IsShareable);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_address_that_changes_leaves_the_shared_check_and_joins_another()
    {
        ManualTimeProvider time = new();
        using ConfigurationRoot configuration = new([new MemoryConfigurationProvider(new MemoryConfigurationSource())]);
        foreach (string pool in (string[])["web", "api", "far"])
        {
            configuration[$"Pools:{pool}:Servers:0:Address"] = pool == "far" ? "127.0.0.1:2" : "127.0.0.1:1";
            configuration[$"Pools:{pool}:Checks:0:Type"] = "tcp";
        }

        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddLb(configuration).AddHealth();
        using IHost host = builder.Build();
        await host.StartAsync(Ct);
        ProbeLoops loops = host.Services.GetRequiredService<HealthMonitor>().Environment.Loops;
        Assert.Equal(["127.0.0.1:1", "127.0.0.1:2"], Asked());

        configuration["Pools:api:Servers:0:Address"] = "127.0.0.1:2";
        configuration["Pools:web:Servers:0:Address"] = "127.0.0.1:3";
        Assert.Empty(await host.Services.GetRequiredService<ILbReloader>().ReloadAsync(Ct));
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(["127.0.0.1:2", "127.0.0.1:3"], Asked());
        await host.StopAsync(Ct);
        Assert.Empty(loops.All);

        string[] Asked() => [.. loops.All.Select(static l => $"{l.Key!.EndPoint}").Order(StringComparer.Ordinal)];
    }
}
