namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S4")]
public sealed class StaticRoundRobinTests
{
    // {5,1,1}, sum 7, HAProxy's rule: every server's score grows by its weight, the whole part of (score + 7) / 7 decides, the first of equals wins and
    // pays 7. Scores before each choice: 5 1 1 | 3 2 2 | 1 3 3 | -1 4 4 (a has 0, b wins) | 4 -2 5 | 2 -1 6 | 0 0 7 (c has 2).
    [Fact]
    public void The_order_is_that_of_the_map()
    {
        Assert.Equal("a a a b a a c a a a b", TestPool.Weighted(new StaticRoundRobin(), 5, 1, 1).Sequence(11));
    }

    [Fact]
    public void A_weight_set_at_run_time_has_no_effect()
    {
        ServerPool pool = TestPool.Weighted(new StaticRoundRobin(), 5, 1, 1);
        pool.SetWeight(pool.Get("b"), 200);
        Assert.Equal("a a a b a a c", pool.Sequence(7));
    }

    [Fact]
    public void Zero_takes_a_server_out_and_anything_else_brings_it_back_with_its_configured_weight()
    {
        ServerPool pool = TestPool.Weighted(new StaticRoundRobin(), 2, 1);
        pool.SetWeight(pool.Get("a"), 0);
        Assert.Equal("b b", pool.Sequence(2));
        pool.SetWeight(pool.Get("a"), 77);

        // The map is a a b again, and goes on after the first place.
        Assert.Equal("a b a a b a", pool.Sequence(6));
    }

    [Fact]
    public void A_reload_with_other_weights_has_effect()
    {
        ServerPool pool = TestPool.Weighted(new StaticRoundRobin(), 1, 1);
        Assert.Equal("a b", pool.Sequence(2));
        pool.Reconcile([TestPool.Server("a", weight: 3), TestPool.Server("b")]);

        // Scores with sum 4: 3 1 | 2 2 | 1 3 | 0 4 (b wins). The map a a a b goes on after the second place.
        Assert.Equal("a b a a a b", pool.Sequence(6));
    }

    [Fact]
    public void A_server_configured_with_weight_0_takes_what_it_gets()
    {
        ServerPool pool = TestPool.Weighted(new StaticRoundRobin(), 1, 0);
        pool.SetWeight(pool.Get("b"), 2);
        pool.Sequence(30);
        Assert.Equal([10, 20], pool.Servers.Select(static s => s.TotalLeases));
    }

    [Fact]
    public void The_position_in_the_map_stays_when_a_server_goes_down()
    {
        ServerPool pool = TestPool.Weighted(new StaticRoundRobin(), 1, 1, 1);
        Assert.Equal("a", pool.Next());
        pool.Down("a");

        // After the first place of b c.
        Assert.Equal("c b c", pool.Sequence(3));
        pool.Up("a");

        // After the second place of a b c.
        Assert.Equal("c a b c", pool.Sequence(4));
    }

    [Fact]
    public void A_full_server_and_one_to_avoid_are_passed_over()
    {
        ServerPool pool = TestPool.Weighted(new StaticRoundRobin(), 1, 1, 1);
        pool.SetMaxConnections(pool.Get("a"), 1);
        pool.Pick(new PickContext { Prefer = pool.Get("a") });
        Assert.Equal("b c b", pool.Sequence(3));
        Assert.Equal("b", pool.Next(new PickContext { Avoid = pool.Get("c") }));
    }

    [Fact]
    public void Many_threads_share_one_cursor()
    {
        ServerPool pool = TestPool.Weighted(new StaticRoundRobin(), 5, 1, 1);
        Parallel.For(0, 7_000, _ => pool.Next());
        Assert.Equal([5_000, 1_000, 1_000], pool.Servers.Select(static s => s.TotalLeases));
    }
}
