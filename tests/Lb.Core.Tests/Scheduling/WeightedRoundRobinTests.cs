namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S2")]
public sealed class WeightedRoundRobinTests
{
    public static TheoryData<string> WeightVectors { get; } =
    [
        "5,1,1", "4,3,2", "1,2,4,8,16", "10,9", "256,1", "100,100,1", "3,3,2,2", "7", "1,1,1,1", "20,10,30", "256,255,254,253", "2,4,6",
    ];

    [Fact]
    public void Five_one_one_is_the_order_of_nginx()
    {
        Assert.Equal("a a b a c a a a a b a c a a", TestPool.Weighted(new RoundRobin(), 5, 1, 1).Sequence(14));
    }

    [Theory]
    [MemberData(nameof(WeightVectors))]
    public void Every_window_of_the_sum_of_weights_holds_each_server_as_often_as_its_weight(string vector)
    {
        int[] weights = Parse(vector);
        int gcd = weights.Aggregate(Gcd);
        int sum = weights.Sum() / gcd;
        int[] picks = Indexes(weights, sum * 3);
        int[] counts = new int[weights.Length];
        for (int n = 0; n < picks.Length; n++)
        {
            counts[picks[n]]++;
            if (n >= sum) counts[picks[n - sum]]--;
            if (n < sum - 1) continue;
            for (int i = 0; i < weights.Length; i++) Assert.Equal(weights[i] / gcd, counts[i]);
        }
    }

    [Theory]
    [MemberData(nameof(WeightVectors))]
    public void No_server_is_ever_a_whole_pick_off_its_share(string vector)
    {
        int[] weights = Parse(vector);
        double sum = weights.Sum();
        int[] picks = Indexes(weights, (int)sum * 2);
        int[] counts = new int[weights.Length];
        for (int n = 0; n < picks.Length; n++)
        {
            counts[picks[n]]++;
            for (int i = 0; i < weights.Length; i++) Assert.InRange(counts[i] - ((n + 1) * weights[i] / sum), -0.999_999, 0.999_999);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void New_weights_come_without_a_burst(int picksBefore)
    {
        int[][] changes = [[1, 1, 1], [5, 5, 1], [1, 5, 1], [1, 1, 10], [50, 10, 10], [2, 3, 4], [256, 1, 1]];
        foreach (int[] weights in changes)
        {
            ServerPool pool = TestPool.Weighted(new RoundRobin(), 5, 1, 1);
            for (int n = 0; n < picksBefore; n++) pool.Next();
            for (int i = 0; i < 3; i++) pool.SetWeight(pool.Servers[i], weights[i]);

            AssertFair(pool, weights, weights.Sum());
        }
    }

    [Fact]
    public void Servers_that_flap_between_picks_cost_the_others_nothing()
    {
        // d flaps before every pick; a, b and c must still get 5:1:1 of what d leaves.
        ServerPool pool = TestPool.Weighted(new RoundRobin(), 5, 1, 1, 1);
        Dictionary<string, int> counts = Counts(pool, 7_000, n =>
        {
            if (n % 2 == 0) pool.Down("d");
            else pool.Up("d");
        });

        int others = 7_000 - counts["d"];
        Assert.InRange(counts["a"], others * 5 / 7 * 0.9, others * 5 / 7 * 1.1);
        Assert.InRange(counts["b"], others / 7 * 0.9, others / 7 * 1.1);
        Assert.InRange(counts["c"], others / 7 * 0.9, others / 7 * 1.1);
    }

    [Fact]
    public void Changes_without_picks_between_them_move_nobody()
    {
        ServerPool pool = TestPool.Weighted(new RoundRobin(), 5, 1, 1);
        Assert.Equal("a a b a", pool.Sequence(4));
        for (int n = 0; n < 100; n++)
        {
            pool.Down("b");
            pool.Up("b");
        }

        Assert.Equal("c a a", pool.Sequence(3));
    }

    [Fact]
    public void Many_large_weights_fit_the_longest_cycle_and_keep_their_shares()
    {
        // 1000 servers of weights 1 to 256: the sum is well over 65 536.
        int[] weights = [.. Enumerable.Range(0, 1_000).Select(static i => 1 + (i * 37 % 256))];
        double sum = weights.Sum();
        Assert.True(sum > 65_536);
        ServerPool pool = TestPool.Weighted(new RoundRobin(), weights);
        const int picks = 131_072;
        for (int n = 0; n < picks; n++) pool.Next();

        for (int i = 0; i < weights.Length; i++)
        {
            double share = picks * weights[i] / sum;
            Assert.InRange(pool.Servers[i].TotalLeases, share - 4, share + 4);
        }
    }

    [Fact]
    public void Ten_servers_with_large_weights_are_exact()
    {
        int[] weights = [256, 255, 253, 251, 247, 243, 241, 239, 233, 229];
        ServerPool pool = TestPool.Weighted(new RoundRobin(), weights);
        for (int n = 0; n < weights.Sum(); n++) pool.Next();
        Assert.Equal(weights, pool.Servers.Select(static s => (int)s.TotalLeases));
    }

    private static void AssertFair(ServerPool pool, int[] weights, int window)
    {
        double sum = weights.Sum();
        int[] counts = new int[weights.Length];
        for (int n = 1; n <= window; n++)
        {
            counts[pool.Pick().Server.Id - 1]++;
            for (int i = 0; i < weights.Length; i++)
                Assert.True(counts[i] <= (n * weights[i] / sum) + 2, $"{string.Join(',', weights)}: server {i} had {counts[i]} of {n}");
        }

        for (int i = 0; i < weights.Length; i++) Assert.InRange(counts[i], (window * weights[i] / sum) - 1, (window * weights[i] / sum) + 1);
    }

    private static Dictionary<string, int> Counts(ServerPool pool, int picks, Action<int> before)
    {
        Dictionary<string, int> counts = pool.Servers.ToDictionary(static s => s.Name, static _ => 0);
        for (int n = 0; n < picks; n++)
        {
            before(n);
            counts[pool.Next()]++;
        }

        return counts;
    }

    private static int[] Indexes(int[] weights, int count)
    {
        ServerPool pool = TestPool.Weighted(new RoundRobin(), weights);
        int[] picks = new int[count];
        for (int n = 0; n < count; n++)
        {
            ServerLease lease = pool.Pick();
            picks[n] = lease.Server.Id - 1;
            lease.Complete(LeaseOutcome.Success);
        }

        return picks;
    }

    private static int[] Parse(string vector) => [.. vector.Split(',').Select(int.Parse)];

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
