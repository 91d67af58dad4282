namespace Lb.Core.Tests.Scheduling;

/// <summary>Slow start acts on policies that compare or take turns, and on HAProxy's ring.</summary>
[Trait("Row", "P5")]
public sealed class LiveWeightTests
{
    public static TheoryData<string, bool> Policies => new()
    {
        { "roundrobin", true }, { "leastconn", true }, { "random", true }, { "p2c", true }, { "peak-ewma", true },
        { "static-rr", false }, { "source", false }, { "maglev", false }, { "rendezvous", false }, { "ketama", false }, { "first", false },
    };

    [Theory]
    [MemberData(nameof(Policies))]
    public void A_policy_says_whether_it_follows_live_weights(string name, bool follows)
    {
        ISchedulingPolicy policy = SchedulingPolicies.BuiltIn.Create(new PoolOptions { Balance = name });
        Assert.Equal(follows, policy.Traits.HasFlag(PolicyTraits.FollowsLiveWeights));
    }

    [Fact]
    public void A_ring_follows_and_a_map_does_not()
    {
        Assert.Equal(
            PolicyTraits.UsesKey | PolicyTraits.PreservesAffinity | PolicyTraits.FollowsLiveWeights,
            KeyedHash.ByKey(new HashOptions(Consistent: true)).Traits);
        Assert.Equal(PolicyTraits.UsesKey | PolicyTraits.PreservesAffinity, KeyedHash.ByKey().Traits);
        Assert.True(new SourceHash(new HashOptions(Consistent: true)).Traits.HasFlag(PolicyTraits.FollowsLiveWeights));
    }

    [Fact]
    public void Turns_are_shared_by_live_weight()
    {
        IScheduler scheduler = new RoundRobin().Build(Snapshot([1, 1], [3, 10], 10));
        Assert.Equal(3, Enumerable.Range(0, 13).Count(_ => scheduler.Pick(default, 1).Id == 1));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(20)]
    public void Loads_are_compared_for_their_live_weight(int servers)
    {
        int[] weights = [.. Enumerable.Repeat(2, servers)], live = [.. Enumerable.Repeat(20, servers)];
        live[0] = 4;
        PoolSnapshot snapshot = Snapshot(weights, live, 10);
        IScheduler scheduler = new LeastConnections().Build(snapshot);
        ServerPool pool = snapshot.Servers[0].Pool;

        // One lease each: (1 + 1) / 4 for the first, (1 + 1) / 20 for the others, and with 8 leases (8 + 1) / 20 still less.
        foreach (Server server in pool.Servers) pool.Pick(new PickContext { Prefer = server });
        for (int n = 0; n < 8 * (servers - 1); n++)
        {
            Server next = scheduler.Pick(default, 1);
            Assert.NotEqual(1, next.Id);
            pool.Pick(new PickContext { Prefer = next });
        }

        Assert.All(pool.Servers.Skip(1), static s => Assert.Equal(9, s.InFlight));
        Assert.Equal(1, scheduler.Pick(default, 1).Id);
    }

    [Theory]
    [InlineData(16, 16, 16)]
    [InlineData(1, 16, 1)]
    [InlineData(1, 100, 1)]
    [InlineData(37, 100, 6)]
    [InlineData(5, 1, 80)]
    public void Ring_points_are_sixteen_for_each_unit_of_live_weight_and_one_at_least(int live, int scale, int points)
    {
        PoolSnapshot snapshot = Snapshot([5, 5], [live, 5 * scale], scale);
        ConsistentRing ring = ConsistentRing.BuildHaproxy(snapshot, HashKey.Id);
        Assert.Equal(points, Enumerable.Range(0, ring.Length).Count(n => ring.OwnerAt(n) == 0));
        Assert.Equal(80, Enumerable.Range(0, ring.Length).Count(n => ring.OwnerAt(n) == 1));
    }

    private static PoolSnapshot Snapshot(int[] weights, int[] live, int scale)
    {
        ServerPool pool = TestPool.Weighted(new RoundRobin(), weights);
        return new PoolSnapshot(pool.Snapshot!.Servers, weights, 1, live, scale);
    }
}
