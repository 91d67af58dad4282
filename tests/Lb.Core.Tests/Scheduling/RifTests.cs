using Lb.Contracts.Policies;
using Lb.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Core.Tests.Scheduling;

public sealed class RifTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Each_pick_asks_three_different_servers()
    {
        Recording probe = new();
        ServerPool pool = Pool(new RifProbing(probe: probe, random: new Random(1)));
        for (int n = 0; n < 1000; n++)
        {
            probe.Asked.Clear();
            pool.Next();
            Assert.Equal(3, probe.Asked.Distinct().Count());
            Assert.Equal(3, probe.Asked.Count);
            foreach (Server server in probe.Asked) probe.Counts[server] = probe.Counts.GetValueOrDefault(server) + 1;
        }

        Assert.Equal(10, probe.Counts.Count);
        Assert.All(probe.Counts.Values, static n => Assert.InRange(n, 250, 350));
    }

    [Fact]
    public void The_least_loaded_answer_wins_and_counts_one_more_after_each_use()
    {
        RifProbing policy = new(probe: new Silent(), random: new Random(1));
        ServerPool pool = Pool(policy);
        Answer(policy, pool, ("a", 9), ("b", 2), ("c", 1), ("d", 5));
        Assert.Equal("c", pool.Next()); // c now 2; the oldest, a, goes
        Assert.Equal("c", pool.Next()); // the newer of equals; c now 3; the worst, d, goes
        Assert.Equal("b", pool.Next()); // b now 3; the oldest, b, goes
        Assert.Equal(1, policy.Answers);
    }

    [Fact]
    public void Answers_of_a_second_ago_are_worth_nothing()
    {
        RifProbing policy = new(probe: new Silent(), random: new Random(1));
        ServerPool pool = Pool(policy);
        Answer(policy, pool, ("a", 0), ("b", 0));
        _time.Advance(TimeSpan.FromMilliseconds(999));
        policy.Answer(pool.Get("c"), 7);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        policy.Answer(pool.Get("d"), 8);
        Assert.Equal("c", pool.Next());
    }

    [Fact]
    public void With_fewer_than_two_answers_own_leases_decide()
    {
        RifProbing policy = new(probe: new Silent(), random: new Random(1));
        ServerPool pool = Pool(policy, servers: 2);
        ServerLease held = pool.Pick(new PickContext { Prefer = pool.Get("b") });
        policy.Answer(pool.Get("b"), 0);
        for (int n = 0; n < 50; n++) Assert.Equal("a", pool.Next());
        Assert.Equal("b", held.Server.Name);
    }

    [Fact]
    public void Answers_of_servers_that_are_gone_or_tried_do_not_count()
    {
        RifProbing policy = new(probe: new Silent(), random: new Random(1));
        ServerPool pool = Pool(policy);
        Answer(policy, pool, ("a", 0), ("b", 1), ("c", 2), ("d", 3));
        pool.Down("a");
        Assert.Equal("c", pool.Next(new PickContext { Avoid = pool.Get("b") }));
        policy.Answer(pool.Get("e"), -1);
        Assert.Equal(2, policy.Answers);
    }

    [Fact]
    public void A_weight_is_worth_its_share_of_requests()
    {
        RifProbing policy = new(probe: new Silent(), random: new Random(1));
        ServerPool pool = Pool(policy, configure: static o => o.Servers[0].Weight = 4);
        Answer(policy, pool, ("a", 6), ("b", 1));
        Assert.Equal("a", pool.Next());
    }

    [Theory]
    [InlineData(100, 16, 3, 1.3158)] // the value of the paper's formula for 100 servers is told as 1.32
    [InlineData(10, 5, 3, 4)]
    [InlineData(4, 2, 3, 4)]
    [InlineData(2, 2, 3, 5)]
    [InlineData(1000, 16, 16, 1)]
    public void An_answer_serves_as_many_picks_as_keep_the_pool_filled(int servers, int pool, int probes, double uses) =>
        Assert.Equal(uses, RifProbing.Uses(servers, pool, probes), 1e-3);

    [Fact]
    public void Without_a_probe_reports_decide_and_own_leases_since_then_are_added()
    {
        ServerPool pool = Pool(new RifProbing(probes: 2, random: new Random(1)), servers: 2);
        pool.ReportLoad(pool.Get("a"), new LoadReport { InFlight = 10 });
        pool.ReportLoad(pool.Get("b"), new LoadReport { InFlight = 7 });

        // Three more go to b, then they are equal and the fourth goes to either.
        Assert.Equal("b b b", string.Join(' ', Enumerable.Range(0, 3).Select(_ => pool.Pick().Server.Name)));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("a a a", string.Join(' ', Enumerable.Range(0, 3).Select(_ => pool.Pick().Server.Name)));
    }

    [Fact]
    public void Many_balancers_that_ask_share_better_than_by_their_own_leases()
    {
        // 50 balancers with 20 leases each on 100 servers: own counts see hardly anything of the others.
        double asking = MeanOfBusiest(static probe => new RifProbing(probe: probe, random: new Random(1)));
        double own = MeanOfBusiest(static _ => new PowerOfTwoChoices(new Random(1)));
        Assert.True(asking < own * 0.85, $"{asking} {own}");
    }

    [Fact]
    public void A_registered_probe_is_used_by_name()
    {
        Recording probe = new();
        ServiceCollection services = new();
        services.AddLb();
        services.AddServerPool("web").AddServer("127.0.0.1:1").AddServer("127.0.0.1:2").UseRif();
        services.AddLoadProbe(_ => probe);
        using ServiceProvider provider = services.BuildServiceProvider();
        provider.GetRequiredKeyedService<ServerPool>("web").Next();
        Assert.Equal(2, probe.Asked.Count);
    }

    private static double MeanOfBusiest(Func<ILoadProbe, ISchedulingPolicy> policy)
    {
        const int warmUp = 5_000, picks = 20_000;
        int[] truth = new int[100];
        ServerPool[] balancers = [.. Enumerable.Range(0, 50).Select(_ => Pool(policy(new Truthful(truth)), 100, null, null))];
        Random random = new(7);
        List<ServerLease> open = [];
        double sum = 0;
        for (int n = 0; n < warmUp + picks; n++)
        {
            ServerLease lease = balancers[random.Next(balancers.Length)].Pick();
            truth[lease.Server.Id - 1]++;
            if (n >= warmUp) sum += truth.Max();
            open.Add(lease);
            if (open.Count <= 1000) continue;
            int any = random.Next(open.Count);
            ServerLease done = open[any];
            (open[any], open[^1]) = (open[^1], done);
            open.RemoveAt(open.Count - 1);
            truth[done.Server.Id - 1]--;
            done.Complete(LeaseOutcome.Success);
        }

        return sum / picks;
    }

    private ServerPool Pool(ISchedulingPolicy policy, int servers = 10, Action<PoolOptions>? configure = null) => Pool(policy, servers, configure, _time);

    private static ServerPool Pool(ISchedulingPolicy policy, int servers, Action<PoolOptions>? configure, TimeProvider? time) =>
        TestPool.Create(servers, policy, o =>
        {
            for (int i = 0; i < servers; i++) o.Servers[i].Address = $"127.0.0.{i + 1}:80";
            configure?.Invoke(o);
        }, time);

    private static void Answer(RifProbing policy, ServerPool pool, params ReadOnlySpan<(string Name, int InFlight)> answers)
    {
        foreach ((string name, int inFlight) in answers) policy.Answer(pool.Get(name), inFlight);
    }

    private sealed class Silent : ILoadProbe
    {
        public void Ask(Server server, ILoadAnswers answers)
        {
        }
    }

    private sealed class Truthful(int[] truth) : ILoadProbe
    {
        public void Ask(Server server, ILoadAnswers answers) => answers.Answer(server, truth[server.Id - 1]);
    }

    private sealed class Recording : ILoadProbe
    {
        public List<Server> Asked { get; } = [];

        public Dictionary<Server, int> Counts { get; } = [];

        public void Ask(Server server, ILoadAnswers answers) => Asked.Add(server);
    }
}

public sealed class RifContract : SchedulingPolicyContract
{
    // Idle servers are alike, whatever their weight.
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new RifProbing(random: new Random(seed));
}

public sealed class ProbedRifContract : SchedulingPolicyContract
{
    protected override bool HonoursWeights => false;

    protected override ISchedulingPolicy Create(int seed) => new RifProbing(probe: new OwnLeases(), random: new Random(seed));

    private sealed class OwnLeases : ILoadProbe
    {
        public void Ask(Server server, ILoadAnswers answers) => answers.Answer(server, server.InFlight);
    }
}
