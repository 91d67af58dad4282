namespace Lb.Core.Tests.Properties;

/// <summary>Policies that take turns give every server its exact share, whatever the weights.</summary>
[Trait("Row", "X8")]
public sealed class RotationProperties
{
    private const ulong Seed = 20300101;

    [Fact]
    [Trait("Row", "S1")]
    [Trait("Row", "S2")]
    public void Roundrobin_gives_exact_shares_in_every_window_of_one_cycle() => Cases.Check(Cases.Weights(1, 10), 60, Seed, weights =>
    {
        ServerPool pool = TestPool.Weighted(new RoundRobin(), weights);
        int[] picks = Picks(pool, 3 * Cycle(weights));
        foreach (int start in new[] { 0, 1, Cycle(weights) / 2, Cycle(weights) + 1 }) AssertShares(weights, picks.AsSpan(start, Cycle(weights)));
    });

    [Fact]
    [Trait("Row", "S3")]
    public void Wrr_gives_exact_shares_over_one_cycle() => Cases.Check(Cases.Weights(1, 10), 60, Seed + 1, weights =>
        AssertShares(weights, Picks(TestPool.Weighted(new LvsWeightedRoundRobin(), weights), Cycle(weights))));

    [Fact]
    [Trait("Row", "S4")]
    public void Static_rr_gives_exact_shares_in_every_window_of_one_cycle() => Cases.Check(Cases.Weights(1, 10), 60, Seed + 2, weights =>
    {
        int[] picks = Picks(TestPool.Weighted(new StaticRoundRobin(), weights), 2 * Cycle(weights));
        foreach (int start in new[] { 0, 1, Cycle(weights) / 2 }) AssertShares(weights, picks.AsSpan(start, Cycle(weights)));
    });

    [Fact]
    [Trait("Row", "S4")]
    public void Static_rr_does_not_notice_weights_set_at_run_time() => Cases.Check(Cases.Weights(2, 8), 60, Seed + 3, weights =>
    {
        ServerPool pool = TestPool.Weighted(new StaticRoundRobin(), weights), same = TestPool.Weighted(new StaticRoundRobin(), weights);
        for (int n = 0; n < 2 * Cycle(weights); n++)
        {
            if (n % 3 == 0) pool.SetWeight(pool.Servers[n % weights.Length], 1 + (n % 256));
            Assert.Equal(same.Next(), pool.Next());
        }
    });

    [Fact]
    [Trait("Row", "S1")]
    public void Rr_gives_every_server_one_turn_in_each_window_whatever_its_weight() => Cases.Check(Cases.Weights(1, 12), 60, Seed + 4, weights =>
    {
        int[] picks = Picks(TestPool.Weighted(new LvsRoundRobin(), weights), 4 * weights.Length);
        for (int i = 0; i < picks.Length; i++) Assert.Equal(i % weights.Length, picks[i]);
    });

    /// <summary>
    /// After n picks a server is less than one pick ahead of n × its share: the pick goes to the one furthest behind, which has a positive claim. How far
    /// behind one may fall is known for the rule "furthest behind first": 1/2 + 1/3 + … + 1/servers, so less than one pick up to three servers.
    /// {50,50,50,50,3,3,3,3,2,1,1,1,1,1,1} makes nginx's own order lag by nearly 1.5 picks.
    /// </summary>
    [Fact]
    [Trait("Row", "S2")]
    public void Roundrobin_is_smooth_at_every_prefix() => Cases.Check(Cases.Weights(1, 16), 150, Seed + 5, weights =>
    {
        int sum = weights.Sum();
        double bound = Enumerable.Range(2, weights.Length - 1).Sum(static n => 1.0 / n) + 1e-9;
        int[] picks = Picks(TestPool.Weighted(new RoundRobin(), weights), Cycle(weights));
        int[] got = new int[weights.Length];
        for (int n = 0; n < picks.Length; n++)
        {
            got[picks[n]]++;
            for (int i = 0; i < weights.Length; i++)
            {
                double share = (n + 1.0) * weights[i] / sum;

                // Equal weights are strictly cyclic.
                Assert.True(got[i] < share + 1, $"server {i} is ahead after {n + 1} picks: {got[i]} of {share}");
                Assert.True(share - got[i] <= Math.Max(bound, 1 - (1.0 / weights.Length) + 1e-9), $"server {i} is behind after {n + 1} picks: {got[i]} of {share}");
            }
        }
    });

    [Fact]
    [Trait("Row", "S3")]
    public void Wrr_follows_the_published_pseudocode_of_LVS() => Cases.Check(Cases.Weights(1, 10), 100, Seed + 6, weights =>
    {
        // As linuxvirtualserver.org describes it: i goes round, cw sinks by the gcd at each start of a round, and starts again at the largest weight.
        int gcd = Gcd(weights), largest = weights.Max(), i = -1, cw = 0;
        int[] expected = new int[3 * Cycle(weights)];
        for (int n = 0; n < expected.Length; n++)
        {
            do
            {
                i = (i + 1) % weights.Length;
                if (i == 0) cw = cw - gcd <= 0 ? largest : cw - gcd;
            }
            while (weights[i] < cw);
            expected[n] = i;
        }

        Assert.Equal(expected, Picks(TestPool.Weighted(new LvsWeightedRoundRobin(), weights), expected.Length));
    });

    [Theory]
    [InlineData("roundrobin")]
    [InlineData("static-rr")]
    [InlineData("wrr")]
    [InlineData("rr")]
    [Trait("Row", "S1")]
    public void Servers_of_weight_0_never_get_a_turn_and_when_all_have_it_there_is_none(string policy) => Cases.Check(Cases.Weights(1, 8), 40, Seed + 7, weights =>
    {
        int[] some = [.. weights.Select(static (w, i) => i % 3 == 1 ? 0 : w)];
        ServerPool pool = TestPool.Weighted(Make(policy), some);
        for (int n = 0; n < 3 * weights.Length; n++) Assert.NotEqual(0, some[Index(pool.Pick().Server)]);
        Assert.Equal(PickFailure.NoServer, TestPool.Weighted(Make(policy), new int[weights.Length]).FailToPick());
    });

    private static ISchedulingPolicy Make(string name) => SchedulingPolicies.BuiltIn.Create(new PoolOptions { Balance = name });

    private static int[] Picks(ServerPool pool, int count)
    {
        int[] picks = new int[count];
        for (int n = 0; n < count; n++)
        {
            ServerLease lease = pool.Pick();
            lease.Complete(LeaseOutcome.Success);
            picks[n] = Index(lease.Server);
        }

        return picks;
    }

    private static int Index(Server server) => server.Id - 1;

    private static void AssertShares(int[] weights, ReadOnlySpan<int> window)
    {
        int gcd = Gcd(weights);
        int[] got = new int[weights.Length];
        foreach (int pick in window) got[pick]++;
        Assert.Equal(weights.Select(w => w / gcd), got);
    }

    private static int Cycle(int[] weights) => weights.Sum() / Gcd(weights);

    private static int Gcd(int[] weights) => Enumerable.Range(1, weights.Min()).Last(d => weights.All(w => w % d == 0));
}
