namespace Lb.Core.Tests.Pools;

/// <summary>A policy of the host's own that can't be built over some servers.</summary>
public sealed class ThrowingPolicyTests
{
    [Fact]
    [Trait("Row", "S28")]
    [Trait("Row", "P2")]
    public async Task A_server_that_goes_down_leaves_the_rotation_even_if_the_policy_throws()
    {
        EventHub hub = new();
        Fragile policy = new();
        ServerPool pool = Pool(policy, hub);
        policy.Broken = true;
        pool.SetHealth(pool.Find("a")!, ServerHealth.Down);
        Assert.Equal(["b", "c"], pool.Snapshot!.Servers.ToArray().Select(static s => s.Name));
        for (int i = 0; i < 6; i++)
        {
            Assert.True(pool.TryPick(default, out ServerLease lease, out _));
            Assert.NotEqual("a", lease.Server.Name);
            lease.Complete(LeaseOutcome.Success);
        }

        policy.Broken = false;
        pool.SetHealth(pool.Find("a")!, ServerHealth.Up);
        Assert.True(pool.TryPick(default, out ServerLease last, out _));
        Assert.Equal("a", last.Server.Name);

        Catcher catcher = new();
        await hub.RunAsync([catcher], new CancellationToken(canceled: true));
        PolicyFailed failed = Assert.Single(catcher.Heard.OfType<PolicyFailed>());
        Assert.Equal(("fragile", "Fragile", "broken"), (failed.Pool, failed.Policy, failed.Error));
    }

    [Fact]
    [Trait("Row", "S29")]
    public void A_policy_that_cannot_be_built_is_refused_and_the_running_one_stays()
    {
        ServerPool pool = Pool(new Fragile(), new EventHub());
        Assert.Throws<InvalidOperationException>(() => pool.SetPolicy(new Fragile { Broken = true }, "other"));
        Assert.Equal("Fragile", pool.PolicyName);
        Assert.True(pool.TryPick(default, out _, out _));
    }

    [Fact]
    [Trait("Row", "S28")]
    public void A_pool_whose_policy_cannot_be_built_at_first_is_not_made() =>
        Assert.Throws<InvalidOperationException>(() => Pool(new Fragile { Broken = true }, new EventHub()));

    private static ServerPool Pool(Fragile policy, EventHub hub)
    {
        PoolOptions options = new() { Policy = () => policy };
        foreach (string name in (string[])["a", "b", "c"]) options.Servers.Add(new ServerOptions { Name = name, Address = "127.0.0.1:80" });
        return new ServerPool("fragile", options, events: hub);
    }

    private sealed class Fragile : ISchedulingPolicy
    {
        public bool Broken { get; set; }

        public IScheduler Build(PoolSnapshot snapshot) => Broken ? throw new InvalidOperationException("broken") : new FirstOne(snapshot.Servers[0]);

        private sealed class FirstOne(Server server) : IScheduler
        {
            public Server Pick(in PickContext context, long now) => server;
        }
    }

    private sealed class Catcher : INotifier
    {
        public List<LbEvent> Heard { get; } = [];

        public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
        {
            Heard.Add(notice);
            return ValueTask.CompletedTask;
        }
    }
}
