using System.Diagnostics.Metrics;
using Lb.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Health.Tests.Monitoring;

public sealed class HealthMonitorTests : IAsyncDisposable
{
    private const int Limit = 60_000;

    private readonly ManualTimeProvider _time = new();
    private readonly FakeHealthChecker _checker;
    private readonly IConfigurationRoot _configuration;
    private readonly EditableConfiguration _source = new();
    private readonly Dictionary<string, CheckOptions> _made = [];
    private IHost? _host;

    public HealthMonitorTests()
    {
        _checker = new FakeHealthChecker(_time);
        _configuration = new ConfigurationBuilder().Add(_source).Build();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ServerPool Pool => _host!.Services.GetRequiredService<ServerPools>()["web"];

    private string Calls => string.Join(' ', _checker.Calls.Select(c => $"{c.Server}@{(c.At - ManualTimeProvider.Start).TotalSeconds}"));

    public async ValueTask DisposeAsync()
    {
        if (_host is null) return;
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H1")]
    public async Task A_host_checks_the_servers_of_its_configuration()
    {
        await StartAsync("s1", "s2");
        _checker.Answer("s2", FakeHealthChecker.Fail);
        Advance(1.5);
        Assert.Equal("s1@0 s2@1", Calls);
        Assert.Equal([ServerStatus.Up, ServerStatus.Down], Pool.Servers.Select(s => s.Status));
        Assert.Equal("s1", Assert.Single(Pool.Snapshot!.Servers.ToArray()).Name);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H1")]
    public async Task A_reload_keeps_what_has_not_changed_with_its_streak()
    {
        await StartAsync("s1", "s2");
        Advance(3.5);
        _checker.Answer("s1", FakeHealthChecker.Fail);
        Advance(3);
        Assert.Equal("s1@0 s2@1 s1@2 s2@3 s1@4 s2@5 s1@6", Calls);

        // Two of three have failed. A reload that adds a server must not forget them, nor move the others' turns.
        await ReloadAsync("s1", "s2", "s3");
        Assert.Equal("s3@6.5", Calls[^6..]);
        Advance(1.5);
        Assert.Equal("s2@7 s1@8", Calls[^9..]);
        Assert.Equal(ServerStatus.Down, Pool.Find("s1")!.Status);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H1")]
    public async Task A_changed_check_starts_anew_from_the_health_known()
    {
        await StartAsync("s1");
        _checker.Answer("s1", FakeHealthChecker.Fail);
        Advance(6);
        Assert.Equal(ServerStatus.Down, Pool.Servers[0].Status);
        _checker.Answer("s1", FakeHealthChecker.Pass);
        _configuration["Pools:web:Checks:0:Path"] = "/new";
        await ReloadAsync("s1");
        Assert.Equal(ServerStatus.Down, Pool.Servers[0].Status);
        Assert.Equal("/new", _made.Values.Last().Path);
        Advance(2);
        Assert.Equal(ServerStatus.Up, Pool.Servers[0].Status);
        Assert.Equal(2, _made.Count);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H1")]
    public async Task A_removed_check_no_longer_keeps_its_server_down()
    {
        _configuration["Pools:web:Checks:1:Type"] = "fake";
        _configuration["Pools:web:Checks:1:Port"] = "99";
        await StartAsync("s1");
        _checker.Then("s1", FakeHealthChecker.Fail);
        Advance(1);
        Assert.Equal("s1@0 s1@1", Calls);
        _checker.Then("s1", FakeHealthChecker.Pass, FakeHealthChecker.Fail, FakeHealthChecker.Pass, FakeHealthChecker.Fail);
        Advance(4.5);
        Assert.Equal(ServerStatus.Down, Pool.Servers[0].Status);
        _source.Remove("Pools:web:Checks:1:Type");
        _source.Remove("Pools:web:Checks:1:Port");
        await ReloadAsync("s1");
        Assert.Equal(ServerStatus.Up, Pool.Servers[0].Status);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H1")]
    public async Task Without_checks_servers_are_up_and_nothing_runs()
    {
        await StartAsync("s1");
        _checker.Answer("s1", FakeHealthChecker.Fail);
        Advance(6);
        Assert.Equal(ServerStatus.Down, Pool.Servers[0].Status);
        _source.Remove("Pools:web:Checks:0:Type");
        await ReloadAsync("s1");
        Assert.Equal(ServerStatus.Up, Pool.Servers[0].Status);
        int calls = _checker.Calls.Count;
        Advance(100);
        Assert.Equal(calls, _checker.Calls.Count);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H1")]
    public async Task Servers_added_and_removed_while_running_are_followed()
    {
        await StartAsync("s1");
        Assert.Equal("s1@0", Calls);
        Server added = Pool.Add(new ServerOptions { Name = "s2", Address = "127.0.0.1:8002" }, ServerAdmin.Ready);
        await _checker.WhenCallsReach(2, Ct);
        await WhenAsync(() => DeadlineQueue.Of(_time).Count == 2);
        Assert.Equal("s1@0 s2@0", Calls);

        // The same name again is another server.
        _checker.Hold("s2");
        Advance(2);
        Assert.Equal(2, _checker.Calls.Count(c => c.Server == "s2"));
        Assert.Equal(RemoveResult.Removed, Pool.Remove(added, force: true));
        await WhenAsync(() => _checker.Running == 0);
        _checker.Release("s2");
        Pool.Add(new ServerOptions { Name = "s2", Address = "127.0.0.1:8003" }, ServerAdmin.Ready);
        await _checker.WhenCallsReach(5, Ct);
        Assert.Equal("127.0.0.1:8003", $"{_checker.Calls[4].Target.EndPoint}");
        await WhenAsync(() => Pool.Find("s2")!.LastCheck is not null);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "P14")]
    public async Task An_added_server_is_not_checked_before_it_is_ready()
    {
        await StartAsync("s1");
        Server added = Pool.Add(new ServerOptions { Name = "s2", Address = "127.0.0.1:8002", InitState = InitState.Down });
        await WhenAsync(() => DeadlineQueue.Of(_time).Count == 2);
        Advance(3);
        Assert.DoesNotContain("s2", Calls, StringComparison.Ordinal);
        Pool.SetAdmin(added, ServerAdmin.Ready);
        Assert.Equal(ServerStatus.Down, added.Status);
        Advance(2);
        Assert.Equal(ServerStatus.Up, added.Status);
    }

    [Fact(Timeout = Limit)]
    public async Task Stopping_the_host_ends_running_checks()
    {
        _checker.Hold("s1");
        await StartAsync("s1", "s2");
        Assert.Equal(1, _checker.Running);
        await _host!.StopAsync(Ct);
        Assert.Equal(0, _checker.Running);
        int calls = _checker.Calls.Count;
        Advance(100);
        Assert.Equal(calls, _checker.Calls.Count);
    }

    [Fact(Timeout = Limit)]
    public async Task Metrics_count_checks()
    {
        await StartAsync("s1");
        _checker.Then("s1", FakeHealthChecker.Fail);
        Advance(4);
        Dictionary<string, long> values = [];
        IMeterFactory factory = _host!.Services.GetRequiredService<IMeterFactory>();
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == "Lb.Health" && ReferenceEquals(instrument.Meter.Scope, factory)) l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.Equal(
            new Dictionary<string, long>
            {
                ["lb.health.checks"] = 3,
                ["lb.health.checks.failed"] = 1,
                ["lb.health.checks.overdue"] = 0,
                ["lb.health.checks.running"] = 0,
                ["lb.health.checks.waiting"] = 0,
                ["lb.health.checks.stalled"] = 0,
            },
            values);
    }

    [Fact(Timeout = Limit)]
    public async Task A_checker_that_cannot_be_made_leaves_the_running_checks_alone()
    {
        await StartAsync("s1");
        _configuration["Pools:web:Checks:1:Type"] = "broken";
        IReadOnlyList<ConfigurationError> errors = await _host!.Services.GetRequiredService<ILbReloader>().ReloadAsync(Ct);
        Assert.Equal("Lb:Pools:web:Checks:1:Type = 'broken': the checker can't be made: no luck", Assert.Single(errors).ToString());
        Advance(2);
        Assert.Equal("s1@0 s1@2", Calls);
    }

    private void Advance(double seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));

    private static async Task WhenAsync(Func<bool> condition)
    {
        while (!condition())
        {
            Ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private void SetServers(string[] servers)
    {
        for (int i = 0; i < servers.Length; i++)
        {
            _configuration[$"Pools:web:Servers:{i}:Name"] = servers[i];
            _configuration[$"Pools:web:Servers:{i}:Address"] = $"127.0.0.1:{8001 + i}";
        }
    }

    private async Task StartAsync(params string[] servers)
    {
        SetServers(servers);
        _configuration["Pools:web:Checks:0:Type"] = "fake";
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddMetrics();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddLb(_configuration).AddHealth();
        builder.Services.AddHealthChecker("fake", options =>
        {
            _made.Add($"{_made.Count}", options);
            return _checker;
        });
        builder.Services.AddHealthChecker("broken", static _ => throw new InvalidOperationException("no luck"));
        _host = builder.Build();
        await _host.StartAsync(Ct);
    }

    private async Task ReloadAsync(params string[] servers)
    {
        SetServers(servers);
        Assert.Empty(await _host!.Services.GetRequiredService<ILbReloader>().ReloadAsync(Ct));
    }

    /// <summary>A configuration whose keys can go away.</summary>
    private sealed class EditableConfiguration : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public void Remove(string key) => Data.Remove(key);
    }
}
