using System.Net;
using Lb.Core.Tests.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Core.Tests.DependencyInjection;

public sealed class HostTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void A_pool_is_a_keyed_service_and_the_same_everywhere_without_a_host()
    {
        ServiceCollection services = new();
        services.AddServerPool("web").AddServer("127.0.0.1:80");
        using ServiceProvider provider = services.BuildServiceProvider();
        ServerPool pool = provider.GetRequiredKeyedService<ServerPool>("web");
        ServerPools pools = provider.GetRequiredService<ServerPools>();
        Assert.Same(pool, pools["WEB"]);
        Assert.Same(pool, pools.Find("Web"));
        Assert.Same(pool, Assert.Single(pools.All));
        Assert.Equal("127.0.0.1:80", pool.Next());
    }

    [Fact]
    public void An_unknown_pool_is_an_error_that_names_those_there_are()
    {
        ServiceCollection services = new();
        services.AddServerPool("web").AddServer("127.0.0.1:80");
        services.AddServerPool("api").AddServer("127.0.0.1:81");
        using ServiceProvider provider = services.BuildServiceProvider();
        KeyNotFoundException error = Assert.Throws<KeyNotFoundException>(() => provider.GetRequiredKeyedService<ServerPool>("wbe"));
        Assert.Equal("There is no pool 'wbe'; there are: api, web.", error.Message);
        Assert.Null(provider.GetRequiredService<ServerPools>().Find("wbe"));
    }

    [Fact]
    public void An_invalid_configuration_is_told_to_the_first_who_wants_a_pool()
    {
        ServiceCollection services = new();
        services.AddServerPool("web");
        using ServiceProvider provider = services.BuildServiceProvider();
        Assert.Single(Assert.Throws<LbConfigurationException>(() => provider.GetRequiredKeyedService<ServerPool>("web")).Errors);
    }

    [Fact]
    public void Adding_Lb_often_adds_it_once()
    {
        ServiceCollection services = new();
        services.AddLb();
        services.AddLb();
        services.AddServerPool("web").AddServer("127.0.0.1:80", weight: 2);
        services.AddServerPool("web").AddServer("127.0.0.1:81");
        services.AddLb(TestConfiguration.FromJson("""{ "Lb": { "Pools": { "api": { "Servers": [ { "Address": "127.0.0.1:82" } ] } } } }""").GetSection("Lb"));
        using ServiceProvider provider = services.BuildServiceProvider();
        Assert.Single(provider.GetServices<IHostedService>());
        Assert.Single(provider.GetServices<ILbPart>());
        Assert.Single(provider.GetServices<INotifier>());
        Assert.Equal(["api", "web"], provider.GetRequiredService<ServerPools>().All.Select(static p => p.Name).Order());
        Assert.Equal(2, provider.GetRequiredKeyedService<ServerPool>("web").Servers.Count);
    }

    [Fact]
    public void Every_verb_chooses_its_policy()
    {
        ServiceCollection services = new();
        Add("rr").UseRoundRobin();
        Add("lc").UseLeastConnections();
        Add("p2c").UsePowerOfTwoChoices();
        Add("random").UseRandom(5);
        Add("first").UseFirst();
        Add("source").UseSourceHash(avalanche: true);
        Add("last wins").UseScheduler(static () => new First()).UseRoundRobin();
        using ServiceProvider provider = services.BuildServiceProvider();
        Assert.Equal(
            ["roundrobin", "leastconn", "p2c", "random", "first", "source", "roundrobin"],
            new[] { "rr", "lc", "p2c", "random", "first", "source", "last wins" }.Select(n => provider.GetRequiredKeyedService<ServerPool>(n).PolicyName));
        LbOptions options = provider.GetRequiredService<LbConfiguration>().Read();
        Assert.Equal((5, true), (options.Pools["random"].BalanceOptions.Draws, options.Pools["source"].BalanceOptions.Avalanche));

        IServerPoolBuilder Add(string name) => services.AddServerPool(name).AddServer("127.0.0.1:80");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_host_with_faults_does_not_start_and_tells_all_of_them()
    {
        using IHost host = Build(out _, """{ "Pools": { "web": { "Servers": [ { "Address": "x", "Weight": 300 } ], "Nonsense": 1 } } }""");
        LbConfigurationException error = await Assert.ThrowsAsync<LbConfigurationException>(() => host.StartAsync(Ct));
        Assert.Equal(3, error.Errors.Count);
        Assert.All(error.Errors, e => Assert.Contains(e.ToString(), error.Message, StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task Names_are_looked_up_when_the_host_starts()
    {
        using IHost host = Build(out _, """{ "Pools": { "web": { "Servers": [ { "Address": "localhost:8080" } ] } } }""");
        ServerPool early = host.Services.GetRequiredKeyedService<ServerPool>("web");
        Assert.IsType<DnsEndPoint>(early.Servers[0].EndPoint);
        await host.StartAsync(Ct);
        Assert.Same(early, host.Services.GetRequiredKeyedService<ServerPool>("web"));
        IPEndPoint endPoint = Assert.IsType<IPEndPoint>(early.Servers[0].EndPoint);
        Assert.Equal((true, 8080), (IPAddress.IsLoopback(endPoint.Address), endPoint.Port));
        await host.StopAsync(Ct);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_name_without_an_address_is_an_error_at_its_path()
    {
        using IHost host = Build(out _, """{ "Pools": { "web": { "Servers": [ { "Address": "127.0.0.1:1" }, { "Address": "nonexistent.invalid:80" } ] } } }""");
        LbConfigurationException error = await Assert.ThrowsAsync<LbConfigurationException>(() => host.StartAsync(Ct));
        ConfigurationError one = Assert.Single(error.Errors);
        Assert.Equal(("Lb:Pools:web:Servers:1:Address", "nonexistent.invalid:80"), (one.Path, one.Value));
        Assert.StartsWith("can't be looked up: ", one.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Parts_start_in_order_and_stop_backwards()
    {
        List<string> calls = [];
        using IHost host = Build(out _, "{}", services =>
        {
            services.AddSingleton<ILbPart>(new FakePart("Gateways", 300) { Calls = calls });
            services.AddSingleton<ILbPart>(new FakePart("Checks", 200) { Calls = calls });
        });
        await host.StartAsync(Ct);
        await host.StopAsync(Ct);
        Assert.Equal(["Checks apply", "Gateways apply", "Gateways stop", "Checks stop"], calls);
    }

    [Fact(Timeout = 60_000)]
    public async Task When_a_part_can_not_start_those_before_it_are_stopped_again()
    {
        List<string> calls = [];
        using IHost host = Build(out _, "{}", services =>
        {
            services.AddSingleton<ILbPart>(new FakePart("Gateways", 300) { Calls = calls, OnApply = static () => throw new InvalidOperationException("port taken") });
            services.AddSingleton<ILbPart>(new FakePart("Checks", 200) { Calls = calls });
        });
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync(Ct));
        Assert.Equal(["Checks apply", "Gateways apply", "Gateways stop", "Checks stop"], calls);
    }

    [Fact(Timeout = 60_000)]
    public async Task Every_notifier_hears_of_what_happens_until_the_host_has_stopped()
    {
        using IHost host = Build(out _, OneServer, static services => services.AddNotifier<CollectingNotifier>().AddNotifier<CollectingNotifier>());
        CollectingNotifier notifier = Assert.Single(host.Services.GetServices<INotifier>().OfType<CollectingNotifier>());
        await host.StartAsync(Ct);
        ServerPool pool = host.Services.GetRequiredKeyedService<ServerPool>("web");
        await notifier.Collector.Next<ServerJoined>();
        pool.SetHealth(pool.Servers[0], ServerHealth.Down);
        await notifier.Collector.Next<ServerStatusChanged>();
        pool.SetHealth(pool.Servers[0], ServerHealth.Up);
        await host.StopAsync(Ct);
        Assert.Equal(2, notifier.Collector.Events.OfType<ServerStatusChanged>().Count());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "P16")]
    public async Task A_valid_change_is_taken_over_when_the_configuration_says_so()
    {
        using IHost host = Build(out MutableConfiguration configuration, OneServer, static s => s.AddNotifier<CollectingNotifier>());
        await host.StartAsync(Ct);
        ServerPool pool = host.Services.GetRequiredKeyedService<ServerPool>("web");
        Server a = pool.Servers[0];
        ServerLease open = pool.Pick();

        configuration.Set("""
            { "Pools": { "web": { "MaxQueue": 7, "Servers": [ { "Name": "a", "Address": "127.0.0.1:80", "Weight": 9 }, { "Name": "b", "Address": "127.0.0.1:81" } ] },
                         "new": { "Servers": [ { "Address": "127.0.0.1:90" } ] } } }
            """);
        await Notifier(host).Next<ConfigurationReloaded>(static e => e.Errors.Count == 0);
        Assert.Same(pool, host.Services.GetRequiredService<ServerPools>()["web"]);
        Assert.Same(a, pool.Servers[0]);
        Assert.Equal((2, 9, 7, 1), (pool.Servers.Count, a.Weight, pool.Settings.MaxQueue, a.InFlight));
        Assert.NotNull(host.Services.GetRequiredService<ServerPools>().Find("new"));
        open.Complete(LeaseOutcome.Success);

        configuration.Set(OneServer);
        await Notifier(host).Next<ServerLeft>();
        IReadOnlyList<ConfigurationError> errors = await host.Services.GetRequiredService<ILbReloader>().ReloadAsync(Ct);
        Assert.Empty(errors);
        Assert.Single(pool.Servers);
        Assert.Null(host.Services.GetRequiredService<ServerPools>().Find("new"));
        await host.StopAsync(Ct);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("""{ "Pools": { "web": { "Servers": [ { "Name": "b", "Address": "127.0.0.1:81" } ], "Retries": "x" } } }""", "Lb:Pools:web:Retries = 'x'")]
    [InlineData("""{ "Pools": { "web": { "Servers": [ { "Name": "b", "Address": "127.0.0.1:81" } ] }, "bad": { "Retries": 1 } } }""", "Lb:Pools:bad:Servers")]
    [InlineData("""{ "Pools": { "web": { "Servers": [ { "Name": "b", "Address": "nonexistent.invalid:81" } ] } } }""", "Lb:Pools:web:Servers:0:Address = 'nonexistent.invalid:81'")]
    public async Task An_invalid_change_is_refused_as_a_whole(string lb, string error)
    {
        List<string> calls = [];
        using IHost host = Build(out MutableConfiguration configuration, OneServer, services =>
        {
            services.AddNotifier<CollectingNotifier>();
            services.AddSingleton<ILbPart>(new FakePart("Gateways", 300) { Calls = calls });
        });
        await host.StartAsync(Ct);
        ServerPool pool = host.Services.GetRequiredKeyedService<ServerPool>("web");
        Server a = pool.Servers[0];
        configuration.Set(lb);
        ConfigurationReloaded told = await Notifier(host).Next<ConfigurationReloaded>();
        Assert.StartsWith(error, Assert.Single(told.Errors), StringComparison.Ordinal);
        Assert.Single(await host.Services.GetRequiredService<ILbReloader>().ReloadAsync(Ct));

        Assert.Same(a, Assert.Single(pool.Servers));
        Assert.Equal("a", pool.Usable());
        Assert.Equal(["Gateways apply"], calls);
        await host.StopAsync(Ct);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_part_that_fails_while_it_is_changed_is_told_and_the_host_goes_on()
    {
        FakePart part = new("Gateways", 300);
        using IHost host = Build(out _, OneServer, services => services.AddSingleton<ILbPart>(part));
        await host.StartAsync(Ct);
        ILbReloader reloader = host.Services.GetRequiredService<ILbReloader>();
        part.OnApply = static () => throw new InvalidOperationException("port taken");
        ConfigurationError error = Assert.Single(await reloader.ReloadAsync(Ct));
        Assert.Contains("port taken", error.Message, StringComparison.Ordinal);
        part.OnApply = null;
        Assert.Empty(await reloader.ReloadAsync(Ct));
        await host.StopAsync(Ct);
        Assert.Empty(await reloader.ReloadAsync(Ct));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_part_that_fails_to_stop_does_not_keep_the_others_running()
    {
        List<string> calls = [];
        using IHost host = Build(out _, OneServer, services =>
        {
            services.AddSingleton<ILbPart>(new FakePart("Checks", 200) { Calls = calls });
            services.AddSingleton<ILbPart>(new FailingPart());
        });
        await host.StartAsync(Ct);
        await Assert.ThrowsAnyAsync<Exception>(() => host.StopAsync(Ct));
        Assert.Equal(["Checks apply", "Checks stop"], calls);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "S29")]
    public async Task A_reload_keeps_the_policy_and_its_turn_unless_it_changes()
    {
        using IHost host = Build(out MutableConfiguration configuration, Balanced("roundrobin"));
        await host.StartAsync(Ct);
        ServerPool pool = host.Services.GetRequiredKeyedService<ServerPool>("web");
        ILbReloader reloader = host.Services.GetRequiredService<ILbReloader>();
        Assert.Equal("a", pool.Next());
        configuration.Set(Balanced("RoundRobin"), reload: false);
        Assert.Empty(await reloader.ReloadAsync(Ct));
        Assert.Equal("b c", pool.Sequence(2));
        configuration.Set(Balanced("first"), reload: false);
        Assert.Empty(await reloader.ReloadAsync(Ct));
        Assert.Equal(("a a", "first"), (pool.Sequence(2), pool.PolicyName));

        // A policy set at run time stays, and so does its name.
        pool.SetPolicy(new Scheduling.LastOne());
        Assert.Empty(await reloader.ReloadAsync(Ct));
        Assert.Equal(("c", nameof(Scheduling.LastOne)), (pool.Next(), pool.PolicyName));
        await host.StopAsync(Ct);

        static string Balanced(string policy) => $$"""
            { "Pools": { "web": { "Balance": "{{policy}}", "Servers": [
              { "Name": "a", "Address": "127.0.0.1:1" }, { "Name": "b", "Address": "127.0.0.1:2" }, { "Name": "c", "Address": "127.0.0.1:3" } ] } } }
            """;
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "P14")]
    public async Task When_the_checks_are_taken_away_servers_are_up_and_it_is_told()
    {
        using IHost host = Build(
            out MutableConfiguration configuration,
            """{ "Pools": { "web": { "Checks": [ { "Type": "tcp" } ], "Servers": [ { "Name": "a", "Address": "127.0.0.1:80", "InitState": "down" } ] } } }""",
            static services =>
            {
                services.AddSingleton<ILbPart>(new FakePart("Checks", 200));
                services.AddNotifier<CollectingNotifier>();
            });
        await host.StartAsync(Ct);
        ServerPool pool = host.Services.GetRequiredKeyedService<ServerPool>("web");
        Assert.Equal(PickFailure.NoServer, pool.FailToPick());
        configuration.Set(OneServer);
        ServerStatusChanged told = await Notifier(host).Next<ServerStatusChanged>();
        Assert.Equal((ServerStatus.Down, ServerStatus.Up), (told.From, told.To));
        await Notifier(host).Next<ConfigurationReloaded>();
        Assert.Equal("a", pool.Next());
        await host.StopAsync(Ct);
    }

    private const string OneServer = """{ "Pools": { "web": { "Servers": [ { "Name": "a", "Address": "127.0.0.1:80" } ] } } }""";

    private static Collector Notifier(IHost host) => host.Services.GetServices<INotifier>().OfType<CollectingNotifier>().Single().Collector;

    private static IHost Build(out MutableConfiguration configuration, string lb, Action<IServiceCollection>? configure = null)
    {
        MutableConfiguration source = new(lb);
        configuration = source;
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        ((IConfigurationBuilder)builder.Configuration).Add(source);
        builder.Services.AddLb(builder.Configuration.GetSection("Lb"));
        configure?.Invoke(builder.Services);
        return builder.Build();
    }

    private sealed class CollectingNotifier : INotifier
    {
        public Collector Collector { get; } = new();

        public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct) => Collector.NotifyAsync(notice, ct);
    }

    private sealed class FailingPart : ILbPart
    {
        public int Order => 300;

        public string Handles => "Failing";

        public void Validate(LbOptions options, ICollection<ConfigurationError> errors)
        {
        }

        public Task ApplyAsync(LbOptions options, CancellationToken ct) => Task.CompletedTask;

        public Task StopAsync(CancellationToken ct) => throw new InvalidOperationException("stuck");
    }

    /// <summary>A configuration that a test changes, with a change token as files have.</summary>
    private sealed class MutableConfiguration(string lb) : ConfigurationProvider, IConfigurationSource
    {
        private string _lb = lb;

        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public override void Load() => Data = TestConfiguration.FromJson($$"""{ "Lb": {{_lb}} }""").AsEnumerable()
            .Where(static p => p.Value is not null).ToDictionary(static p => p.Key, static p => p.Value, StringComparer.OrdinalIgnoreCase);

        public void Set(string lb, bool reload = true)
        {
            _lb = lb;
            Load();
            if (reload) OnReload();
        }
    }
}
