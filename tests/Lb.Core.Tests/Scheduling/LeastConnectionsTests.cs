namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S5")]
public sealed class LeastConnectionsTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public void The_least_loaded_server_is_picked()
    {
        ServerPool pool = TestPool.Create(3, new LeastConnections());
        ServerLease a = pool.Pick();
        pool.Pick();
        pool.Pick();
        Assert.Equal("a", a.Server.Name);
        a.Complete(LeaseOutcome.Success);
        Assert.Equal("a", pool.Next());
    }

    [Fact]
    public void Equal_servers_take_turns_and_none_is_always_first()
    {
        Assert.Equal("a b c a b c", TestPool.Create(3, new LeastConnections()).Sequence(6));
    }

    [Fact]
    public void Ties_take_turns_under_load_too()
    {
        ServerPool pool = TestPool.Create(3, new LeastConnections());
        for (int n = 0; n < 6; n++) pool.Pick();
        Assert.Equal("a b c a", pool.Sequence(4));
    }

    [Fact]
    public void The_turn_among_equals_survives_a_change_of_the_pool()
    {
        ServerPool pool = TestPool.Create(4, new LeastConnections());
        Assert.Equal("a b", pool.Sequence(2));
        pool.Down("a");
        Assert.Equal("c d b c", pool.Sequence(4));
        pool.Up("a");
        Assert.Equal("d a b", pool.Sequence(3));
    }

    [Fact]
    public void Load_is_compared_for_its_weight()
    {
        // (load + 1) / weight: a takes 4 leases for each of b.
        ServerPool pool = TestPool.Weighted(new LeastConnections(), 4, 1);
        for (int n = 0; n < 100; n++) pool.Pick();
        Assert.Equal(80, pool.Get("a").InFlight);
        Assert.Equal(20, pool.Get("b").InFlight);
    }

    [Fact]
    public void An_idle_server_comes_first_whatever_its_weight()
    {
        ServerPool pool = TestPool.Weighted(new LeastConnections(), 256, 1);
        Assert.Equal("a", pool.Pick().Server.Name);
        Assert.Equal("b", pool.Pick().Server.Name);
        Assert.Equal("a", pool.Pick().Server.Name);
    }

    [Fact]
    public async Task Callers_queued_for_a_server_count_as_its_load()
    {
        ServerPool pool = TestPool.Create(2, new LeastConnections(), o => o.Servers[0].MaxConnections = 2);
        Server a = pool.Get("a"), b = pool.Get("b");
        PickContext sticky = new() { Prefer = a };
        ServerLease first = pool.Pick(sticky);
        ServerLease second = pool.Pick(sticky);
        Task<ServerLease> third = pool.AcquireAsync(sticky, None).AsTask();
        Assert.Equal(1, a.Queued);
        Assert.Equal(3, a.Load);

        // b may now have three leases before a is as good.
        for (int n = 0; n < 3; n++) Assert.Same(b, pool.Pick().Server);
        first.Complete(LeaseOutcome.Success);
        Assert.Same(a, (await third).Server);
        Assert.Equal(0, a.Queued);
        second.Complete(LeaseOutcome.Success);
        Assert.Same(a, pool.Pick().Server);
    }

    [Fact]
    public void Full_servers_are_left_out()
    {
        ServerPool pool = TestPool.Create(2, new LeastConnections(), o => o.Servers[0].MaxConnections = 1);
        pool.Pick();
        for (int n = 0; n < 5; n++) Assert.Equal("b", pool.Pick().Server.Name);
    }

    [Fact]
    public void Large_loads_do_not_overflow()
    {
        ServerPool pool = TestPool.Weighted(new LeastConnections(), 256, 255);
        for (int n = 0; n < 100_000; n++) pool.Pick();
        Assert.InRange(pool.Get("a").InFlight - (100_000 * 256 / 511), -1, 1);
    }
}
