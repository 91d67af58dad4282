using Lb.Testing;

namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S15")]
public sealed class PowerOfTwoChoicesTests
{
    [Fact]
    public void It_is_the_default()
    {
        PoolOptions options = new();
        options.Servers.Add(TestPool.Server("a"));
        Assert.Equal("p2c", new ServerPool("web", options).PolicyName);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void With_few_servers_the_least_loaded_of_all_wins(int servers)
    {
        ServerPool pool = TestPool.Create(servers, new PowerOfTwoChoices(new Random(1)));
        for (int n = 0; n < servers * 50; n++) pool.Pick();
        Assert.All(pool.Servers, s => Assert.Equal(50, s.InFlight));
    }

    [Fact]
    public void With_few_servers_ties_are_drawn_evenly()
    {
        ServerPool pool = TestPool.Create(5, new PowerOfTwoChoices(new Random(20300101)));
        ServerLease busy = pool.Pick();
        for (int n = 0; n < 10_000; n++) pool.Next();
        long[] idle = [.. pool.Servers.Where(s => s != busy.Server).Select(static s => s.TotalLeases)];
        Assert.Equal(1, busy.Server.TotalLeases);
        Assert.True(ChiSquare.Fits(idle, [1, 1, 1, 1]), string.Join(' ', idle));
    }

    [Fact]
    public void Weights_count_when_loads_are_compared()
    {
        ServerPool pool = TestPool.Weighted(new PowerOfTwoChoices(new Random(1)), 3, 1, 1);
        for (int n = 0; n < 500; n++) pool.Pick();
        Assert.Equal([300, 100, 100], pool.Servers.Select(static s => s.InFlight));
    }

    [Fact]
    public void With_many_servers_two_are_drawn_and_the_less_loaded_wins()
    {
        // Two draws without replacement: the second counts around the hole that the first leaves.
        ScriptedRandom random = new(4, 3, 4, 4, 3, 3, 9, 8);
        ServerPool pool = TestPool.Create(10, new PowerOfTwoChoices(random));
        Assert.Equal("e", pool.Pick().Server.Name); // e and d, both idle: the first drawn
        Assert.Equal("f", pool.Pick().Server.Name); // e is busy, f is not
        Assert.Equal("d", pool.Pick().Server.Name); // d and e
        Assert.Equal("j", pool.Pick().Server.Name); // the last one
        Assert.Equal(0, random.Remaining);
    }

    [Fact]
    public void With_many_servers_loads_stay_close()
    {
        ServerPool pool = TestPool.Create(100, new PowerOfTwoChoices(new Random(1)));
        for (int n = 0; n < 10_000; n++) pool.Pick();
        Assert.All(pool.Servers, s => Assert.InRange(s.InFlight, 96, 103));
    }

    [Fact]
    public void With_many_servers_of_equal_weight_every_one_is_drawn_as_often()
    {
        ServerPool pool = TestPool.Create(20, new PowerOfTwoChoices(new Random(20300101)));
        for (int n = 0; n < 100_000; n++) pool.Next();
        Assert.True(ChiSquare.Fits([.. pool.Servers.Select(static s => s.TotalLeases)], [.. Enumerable.Repeat(1, 20)]));
    }

    [Fact]
    public void With_many_servers_of_other_weights_loads_follow_the_weights()
    {
        int[] weights = [.. Enumerable.Range(0, 20).Select(static i => 1 + (i % 4))];
        ServerPool pool = TestPool.Weighted(new PowerOfTwoChoices(new Random(1)), weights);
        for (int n = 0; n < weights.Sum() * 100; n++) pool.Pick();
        Assert.All(pool.Servers, s => Assert.InRange(s.InFlight, (weights[s.Id - 1] * 100) - 12, (weights[s.Id - 1] * 100) + 12));
    }

    [Fact]
    public void One_dominant_weight_still_leaves_two_different_choices()
    {
        int[] weights = [256, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        ServerPool pool = TestPool.Weighted(new PowerOfTwoChoices(new Random(1)), weights);
        Server heavy = pool.Get("a");
        for (int n = 0; n < 1_000; n++) Assert.NotSame(heavy, pool.Pick(new PickContext { Avoid = heavy }).Server);
    }

    [Fact]
    public void A_full_server_does_not_send_its_overflow_to_one_neighbour()
    {
        ServerPool pool = TestPool.Create(4, new PowerOfTwoChoices(new Random(1)), o => o.Servers[0].MaxConnections = 1);
        for (int n = 0; n < 301; n++) pool.Pick();
        Assert.Equal([1, 100, 100, 100], pool.Servers.Select(static s => s.InFlight));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Loads_that_move_while_a_tie_is_drawn_do_no_harm(bool fill)
    {
        // Between the two looks at the servers somebody takes all that were equal but the first.
        MeddlingRandom random = new();
        ServerPool pool = TestPool.Create(4, new PowerOfTwoChoices(random), o =>
        {
            foreach (ServerOptions server in o.Servers) server.MaxConnections = fill ? 1 : 2;
        });
        random.Meddle = () =>
        {
            foreach (Server server in pool.Servers.Skip(1)) Assert.True(server.TryEnter(isNewcomer: true));
        };
        Assert.Equal("a", pool.Next());
        foreach (Server server in pool.Servers.Skip(1)) server.Leave(LeaseOutcome.Success, started: 0);
        Assert.Equal("a", pool.Next(new PickContext { Avoid = pool.Get("d") }));
    }

    private sealed class MeddlingRandom : Random
    {
        public Action? Meddle { get; set; }

        // The last of those that were equal.
        public override int Next(int maxValue)
        {
            Meddle?.Invoke();
            return maxValue - 1;
        }
    }

    [Theory]
    [InlineData(0, 1, 0, 1, false)]
    [InlineData(1, 1, 0, 1, true)]
    [InlineData(1, 2, 0, 1, false)]
    [InlineData(2, 2, 0, 1, true)]
    [InlineData(16_000_000, 256, 16_000_000, 255, false)]
    [InlineData(16_000_000, 65_535, 15_999_999, 65_535, true)]
    public void Loads_are_compared_exactly(long firstLoad, int firstWeight, long secondLoad, int secondWeight, bool secondIsLess)
    {
        Assert.Equal(secondIsLess, PowerOfTwoChoices.IsLess(secondLoad, secondWeight, firstLoad, firstWeight));
    }
}
