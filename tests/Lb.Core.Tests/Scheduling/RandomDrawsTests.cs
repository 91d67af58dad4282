using Lb.Testing;

namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S15")]
public sealed class RandomDrawsTests
{
    [Fact]
    public void The_less_loaded_of_two_drawn_servers_wins()
    {
        ServerPool pool = TestPool.Create(3, new RandomDraws(2, new ScriptedRandom(0, 0, 0, 2)));
        Assert.Equal("a", pool.Pick().Server.Name);
        Assert.Equal("c", pool.Pick().Server.Name);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    public void It_draws_as_often_as_asked(int draws)
    {
        ScriptedRandom random = new(Enumerable.Repeat(1L, draws).ToArray());
        ServerPool pool = TestPool.Create(3, new RandomDraws(draws, random));
        Assert.Equal("b", pool.Next());
        Assert.Equal(0, random.Remaining);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(17)]
    [InlineData(-1)]
    public void The_number_of_draws_is_1_to_16(int draws)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomDraws(draws));
    }

    [Fact]
    public void Equal_load_is_decided_by_the_rate_of_the_last_second()
    {
        ManualTimeProvider time = new();
        ScriptedRandom random = new();
        ServerPool pool = TestPool.Create(2, new RandomDraws(2, random), time: time);
        long now = time.GetTimestamp();
        foreach (Server server in pool.Servers) server.LeaseRate(now);

        // Three picks of a, none of b, nobody is busy.
        random.Then(0, 0, 0, 0, 0, 0);
        Assert.Equal("a a a", pool.Sequence(3));
        random.Then(0, 1);
        Assert.Equal("b", pool.Next());
        random.Then(1, 0);
        Assert.Equal("b", pool.Next());

        // Two seconds later all that is forgotten: the first drawn stays.
        time.Advance(TimeSpan.FromSeconds(2));
        random.Then(0, 1);
        Assert.Equal("a", pool.Next());
    }

    [Fact]
    public void The_rate_is_compared_for_its_weight()
    {
        ManualTimeProvider time = new();
        ServerPool pool = TestPool.Weighted(new RandomDraws(2, new Random(1)), 10, 1);
        IScheduler scheduler = new RandomDraws(16, new Random(1)).Build(pool.Snapshot!);
        long now = time.GetTimestamp();
        foreach (Server server in pool.Servers) server.LeaseRate(now);

        // a: 5 picks for weight 10, b: 1 pick for weight 1.
        for (int n = 0; n < 5; n++) pool.Pick(new PickContext { Prefer = pool.Get("a"), Now = now }).Complete(LeaseOutcome.Success);
        pool.Pick(new PickContext { Prefer = pool.Get("b"), Now = now }).Complete(LeaseOutcome.Success);
        for (int n = 0; n < 100; n++) Assert.Equal("a", scheduler.Pick(default, now).Name);
    }

    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(5, 3, 2)]
    [InlineData(256, 1)]
    [InlineData(10, 20, 30, 40, 50, 60, 70, 80, 90, 100)]
    public void One_draw_is_weighted_random(params int[] weights)
    {
        ServerPool pool = TestPool.Weighted(new RandomDraws(1, new Random(20300101)), weights);
        const int picks = 100_000;
        for (int n = 0; n < picks; n++) pool.Next();
        Assert.True(ChiSquare.Fits([.. pool.Servers.Select(static s => s.TotalLeases)], weights), string.Join(' ', pool.Servers.Select(static s => s.TotalLeases)));
    }

    [Fact]
    public void Two_draws_keep_loads_close()
    {
        ServerPool pool = TestPool.Create(10, new RandomDraws(2, new Random(1)));
        for (int n = 0; n < 1_000; n++) pool.Pick();
        Assert.All(pool.Servers, s => Assert.InRange(s.InFlight, 95, 105));
    }
}

internal static class ChiSquare
{
    /// <summary>True when the counts may have come from the weights: below the 99.9 % quantile (Wilson and Hilferty's approximation).</summary>
    public static bool Fits(long[] counts, int[] weights)
    {
        double picks = counts.Sum(), sum = weights.Sum(), chi = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            double expected = picks * weights[i] / sum;
            chi += (counts[i] - expected) * (counts[i] - expected) / expected;
        }

        double k = counts.Length - 1, spread = 2 / (9 * k);
        double limit = k * Math.Pow(1 - spread + (3.09 * Math.Sqrt(spread)), 3);
        return chi < limit;
    }
}
