using Lb.Testing;
using static Lb.Core.Tests.TinyScenario;

namespace Lb.Core.Tests;

[Trait("Row", "X2")]
public sealed class SimulatorTests
{
    private static SimulationScenario Short { get; } = SimulationScenarios.Find("b10")! with { Requests = 3000, WarmUp = Ms(100) };

    public static TheoryData<string> Policies => ["p2c", "roundrobin", "leastconn", "random", "peak-ewma", "twos", "source", "maglev", "wlc", "first"];

    [Theory]
    [MemberData(nameof(Policies))]
    public void The_same_seed_goes_the_same_way_and_another_one_another(string policy)
    {
        SimulationResult one = Run(1), again = Run(1), other = Run(2);
        Assert.Equal(one.Trace, again.Trace);
        Assert.Equal((one.Mean, one.Max), (again.Mean, again.Max));
        Assert.Equal(one.Servers, again.Servers);
        Assert.NotEqual(one.Trace, other.Trace);
        Assert.Equal((policy, 3000, 0), (one.Policy, one.Requests, one.Errors));
        Assert.Equal(3000, one.Servers.Sum(static s => s.Requests));

        SimulationResult Run(int seed) => Simulator.Run(Short with { Seed = seed }, (options, _) => options.Balance = policy);
    }

    [Fact]
    public void Another_policy_goes_another_way_with_the_same_requests() =>
        Assert.NotEqual(Simulator.Run(Short).Trace, Simulator.Run(Short, static (options, _) => options.Balance = "leastconn").Trace);

    [Fact]
    public void A_policy_may_be_an_object()
    {
        SimulationResult named = Simulator.Run(Short);
        SimulationResult made = Simulator.Run(Short, static balancer => new PowerOfTwoChoices(balancer.CreateRandom()));
        Assert.Equal(named.Trace, made.Trace);
        Assert.Equal(("p2c", nameof(PowerOfTwoChoices)), (named.Policy, made.Policy));
    }

    [Fact]
    public void Every_balancer_has_a_pool_and_a_seed_of_its_own()
    {
        List<SimulatedBalancer> balancers = [];
        Simulator.Run(Short, (_, balancer) => balancers.Add(balancer));
        Assert.Equal(Enumerable.Range(0, 10), balancers.Select(static b => b.Index));
        Assert.Equal(10, balancers.Select(static b => b.Seed).Distinct().Count());
    }

    [Theory]
    [InlineData("rendezvous")]
    [InlineData("ringsteady")]
    public void Balancers_choose_subsets_of_their_own(string type)
    {
        SubsetOptions subset = new() { Type = type, Size = 2 };
        List<PoolOptions> pools = [];
        SimulationResult result = Simulator.Run(Short, (options, _) =>
        {
            options.Subset = subset;
            pools.Add(options);
        });
        Assert.True(result.Servers.Count(static s => s.Requests > 0) > 5, type);
        Assert.Equal(Enumerable.Range(0, 10).Select(static b => ($"balancer{b}", (int?)b)), pools.Select(static o => (o.Subset.Client!, o.Subset.ClientIndex)));
    }

    [Fact]
    public void A_run_has_a_hundred_million_requests_at_most()
    {
        string message = Assert.Throws<ArgumentException>(static () => Simulator.Run(Short with { Requests = 100_000_001 })).Message;
        Assert.StartsWith("Scenario 'b10' needs 1 to 100000000 requests.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Balancers_do_not_all_begin_with_the_same_server()
    {
        // One request for each of many balancers: a turn that started at the first server everywhere would give it all of them.
        SimulationScenario scenario = new() { Balancers = 100, Requests = 100, WarmUp = TimeSpan.Zero, Arrivals = Arrivals.Every(Ms(100)) };
        SimulationResult result = Simulator.Run(scenario, static (options, _) => options.Balance = "roundrobin");
        Assert.True(result.MaxToMeanLoad < 2.5, $"{result.MaxToMeanLoad}");
    }

    [Fact]
    public void The_pool_sees_virtual_time_and_every_lease_ends()
    {
        // A policy that looks: time moves on, nothing stays open, latencies arrive.
        Watcher? watcher = null;
        SimulationResult result = Simulator.Run(
            Create(10, 1, [ServerCondition.FailFast(Ms(45), Ms(60), Ms(1))], 0, 20, 50, 70) with { OneWayDelay = Ms(1) }, _ => watcher = new Watcher());
        Assert.Equal([0, 20, 50, 70], watcher!.Times.Select(t => TimeSpan.FromTicks(t - watcher.Times[0]).TotalMilliseconds));
        Assert.Equal([0, 0, 0, 0], watcher.Loads);
        Assert.Equal([0, 12, 12, 12], watcher.Latencies);
        Assert.Equal((1L, 4L), (watcher.Server!.TotalFailures, watcher.Server.TotalLeases));
        Assert.Equal(1, result.Errors);
        Assert.Equal(0, watcher.Server.InFlight);
        Assert.Equal(0, watcher.Server.Pool.LeaseMisuses);
    }

    [Fact]
    public void Clients_come_back_to_the_server_that_their_address_hashes_to()
    {
        SimulationScenario one = Short with { Clients = 1, Balancers = 1 };
        SimulationResult result = Simulator.Run(one, static (options, _) => options.Balance = "source");
        Assert.Equal(10, result.MaxToMeanLoad, 9);
        Assert.Equal(0.1, result.BalancersPerServer, 9);
    }

    [Fact]
    public void Results_are_exact()
    {
        // 1000 latencies of 1 to 1000 ms.
        SimulationScenario scenario = new()
        {
            Servers = [new SimulatedServer { Workers = 1, Service = ServiceTime.Constant(Ms(1)) }],
            Arrivals = Arrivals.At(new TimeSpan[1000]),
            Requests = 1000,
            WarmUp = TimeSpan.Zero,
            OneWayDelay = TimeSpan.Zero,
            Threshold = Ms(900),
        };
        SimulationResult result = Simulator.Run(scenario);
        Assert.Equal(
            [Ms(500.5), Ms(500), Ms(990), Ms(999), Ms(1000), Ms(1)],
            [result.Mean, result.P50, result.P99, result.P999, result.Max, result.Percentile(0)]);
        Assert.Equal((0.1, 0.0, 1.0), (result.LateShare, result.ErrorShare, result.MaxToMeanLoad));
        Assert.Throws<ArgumentOutOfRangeException>(() => result.Percentile(100.1));
    }

    [Fact]
    public void The_built_in_scenarios_have_names_and_sentences_and_run()
    {
        Assert.Equal(
            ["homog70", "homog90", "hetero", "hetero-weights", "slow1", "gc1", "antagonist", "bursty", "heavy-tail", "fail1", "cold1", "b10", "b100", "n100", "n1000", "n100b100", "antag100", "linkerd"],
            SimulationScenarios.All.Select(static s => s.Name));
        Assert.All(SimulationScenarios.All, static scenario =>
        {
            Assert.EndsWith(".", scenario.Description);
            Assert.Equal(500, Simulator.Run(scenario with { Requests = 500, WarmUp = TimeSpan.Zero }).Requests);
            Assert.Same(scenario, SimulationScenarios.Find(scenario.Name.ToUpperInvariant()));
        });
        Assert.Null(SimulationScenarios.Find("homog"));
    }

    private sealed class Watcher : ISchedulingPolicy, IScheduler
    {
        public List<long> Times { get; } = [];

        public List<int> Loads { get; } = [];

        public List<double> Latencies { get; } = [];

        public Server? Server { get; private set; }

        public IScheduler Build(PoolSnapshot snapshot)
        {
            Server = snapshot.Servers[0];
            return this;
        }

        public Server Pick(in PickContext context, long now)
        {
            Times.Add(now);
            Loads.Add(Server!.InFlight);
            Latencies.Add(Server.AverageLatency.TotalMilliseconds);
            return Server;
        }
    }
}
