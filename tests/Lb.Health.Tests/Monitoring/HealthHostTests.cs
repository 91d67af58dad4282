using Lb.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Health.Tests.Monitoring;

/// <summary>Whole hosts in virtual time: what pools, checks and callers make of each other.</summary>
public sealed class HealthHostTests : IAsyncDisposable
{
    private const int Limit = 60_000;
    private readonly ManualTimeProvider _time = new();
    private readonly FakeHealthChecker _checker;
    private IHost? _host;

    public HealthHostTests() => _checker = new FakeHealthChecker(_time);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ServerPools Pools => _host!.Services.GetRequiredService<ServerPools>();

    public async ValueTask DisposeAsync()
    {
        if (_host is null) return;
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H22")]
    public async Task A_server_that_fails_its_callers_is_down_until_its_checks_pass()
    {
        await StartAsync(o =>
        {
            PoolOptions web = Add(o, "web", "a", "b");
            (web.Observe, web.ErrorLimit, web.OnError, web.Balance) = (Observe.Layer4, 3, OnError.MarkDown, "first");
            web.Outlier.Enabled = false;
        });
        Advance(0.1);
        Server a = Pools["web"].Find("a")!;
        for (int i = 0; i < 3; i++)
        {
            Assert.True(Pools["web"].TryPick(default, out ServerLease lease, out _));
            Assert.Same(a, lease.Server);
            lease.Complete(LeaseOutcome.Failure(FailureKind.Connect));
        }

        await WhenAsync(() => a.Status == ServerStatus.Down);
        Advance(1.9);
        Assert.Equal(ServerStatus.Down, a.Status);
        Advance(2);
        Assert.Equal(ServerStatus.Up, a.Status);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H22")]
    public async Task A_reload_changes_what_failures_do()
    {
        Action<PoolOptions> react = static p => p.OnError = OnError.FastInter;
        await StartAsync(o =>
        {
            PoolOptions web = Add(o, "web", "a");
            (web.Observe, web.ErrorLimit) = (Observe.Layer4, 1);
            web.Outlier.Enabled = false;
            web.Checks[0].FastInterval = TimeSpan.FromSeconds(0.5);
            react(web);
        });
        _host!.Services.GetRequiredService<HealthMonitor>().Environment.Later = static work => work();
        Advance(0.2);
        Fail();

        // The next check is due in half a second, not in 1.8.
        Advance(0.4);
        Assert.Single(_checker.Calls);
        Advance(0.1);
        Assert.Equal(2, _checker.Calls.Count);
        Assert.Equal(ServerStatus.Up, Pools["web"].Servers[0].Status);
        react = static p => p.OnError = OnError.MarkDown;
        await ReloadAsync();
        Fail();
        Assert.Equal(ServerStatus.Down, Pools["web"].Servers[0].Status);

        void Fail()
        {
            Assert.True(Pools["web"].TryPick(default, out ServerLease lease, out _));
            lease.Complete(LeaseOutcome.Failure(FailureKind.Reset));
        }
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "P7")]
    public async Task One_that_tracks_is_not_checked_and_goes_with_the_tracked_one()
    {
        string? track = "web/a";
        await StartAsync(o =>
        {
            Add(o, "web", "a");
            Add(o, "api", "x", "y").Servers[0].Track = track;
        });
        Advance(3);
        Assert.Equal(["a", "a", "y", "y"], _checker.Calls.Select(static c => c.Server).Order());
        _checker.Answer("a", FakeHealthChecker.Fail);
        Advance(6);
        Server x = Pools["api"].Find("x")!;
        Assert.Equal(ServerStatus.Down, x.Status);

        // Without it its own checks decide, beginning with what was known.
        track = null;
        await ReloadAsync();
        Assert.Equal(ServerStatus.Down, x.Status);
        Advance(4);
        Assert.Equal(ServerStatus.Up, x.Status);

        // And with it again they end, and the tracked one's health holds at once.
        track = "web/a";
        await ReloadAsync();
        Assert.Equal(ServerStatus.Down, x.Status);
        int calls = _checker.Calls.Count(static c => c.Server == "x");
        Advance(10);
        Assert.Equal(calls, _checker.Calls.Count(static c => c.Server == "x"));
        Assert.Equal(ServerStatus.Down, x.Status);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "P10")]
    public async Task The_sorry_server_is_not_checked()
    {
        await StartAsync(static o => Add(o, "web", "a").SorryServer.Address = "127.0.0.1:99");
        Advance(10);
        Assert.Equal(["a"], _checker.Calls.Select(static c => c.Server).Distinct());
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "P13")]
    [Trait("Row", "P14")]
    public async Task With_alpha_the_first_check_that_passes_takes_a_server_in()
    {
        _checker.Then("b", FakeHealthChecker.Fail);
        await StartAsync(o =>
        {
            PoolOptions web = Add(o, "web", "a", "b", "c");
            web.Alpha = true;
            web.Servers[2].InitState = InitState.FullyUp;
            web.Checks[0].Interval = TimeSpan.FromSeconds(3);
        });

        // a was checked at once, b will be after 1 s and c after 2 s.
        Assert.Equal("Up Down Up", States());
        Advance(1.5);
        Assert.Equal("Up Down Up", States());
        Advance(3);
        Assert.Equal("Up Down Up", States());
        Advance(3);
        Assert.Equal("Up Up Up", States());

        string States() => string.Join(' ', Pools["web"].Servers.Select(static s => s.Status));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "P22")]
    public async Task A_pool_whose_checks_all_hang_holds_up_no_other()
    {
        string[] hanging = [.. Enumerable.Range(0, 300).Select(static i => $"h{i}")];
        foreach (string server in hanging) _checker.Hold(server);
        await StartAsync(o =>
        {
            Add(o, "a", hanging).Checks[0].Timeout = TimeSpan.FromMinutes(10);
            Add(o, "b", "b1", "b2");
        });
        for (int i = 0; i < 40; i++) Advance(0.25);

        // All of a's first checks are due within 2 s, and 256 of them hang: the slots of that pool.
        Assert.Equal(256, _checker.Running);
        Assert.Equal([0, 2, 4, 6, 8, 10], Starts("b1"));
        Assert.Equal([1, 3, 5, 7, 9], Starts("b2"));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "P22")]
    [Trait("Row", "H4")]
    public async Task A_pool_may_have_its_own_number_of_slots_and_a_reload_changes_it()
    {
        int? slots = 3;
        string[] servers = [.. Enumerable.Range(0, 10).Select(static i => $"s{i}")];
        foreach (string server in servers) _checker.Hold(server);
        await StartAsync(o =>
        {
            PoolOptions web = Add(o, "web", servers);
            web.Checks[0].Timeout = TimeSpan.FromMinutes(10);
            web.MaxConcurrentChecks = slots;
            o.Health.MaxConcurrentChecks = 7;
        });
        Advance(2);
        Assert.Equal(3, _checker.Running);
        slots = 5;
        await ReloadAsync();
        await WhenAsync(() => _checker.Running == 5);
        slots = null;
        await ReloadAsync();
        await WhenAsync(() => _checker.Running == 7);
    }

    private double[] Starts(string server) => [.. _checker.Calls.Where(c => c.Server == server).Select(static c => (c.At - ManualTimeProvider.Start).TotalSeconds)];

    private void Advance(double seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));

    private static PoolOptions Add(LbOptions options, string pool, params string[] servers)
    {
        PoolOptions made = options.Pools[pool] = new PoolOptions();
        foreach (string server in servers) made.Servers.Add(new ServerOptions { Name = server, Address = "127.0.0.1:80" });
        made.Checks.Add(new CheckOptions { Type = "fake" });
        return made;
    }

    private async Task StartAsync(Action<LbOptions> configure)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddLb().AddHealth();
        builder.Services.Configure(configure);
        builder.Services.AddHealthChecker("fake", _ => _checker);
        _host = builder.Build();
        await _host.StartAsync(Ct);
    }

    private async Task ReloadAsync() => Assert.Empty(await _host!.Services.GetRequiredService<ILbReloader>().ReloadAsync(Ct));

    private static async Task WhenAsync(Func<bool> condition)
    {
        while (!condition())
        {
            Ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
