namespace Lb.Core.Tests.Scheduling;

/// <summary>Both ways to work out a rotation, against plain computations.</summary>
[Trait("Row", "S2")]
public sealed class SmoothOrderTests
{
    public static TheoryData<int, int, int> Shapes => new() { { 1, 9, 1 }, { 2, 256, 2 }, { 3, 5, 3 }, { 20, 10, 4 }, { 300, 20, 5 }, { 1000, 10, 6 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void By_deadlines_shares_are_exact_and_nobody_is_ever_a_whole_pick_off(int servers, int heaviest, int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 5; round++)
        {
            int[] weights = new int[servers];
            for (int i = 0; i < servers; i++) weights[i] = random.Next(1, heaviest + 1);
            AssertFair(weights, SmoothOrder.ByDeadline(weights));
        }
    }

    [Fact]
    public void One_heavy_server_among_many_light_ones_is_not_starved()
    {
        int[] weights = [500, .. Enumerable.Repeat(1, 500)];
        AssertFair(weights, SmoothOrder.ByDeadline(weights));
    }

    [Fact]
    public void Nginx_s_order_is_kept_while_it_is_quick_to_work_out()
    {
        Assert.Equal([0, 0, 1, 0, 2, 0, 0], SmoothOrder.Make([5, 1, 1]));
        int[] weights = [.. Enumerable.Range(1, 100)];
        Assert.Equal(SmoothOrder.AsNginx(weights), SmoothOrder.Make(weights));
    }

    [Fact]
    public void A_thousand_servers_get_their_exact_shares_across_a_flip()
    {
        int[] weights = [.. Enumerable.Range(0, 1000).Select(static i => 1 + (i % 10))];

        // On a clock that stands still no build is dear, so the flip is built at once.
        ServerPool pool = TestPool.Create(weights.Length, new RoundRobin(), time: new Lb.Testing.ManualTimeProvider(), configure: o =>
        {
            for (int i = 0; i < weights.Length; i++) o.Servers[i].Weight = weights[i];
        });
        for (int n = 0; n < 1234; n++) pool.Next();
        pool.Down("s500");
        for (int n = 0; n < weights.Sum() - weights[500]; n++) pool.Next();
        pool.Up("s500");
        long[] before = [.. pool.Servers.Select(static s => s.TotalLeases)];
        for (int n = 0; n < weights.Sum(); n++) pool.Next();
        Assert.Equal(weights, pool.Servers.Select((s, i) => (int)(s.TotalLeases - before[i])));
    }

    [Theory]
    [InlineData(256, 255)]
    [InlineData(256, 33)]
    public void A_cycle_that_would_be_too_long_has_the_nearest_whole_shares(int heavy, int light)
    {
        int[] weights = [.. Enumerable.Range(0, 1000).Select(i => i % 2 == 0 ? heavy : light)];
        int[] expected = [.. weights.Select(w => (int)Math.Round(w * 65_536.0 / weights.Sum()))];
        ServerPool pool = TestPool.Weighted(new RoundRobin(), weights);
        for (int n = 0; n < expected.Sum(); n++) pool.Next();
        Assert.Equal(expected, pool.Servers.Select(static s => (int)s.TotalLeases));
    }

    [Fact]
    public void A_set_of_numbers_knows_its_least()
    {
        Random random = new(7);
        IndexSet set = new(10_000);
        SortedSet<int> plain = [];
        for (int n = 0; n < 20_000; n++)
        {
            int number = random.Next(10_000);
            if (plain.Add(number)) set.Add(number);
            else if (plain.Remove(number)) set.Remove(number);
            Assert.Equal(plain.Count, set.Count);
            if (plain.Count > 0) Assert.Equal(plain.Min, set.First());
        }
    }

    /// <summary>HAProxy's loop over all servers for each slot, as lb_map.c describes it.</summary>
    [Fact]
    [Trait("Row", "S10")]
    public void The_map_is_the_one_that_a_look_at_every_server_for_each_slot_gives()
    {
        Random random = new(20);
        for (int round = 0; round < 3_000; round++)
        {
            int[] weights = new int[random.Next(1, 30)];
            int heaviest = random.Next(4) switch { 0 => 2, 1 => 10, 2 => 256, _ => 40 };
            for (int i = 0; i < weights.Length; i++) weights[i] = random.Next(8) == 0 ? random.Next(1, 257) : random.Next(1, heaviest + 1);
            Assert.Equal(NaiveMap(weights), WeightedMap.Order(weights));
        }
    }

    private static int[] NaiveMap(int[] weights)
    {
        int gcd = weights.Aggregate(static (a, b) =>
        {
            while (b != 0) (a, b) = (b, a % b);
            return a;
        });
        int total = weights.Sum() / gcd;
        int[] score = new int[weights.Length], map = new int[total];
        for (int slot = 0; slot < total; slot++)
        {
            int best = -1, most = 0;
            for (int i = 0; i < weights.Length; i++)
            {
                score[i] += weights[i] / gcd;
                int value = (score[i] + total) / total;
                if (best >= 0 && value <= most) continue;
                best = i;
                most = value;
            }

            score[best] -= total;
            map[slot] = best;
        }

        return map;
    }

    private static void AssertFair(int[] weights, int[] order)
    {
        int sum = weights.Sum();
        Assert.Equal(sum, order.Length);
        int[] counts = new int[weights.Length];
        double most = 0;
        for (int n = 0; n < sum; n++)
        {
            counts[order[n]]++;
            for (int i = 0; i < weights.Length; i++) most = Math.Max(most, Math.Abs(counts[i] - ((n + 1.0) * weights[i] / sum)));
        }

        Assert.InRange(most, 0, 0.999_999);
        Assert.Equal(weights, counts);
    }
}
