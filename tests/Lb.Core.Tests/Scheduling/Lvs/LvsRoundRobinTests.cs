namespace Lb.Core.Tests.Scheduling.Lvs;

[Trait("Row", "S1")]
public sealed class LvsRoundRobinTests
{
    [Fact]
    public void Weights_do_not_count()
    {
        Assert.Equal("a b c a b c", LvsPool.Create(new LvsRoundRobin(), 5, 1, 1).Sequence(6));
    }

    [Fact]
    public void A_full_server_is_passed_over_and_does_not_cost_another_its_turn()
    {
        ServerPool pool = LvsPool.Create(new LvsRoundRobin(), 1, 1, 1);
        pool.Fill("b");
        Assert.Equal("a c a c a", pool.Sequence(5));
    }

    [Fact]
    public void A_server_to_avoid_is_passed_over()
    {
        ServerPool pool = LvsPool.Create(new LvsRoundRobin(), 1, 1, 1);
        Assert.Equal("b", pool.Next(new PickContext { Avoid = pool.Get("a") }));
        Assert.Equal("c a b", pool.Sequence(3));
    }

    [Theory]
    [InlineData(0, "a", "b c b c")]
    [InlineData(1, "a", "b c b c")]
    [InlineData(2, "b", "c a c a")]
    [InlineData(3, "c", "a b a b")]
    public void The_turn_goes_on_after_the_last_one_when_a_server_goes_down(int picksBefore, string down, string after)
    {
        ServerPool pool = LvsPool.Create(new LvsRoundRobin(), 1, 1, 1);
        for (int n = 0; n < picksBefore; n++) pool.Next();
        pool.Down(down);
        Assert.Equal(after, pool.Sequence(4));
    }

    [Fact]
    public void Changes_without_a_pick_between_them_keep_the_turn()
    {
        ServerPool pool = LvsPool.Create(new LvsRoundRobin(), 1, 1, 1);
        Assert.Equal("a b", pool.Sequence(2));
        pool.Down("b");
        pool.Down("c");
        pool.Up("c");
        pool.Up("b");
        Assert.Equal("c a b c", pool.Sequence(4));
    }

    [Fact]
    public void When_all_are_full_it_ends()
    {
        ServerPool pool = LvsPool.Create(new LvsRoundRobin(), 1, 1);
        pool.Fill("a");
        pool.Fill("b");
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
    }

    [Fact]
    public void Many_threads_share_one_turn()
    {
        ServerPool pool = LvsPool.Create(new LvsRoundRobin(), 1, 2, 3);
        Parallel.For(0, 3_000, _ => pool.Next());
        Assert.All(pool.Servers, s => Assert.Equal(1_000, s.TotalLeases));
    }
}
