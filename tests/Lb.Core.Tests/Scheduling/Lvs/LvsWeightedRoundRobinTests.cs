namespace Lb.Core.Tests.Scheduling.Lvs;

// The sequences are worked out by hand from the kernel's rule: with g the greatest common divisor of the weights and m the largest, levels go m-g+1,
// m-2g+1, …, 1 and again from the top; at each level the servers whose weight reaches it come in their order.
[Trait("Row", "S3")]
public sealed class LvsWeightedRoundRobinTests
{
    [Theory]

    // Level 4: a. 3: a b. 2: a b c. 1: a b c. Then again.
    [InlineData("a a b a b c a b c a a b a b c a b c", 4, 3, 2)]

    // g = 2. Level 5: c. 3: b c. 1: a b c.
    [InlineData("c b c a b c c", 2, 4, 6)]
    [InlineData("a b c a", 7, 7, 7)]
    [InlineData("a a a b a", 3, 1)]
    [InlineData("a a", 5)]
    public void The_order_is_that_of_the_kernel(string sequence, params int[] weights)
    {
        Assert.Equal(sequence, LvsPool.Create(new LvsWeightedRoundRobin(), weights).Sequence((sequence.Length + 1) / 2));
    }

    [Theory]

    // {4,3,2} after a a stands at level 3. The new round begins there: 3: a b. 2: a b. 1: a b c. 4: a.
    [InlineData(new[] { 4, 3, 2 }, 2, "c", 1, "a b a b a b c a")]

    // {4,2} after a a stands at level 1. With b 3, g = 1: 1: a b. 4: a. 3: a b. 2: a b.
    [InlineData(new[] { 4, 2 }, 2, "b", 3, "a b a a b a b")]

    // {4,3} after a a b a stands at level 2. With b 2, g = 2 and the levels are 3 and 1; 2 becomes 2 ÷ 2 × 2 + 1 = 3: a. 1: a b.
    [InlineData(new[] { 4, 3 }, 4, "b", 2, "a a b a a b")]

    // {4,3,2} after a stands at level 4. With a 1 the top is 3: b. 2: b c. 1: a b c.
    [InlineData(new[] { 4, 3, 2 }, 1, "a", 1, "b b c a b c b")]
    public void A_change_begins_a_round_at_the_level_reached(int[] weights, int picksBefore, string name, int weight, string after)
    {
        ServerPool pool = LvsPool.Create(new LvsWeightedRoundRobin(), weights);
        pool.Sequence(picksBefore);
        pool.SetWeight(pool.Get(name), weight);
        Assert.Equal(after, pool.Sequence((after.Length + 1) / 2));
    }

    [Fact]
    public void A_server_that_goes_down_takes_its_levels_with_it()
    {
        ServerPool pool = LvsPool.Create(new LvsWeightedRoundRobin(), 4, 3, 2);
        Assert.Equal("a", pool.Next());
        pool.Down("a");

        // 3: b. 2: b c. 1: b c.
        Assert.Equal("b b c b c b", pool.Sequence(6));
    }

    [Fact]
    public void A_full_server_is_passed_over_at_every_level()
    {
        ServerPool pool = LvsPool.Create(new LvsWeightedRoundRobin(), 4, 3, 2);
        pool.Hold("a", 1).Release();
        pool.Fill("a");

        // The change of the limit began a new round at the top: 4: nobody. 3: b. 2: b c. 1: b c.
        Assert.Equal("b b c b c b", pool.Sequence(6));
    }

    [Fact]
    public void When_all_are_full_it_ends()
    {
        ServerPool pool = LvsPool.Create(new LvsWeightedRoundRobin(), 256, 1, 7);
        foreach (string name in new[] { "a", "b", "c" }) pool.Fill(name);
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
    }

    [Fact]
    public void Many_threads_share_one_order()
    {
        ServerPool pool = LvsPool.Create(new LvsWeightedRoundRobin(), 4, 3, 2);
        Parallel.For(0, 9_000, _ => pool.Next());
        Assert.Equal([4_000, 3_000, 2_000], pool.Servers.Select(static s => s.TotalLeases));
    }
}
