namespace Lb.Core.Tests.Properties;

/// <summary>Policies that compare loads pick what their rule says, for any weights and any open leases. The rules are written out plainly, in fractions.</summary>
[Trait("Row", "X8")]
public sealed class LoadProperties
{
    private const ulong Seed = 20300601;

    [Theory]
    [InlineData("lc")]
    [InlineData("wlc")]
    [InlineData("sed")]
    [InlineData("nq")]
    [InlineData("fo")]
    [InlineData("ovf")]
    [Trait("Row", "S6")]
    [Trait("Row", "S7")]
    public void LVS_policies_take_the_first_of_the_best(string policy) => Check(policy, (servers, picked) =>
    {
        // Keys of which the smallest wins; the first declared among equals.
        decimal[] keys = Array.ConvertAll(servers, s => policy switch
        {
            "lc" => s.InFlight,
            "wlc" => Fraction(s.InFlight, s.Weight),
            "sed" => Fraction(s.InFlight + 1, s.Weight),
            "nq" => s.InFlight == 0 ? -1 : Fraction(s.InFlight + 1, s.Weight),
            "fo" => -s.Weight,
            _ when servers.All(static o => o.InFlight > o.Weight) => Fraction(s.InFlight, s.Weight),
            _ => s.InFlight > s.Weight ? decimal.MaxValue : -s.Weight,
        });
        Assert.Same(servers[Array.IndexOf(keys, keys.Min())], picked);
    });

    [Theory]
    [InlineData("leastconn")]
    [InlineData("p2c")]
    [Trait("Row", "S5")]
    [Trait("Row", "S15")]
    public void Others_take_one_of_the_best(string policy) => Check(policy, (servers, picked) =>
    {
        // leastconn: an idle server is best whatever its weight. p2c looks at all of up to eight servers.
        decimal Key(Server s) => policy == "leastconn" && s.InFlight == 0 ? 0 : Fraction(s.InFlight + 1, s.Weight);
        Assert.Equal(servers.Min(Key), Key(picked));
    });

    [Fact]
    [Trait("Row", "S5")]
    public void Idle_servers_take_turns_with_leastconn() => Cases.Check(Cases.Weights(1, 8), 30, Seed + 1, weights =>
    {
        ServerPool pool = TestPool.Weighted(new LeastConnections(), weights);
        for (int n = 0; n < 3 * weights.Length; n++) Assert.Equal(TestPool.Name(n % weights.Length), pool.Next());
    });

    [Theory]
    [InlineData(101)]
    [InlineData(125)]
    [InlineData(200)]
    [Trait("Row", "S19")]
    public void A_bounded_ring_gives_nobody_more_than_its_part_of_the_load(int factor) => Cases.Check(Cases.Weights(2, 8, heaviest: 8), 25, Seed + 2, weights =>
    {
        HashOptions options = new(Consistent: true, Avalanche: true, BalanceFactor: factor);
        ServerPool pool = TestPool.Weighted(KeyedHash.ByKey(options), weights);
        int sum = weights.Sum();
        Queue<ServerLease> open = new();
        for (int n = 0; n < 150; n++)
        {
            // Few keys, so that the bound matters; the oldest leases end now and then.
            long total = ((open.Count + 1L) * factor / 100) + 1;
            ServerLease lease = pool.Pick(new PickContext { Key = AffinityKey.From($"key-{n % 3}") });
            open.Enqueue(lease);
            Assert.InRange(lease.Server.InFlight, 1, 1 + (int)(total * lease.Server.Weight / sum));
            if (n % 5 == 4) open.Dequeue().Complete(LeaseOutcome.Success);
        }
    });

    private static void Check(string policy, Action<Server[], Server> rule) => Cases.Check(Cases.Weights(1, 8), 40, Seed, weights =>
    {
        ServerPool pool = TestPool.Weighted(SchedulingPolicies.BuiltIn.Create(new PoolOptions { Balance = policy }), weights);
        Server[] servers = [.. pool.Servers];
        List<ServerLease> open = [];
        Random random = new(weights.Sum());
        for (int n = 0; n < 120; n++)
        {
            if (open.Count > 0 && random.Next(3) == 0)
            {
                int index = random.Next(open.Count);
                open[index].Complete(LeaseOutcome.Success);
                open.RemoveAt(index);
                continue;
            }

            // The rule looks at the loads as they were before the pick; then the lease is taken again.
            ServerLease lease = pool.Pick();
            lease.Complete(LeaseOutcome.Success);
            rule(servers, lease.Server);
            open.Add(pool.Pick(new PickContext { Prefer = lease.Server }));
        }
    });

    private static decimal Fraction(int load, int weight) => (decimal)load / weight;
}
