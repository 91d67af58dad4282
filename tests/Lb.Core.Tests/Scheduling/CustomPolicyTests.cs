using Microsoft.Extensions.DependencyInjection;

namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S28")]
public sealed class CustomPolicyTests
{
    [Fact]
    public void A_policy_may_be_given_as_an_object()
    {
        ServiceCollection services = new();
        services.AddServerPool("web").AddServer("127.0.0.1:1").AddServer("127.0.0.1:2").UseScheduler(static () => new LastOne());
        using ServiceProvider provider = services.BuildServiceProvider();
        ServerPool pool = provider.GetRequiredKeyedService<ServerPool>("web");
        Assert.Equal("127.0.0.1:2", pool.Next());
        Assert.Equal(nameof(LastOne), pool.PolicyName);
    }

    [Fact]
    public void A_policy_may_be_registered_under_a_name_and_reads_its_options()
    {
        int draws = 0;
        ServiceCollection services = new();
        services.AddSchedulingPolicy("last", options =>
        {
            draws = options.Draws;
            return new LastOne();
        });
        services.AddServerPool("web").AddServer("127.0.0.1:1").AddServer("127.0.0.1:2").UseScheduler("LAST").Configure(o => o.BalanceOptions.Draws = 5);
        using ServiceProvider provider = services.BuildServiceProvider();
        Assert.Equal("127.0.0.1:2", provider.GetRequiredKeyedService<ServerPool>("web").Next());
        Assert.Equal(5, draws);
    }

    [Fact]
    public void A_built_in_name_may_be_replaced()
    {
        ServiceCollection services = new();
        services.AddSchedulingPolicy("roundrobin", static _ => new LastOne());
        services.AddServerPool("web").AddServer("127.0.0.1:1").AddServer("127.0.0.1:2").UseRoundRobin();
        using ServiceProvider provider = services.BuildServiceProvider();
        Assert.Equal("127.0.0.1:2", provider.GetRequiredKeyedService<ServerPool>("web").Next());
    }

    [Fact]
    [Trait("Row", "S29")]
    public void The_policy_of_a_running_pool_may_be_replaced()
    {
        ServerPool pool = TestPool.Create(3);
        ServerLease open = pool.Pick();
        pool.SetPolicy(new LastOne());
        Assert.Equal("c c", pool.Sequence(2));
        Assert.Equal(nameof(LastOne), pool.PolicyName);
        Assert.Equal(1, open.Server.InFlight);
        pool.SetPolicy(new First(), "first");
        Assert.Equal("first", pool.PolicyName);
    }

    [Fact]
    public void A_policy_is_never_asked_about_an_empty_pool_and_sees_only_usable_servers()
    {
        Recorder recorder = new();
        ServerPool pool = TestPool.Create(3, recorder);
        pool.SetWeight(pool.Get("b"), 7);
        pool.Down("a");
        pool.Down("b");
        pool.Down("c");
        pool.Up("b");
        Assert.Equal(["a:1 b:1 c:1", "a:1 b:7 c:1", "b:7 c:1", "c:1", "b:7"], recorder.Seen);
        Assert.Equal([1, 2, 3, 4, 5], recorder.Versions);
    }

    [Fact]
    public void A_snapshot_refuses_what_no_policy_must_see()
    {
        Server server = TestPool.Create(1).Servers[0];
        Assert.Throws<ArgumentException>(() => new PoolSnapshot([], [], 1));
        Assert.Throws<ArgumentException>(() => new PoolSnapshot([server], [1, 2], 1));
        Assert.Throws<ArgumentException>(() => new PoolSnapshot([server], [0], 1));
    }

    private sealed class Recorder : ISchedulingPolicy
    {
        public List<string> Seen { get; } = [];

        public List<long> Versions { get; } = [];

        public IScheduler Build(PoolSnapshot snapshot)
        {
            Versions.Add(snapshot.Version);
            Seen.Add(string.Join(' ', snapshot.Servers.ToArray().Zip(snapshot.Weights.ToArray(), static (s, w) => $"{s.Name}:{w}")));
            return new LastOne().Build(snapshot);
        }
    }
}
