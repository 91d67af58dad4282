using FsCheck;
using FsCheck.Fluent;

namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S1")]
public sealed class RoundRobinTests
{
    [Fact]
    public void Servers_take_turns_in_the_order_of_declaration()
    {
        Assert.Equal("a b c a b c a", TestPool.Create(3).Sequence(7));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100)]
    public void Every_window_of_n_picks_holds_each_server_once(int servers)
    {
        ServerPool pool = TestPool.Create(servers);
        List<string> picks = [.. Enumerable.Range(0, servers * 4).Select(_ => pool.Next())];
        for (int start = 0; start + servers <= picks.Count; start++)
            Assert.Equal(servers, picks.Skip(start).Take(servers).Distinct().Count());
    }

    [Fact]
    public void Equal_weights_other_than_one_are_just_as_cyclic()
    {
        Assert.Equal("a b c a b c", TestPool.Weighted(new RoundRobin(), 10, 10, 10).Sequence(6));
    }

    [Theory]
    [InlineData(0, "a", "b c b c")]
    [InlineData(1, "a", "b c b c")]
    [InlineData(1, "b", "c a c a")]
    [InlineData(2, "c", "a b a b")]
    [InlineData(3, "a", "b c b c")]
    [InlineData(3, "c", "a b a b")]
    [InlineData(5, "c", "a b a b")]
    public void The_turn_survives_a_server_that_goes_down(int picksBefore, string down, string after)
    {
        ServerPool pool = TestPool.Create(3);
        for (int n = 0; n < picksBefore; n++) pool.Next();
        pool.Down(down);
        Assert.Equal(after, pool.Sequence(4));
    }

    [Theory]
    [InlineData(1, "a", "b c a b c a")]
    [InlineData(2, "b", "c a b c a b")]
    [InlineData(3, "c", "a b c a b c")]
    public void Down_and_up_again_between_two_picks_changes_nothing(int picksBefore, string flipping, string after)
    {
        ServerPool pool = TestPool.Create(3);
        for (int n = 0; n < picksBefore; n++) pool.Next();
        pool.Down(flipping);
        pool.Up(flipping);
        Assert.Equal(after, pool.Sequence(6));
    }

    [Fact]
    public void A_server_that_returns_after_a_whole_turn_of_the_others_is_next_if_it_follows_the_last_one()
    {
        ServerPool pool = TestPool.Create(4);
        pool.Down("d");
        Assert.Equal("a b c", pool.Sequence(3));
        pool.Up("d");
        Assert.Equal("d a b c d", pool.Sequence(5));
    }

    [Fact]
    public void A_server_that_joins_gets_its_turn_after_the_one_before_it()
    {
        ServerPool pool = TestPool.Create(2);
        Assert.Equal("a b a", pool.Sequence(3));
        pool.Add(TestPool.Server("c"), ServerAdmin.Ready);
        Assert.Equal("b c a b", pool.Sequence(4));
    }

    [Fact]
    public void Removing_the_server_picked_last_goes_on_with_the_one_after_it()
    {
        ServerPool pool = TestPool.Create(4);
        Assert.Equal("a b", pool.Sequence(2));
        pool.Remove(pool.Get("b"), force: true);
        Assert.Equal("c d a c", pool.Sequence(4));
    }

    [Fact]
    public void Whatever_goes_down_and_up_the_next_pick_is_the_cyclic_successor_of_the_last()
    {
        // 0..5 flips that server, everything else is a pick.
        Gen<int[]> script = Gen.Choose(0, 11).ArrayOf(80);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(20300101, 1), Prop.ForAll(script.ToArbitrary(), CheckFlips));
    }

    private static void CheckFlips(int[] script)
    {
        ServerPool pool = TestPool.Create(6);
        Server[] all = [.. pool.Servers];
        int last = all.Length - 1;
        foreach (int step in script)
        {
            if (step < all.Length)
            {
                pool.SetHealth(all[step], all[step].Health == ServerHealth.Up ? ServerHealth.Down : ServerHealth.Up);
                continue;
            }

            if (pool.Snapshot is null) continue;
            int expected = last;
            do expected = (expected + 1) % all.Length; while (all[expected].Health == ServerHealth.Down);
            Assert.Equal(all[expected].Name, pool.Next());
            last = expected;
        }
    }

    [Fact]
    public void Many_threads_share_one_turn()
    {
        ServerPool pool = TestPool.Create(3);
        Parallel.For(0, 3_000, _ => pool.Next());
        Assert.All(pool.Servers, s => Assert.Equal(1_000, s.TotalLeases));
    }
}
