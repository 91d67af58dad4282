using System.Collections.Concurrent;
using System.Net;
using Lb.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lb.Health.Tests.Monitoring;

[Trait("Row", "H4")]
[Trait("Row", "P22")]
public sealed class CheckBudgetTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(70)]
    [InlineData(3000)]
    public void No_second_sees_more_starts_than_the_budget(int budget)
    {
        const int servers = 200;
        using ProbeRig rig = new(servers, checks: new CheckOptions { Interval = S(0.05) });
        rig.Follow(o => o.Health.ChecksPerSecond = budget);
        rig.Start();
        const int seconds = 12;
        for (int i = 0; i < seconds * 100; i++) rig.Advance(0.01);

        double[] starts = rig.Starts;
        int first = 0, most = 0;
        for (int i = 0; i < starts.Length; i++)
        {
            while (starts[i] - starts[first] >= 1 - 1e-9) first++;
            most = Math.Max(most, i - first + 1);
        }

        Assert.InRange(most, 1, budget);
        Assert.InRange(starts.Length, Math.Floor(budget * seconds / 1.005) - 1, (budget * seconds) + 1);
    }

    [Fact]
    public void Late_checks_wait_in_the_order_in_which_they_were_due_and_do_not_count_as_failed()
    {
        using ProbeRig rig = new(5, checks: new CheckOptions { Interval = S(1), Fall = 1 });
        rig.Follow(static o => o.Health.ChecksPerSecond = 1);
        rig.Start();
        rig.Advance(11);
        Assert.Equal(["s1", "s2", "s3", "s4", "s5", "s1", "s2", "s3", "s4", "s5"], rig.Checker.Calls.Take(10).Select(c => c.Server));
        Assert.Equal((0, 0), (rig.Environment.Failed, rig.Environment.Overdue));
        Assert.Equal(4, rig.Environment.Budget.Waiting);
    }

    [Fact]
    public void A_limit_that_is_lifted_lets_all_go_that_wait()
    {
        using ProbeRig rig = new(20, checks: new CheckOptions { Interval = S(1) });
        rig.Follow(static o => o.Health.ChecksPerSecond = 1);
        rig.Start();
        rig.Advance(3);
        int before = rig.Starts.Length;
        rig.Follow(static _ => { });
        rig.Advance(0.001);
        Assert.Equal(0, rig.Environment.Budget.Waiting);
        Assert.InRange(rig.Starts.Length - before, 17, 20);
        before = rig.Starts.Length;
        rig.Advance(10);
        Assert.InRange(rig.Starts.Length - before, 190, 200);
    }

    [Fact(Timeout = 60_000)]
    public async Task Checks_that_wait_end_with_the_host()
    {
        using ProbeRig rig = new(5, checks: new CheckOptions { Interval = S(1) });
        rig.Follow(static o => o.Health.ChecksPerSecond = 1);
        rig.Start();
        rig.Advance(2);
        Assert.Equal(4, rig.Environment.Budget.Waiting);
        await rig.StopAsync(Ct);
        rig.Advance(100);
        Assert.Equal((0, 0, 0), (rig.Environment.Budget.Waiting, rig.Environment.Running, rig.Time.ActiveTimers));
    }

    [Fact(Timeout = 60_000)]
    public async Task One_host_has_so_many_checks_at_a_time_and_the_others_go_on()
    {
        using ProbeRig rig = new(
            2, pool: static p => p.Servers.Add(new ServerOptions { Name = "far", Address = "127.0.0.2:8001" }), checks: new CheckOptions { Interval = S(3), Timeout = S(60) });
        rig.Follow(static o => o.Health.MaxConcurrentChecksPerHost = 1);
        rig.Checker.Hold("s1");
        rig.Start();
        rig.Advance(8);

        // s2 is of the same host as s1, on another port.
        Assert.Equal(["s1", "far", "far", "far"], rig.Checker.Calls.Select(c => c.Server));
        rig.Checker.Release("s1");
        await rig.Checker.WhenCallsReach(5, Ct);
        Assert.Contains(rig.Checker.Calls, static c => c.Server == "s2");
        Assert.NotNull(rig.Environment.SlotsOf(new IPEndPoint(IPAddress.Loopback, 1)));
        rig.Follow(static _ => { });
        Assert.Null(rig.Environment.SlotsOf(new IPEndPoint(IPAddress.Loopback, 1)));
    }

    [Theory]
    [InlineData(100, 0)]
    [InlineData(4, 1)]
    public async Task A_budget_that_cannot_hold_the_configured_checks_is_told(int budget, int warnings)
    {
        Lines lines = new();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(new ManualTimeProvider());
        builder.Logging.AddProvider(lines);
        builder.Services.AddLb(new ConfigurationBuilder().AddInMemoryCollection([new("Health:ChecksPerSecond", $"{budget}")]).Build()).AddHealth();
        builder.Services.AddServerPool("web").Configure(pool =>
        {
            pool.Checks.Add(new CheckOptions { Interval = S(0.5) });
            for (int i = 1; i <= 5; i++) pool.Servers.Add(new ServerOptions { Address = $"127.0.0.1:{i}" });
        });
        using IHost host = builder.Build();
        await host.StartAsync(Ct);
        string[] told = [.. lines.All.Where(static l => l.Contains("ChecksPerSecond", StringComparison.Ordinal))];
        Assert.Equal(warnings, told.Length);
        if (warnings > 0)
            Assert.Equal("2023 10 health checks a second are configured, Health:ChecksPerSecond allows 4: every interval grows to 250 % of what it says", told[0]);
        await host.StopAsync(Ct);
    }

    [Fact]
    public async Task A_budget_that_is_too_small_lets_every_interval_grow_in_the_same_proportion()
    {
        ManualTimeProvider time = new();
        FakeHealthChecker checker = new(time);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddLb(new ConfigurationBuilder().AddInMemoryCollection([new("Health:ChecksPerSecond", "4")]).Build()).AddHealth();
        foreach ((string name, int interval) in ((string, int)[])[("fast", 1), ("slow", 10)])
        {
            builder.Services.AddServerPool(name).AddCheck(checker, c => c.Interval = S(interval)).Configure(pool =>
            {
                for (int i = 1; i <= 10; i++) pool.Servers.Add(new ServerOptions { Name = $"{name}{i}", Address = $"127.0.0.1:{i}" });
            });
        }

        using IHost host = builder.Build();
        await host.StartAsync(Ct);
        time.Advance(S(100));
        int before = checker.Calls.Count;
        time.Advance(S(1100));
        await host.StopAsync(Ct);

        // 11 a second are wanted, 4 allowed: 2.75 times as long.
        Dictionary<string, int> counts = checker.Calls.Skip(before).GroupBy(static c => c.Server).ToDictionary(static g => g.Key, static g => g.Count());
        foreach ((string server, int count) in counts) Assert.InRange(count, (server[0] == 'f' ? 400 : 40) * 0.95, (server[0] == 'f' ? 400 : 40) * 1.05);
        Assert.Equal(20, counts.Count);
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> All { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue($"{eventId.Id} {formatter(state, exception)}");

        public void Dispose()
        {
            // Nothing to let go.
        }
    }

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
}
