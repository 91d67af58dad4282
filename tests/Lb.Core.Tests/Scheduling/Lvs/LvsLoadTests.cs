using Lb.Testing;

namespace Lb.Core.Tests.Scheduling.Lvs;

// Leases stay open in these tests, so that every pick changes the loads of the next. Written next to a pick: what is compared, in the order of servers.
public sealed class LvsLoadTests
{
    [Fact]
    [Trait("Row", "S6")]
    public void Lc_takes_the_fewest_leases_whatever_the_weights_and_the_first_of_equals()
    {
        // 0 0 | 1 0 | 1 1 | 2 1
        Assert.Equal("a b a b", LvsPool.Create(new LvsLeastConnections(), 3, 1).Open(4));
    }

    [Fact]
    [Trait("Row", "S6")]
    public void Wlc_takes_the_fewest_leases_for_the_weight_and_the_first_of_equals()
    {
        // 0/3 0/1 | 1/3 0/1 | 1/3 1/1 | 2/3 1/1 | 3/3 1/1 | 4/3 1/1
        Assert.Equal("a b a a a b", LvsPool.Create(new LvsWeightedLeastConnections(), 3, 1).Open(6));
    }

    [Fact]
    [Trait("Row", "S6")]
    public void Wlc_with_servers_that_are_idle_takes_the_first()
    {
        Assert.Equal("a a a", LvsPool.Create(new LvsWeightedLeastConnections(), 1, 200, 3).Sequence(3));
    }

    [Fact]
    [Trait("Row", "S7")]
    public void Sed_counts_the_lease_to_come()
    {
        // 1/3 1/1 | 2/3 1/1 | 3/3 1/1 | 4/3 1/1 | 4/3 2/1 | 5/3 2/1 | 6/3 2/1 | 7/3 2/1
        Assert.Equal("a a a b a a a b", LvsPool.Create(new LvsShortestExpectedDelay(), 3, 1).Open(8));
    }

    [Fact]
    [Trait("Row", "S7")]
    public void Nq_takes_an_idle_server_before_a_fast_one()
    {
        // a idle | b idle | 2/3 2/1 | 3/3 2/1 | 4/3 2/1 | 5/3 2/1 | 6/3 2/1 | 7/3 2/1
        Assert.Equal("a b a a a a a b", LvsPool.Create(new LvsNeverQueuing(), 3, 1).Open(8));
    }

    [Fact]
    [Trait("Row", "S7")]
    public void Nq_takes_the_first_idle_one_not_the_heaviest()
    {
        ServerPool pool = LvsPool.Create(new LvsNeverQueuing(), 1, 1, 9);
        pool.Hold("a", 1);
        Assert.Equal("b", pool.Next());
    }

    [Fact]
    [Trait("Row", "S7")]
    public void Fo_takes_the_heaviest_that_is_not_full_and_the_first_of_equals()
    {
        ServerPool pool = LvsPool.Create(new LvsFailover(), 1, 5, 5);
        Assert.Equal("b b b", pool.Open(3));
        pool.Fill("b");
        Assert.Equal("c c", pool.Open(2));
        pool.Fill("c");
        Assert.Equal("a", pool.Open(1));
        pool.Fill("a");
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
    }

    [Fact]
    [Trait("Row", "S7")]
    public void Ovf_goes_on_to_the_next_heaviest_when_there_are_more_leases_than_the_weight()
    {
        // b up to 5 + 1, c up to 3 + 1, a up to 2 + 1. Then nobody: the fewest for the weight of 3/2 6/5 4/3, then of 3/2 7/5 4/3.
        Assert.Equal("b b b b b b c c c c a a a b c", LvsPool.Create(new LvsOverflow(), 2, 5, 3).Open(15));
    }

    [Fact]
    [Trait("Row", "S7")]
    public void Ovf_comes_back_to_the_heaviest_as_soon_as_it_has_room()
    {
        ServerPool pool = LvsPool.Create(new LvsOverflow(), 1, 2);
        ServerLease[] held = pool.Hold("b", 3);
        Assert.Equal("a", pool.Next());
        held[0].Complete(LeaseOutcome.Success);
        Assert.Equal("b", pool.Next());
    }

    // Weights 2 and 3: a draw is from 0 to 5; 0, 1 and 2 are a, 3, 4 and 5 are b. Without the kernel's slip 0 would not exist.
    [Theory]
    [Trait("Row", "S7")]
    [InlineData(0, 0, "a")]
    [InlineData(2, 5, "a")]
    [InlineData(3, 2, "b")]
    [InlineData(5, 5, "b")]
    public void Twos_takes_the_first_drawn_when_neither_has_less(int first, int second, string name)
    {
        Assert.Equal(name, LvsPool.Create(new LvsTwoChoices(new ScriptedRandom(first, second)), 2, 3).Next());
    }

    // a 2/2, b 1/3.
    [Theory]
    [Trait("Row", "S7")]
    [InlineData(1, 4, "b")]
    [InlineData(4, 1, "b")]
    [InlineData(1, 0, "a")]
    public void Twos_takes_the_second_drawn_when_it_has_less_for_its_weight(int first, int second, string name)
    {
        ServerPool pool = LvsPool.Create(new LvsTwoChoices(new ScriptedRandom(first, second)), 2, 3);
        pool.Hold("a", 2);
        pool.Hold("b", 1);
        Assert.Equal(name, pool.Next());
    }

    [Fact]
    [Trait("Row", "S7")]
    public void Twos_draws_only_among_those_that_are_not_full()
    {
        // b and c are left with weights 3 and 1: 0 to 4.
        ServerPool pool = LvsPool.Create(new LvsTwoChoices(new ScriptedRandom(0, 0, 3, 3, 4, 4)), 2, 3, 1);
        pool.Fill("a");
        Assert.Equal("b b c", pool.Sequence(3));
    }

    public static TheoryData<string, ISchedulingPolicy> All() => new()
    {
        { "lc", new LvsLeastConnections() }, { "wlc", new LvsWeightedLeastConnections() }, { "sed", new LvsShortestExpectedDelay() },
        { "nq", new LvsNeverQueuing() }, { "fo", new LvsFailover() }, { "ovf", new LvsOverflow() }, { "twos", new LvsTwoChoices(new Random(1)) },
    };

    [Theory(DisableDiscoveryEnumeration = true)]
    [Trait("Row", "S7")]
    [MemberData(nameof(All))]
    public void A_full_server_or_one_to_avoid_is_never_proposed_while_there_is_another(string name, ISchedulingPolicy policy)
    {
        ServerPool pool = LvsPool.Create(policy, 9, 1, 5);
        pool.Fill("a");
        IScheduler scheduler = policy.Build(pool.Snapshot!);
        PickContext context = new() { Avoid = pool.Get("c") };
        for (int n = 0; n < 20; n++) Assert.True(scheduler.Pick(in context, 1).Name == "b", name);
    }
}
