namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S22")]
public sealed class FirstTests
{
    [Fact]
    public void The_first_server_takes_all_it_can()
    {
        ServerPool pool = TestPool.Create(3, new First(), o =>
        {
            foreach (ServerOptions server in o.Servers) server.MaxConnections = 2;
        });

        ServerLease[] leases = [.. Enumerable.Range(0, 5).Select(_ => pool.Pick())];
        Assert.Equal("a a b b c", string.Join(' ', leases.Select(static l => l.Server.Name)));
        leases[1].Complete(LeaseOutcome.Success);
        Assert.Equal("a", pool.Pick().Server.Name);
        Assert.Equal("c", pool.Pick().Server.Name);
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
    }

    [Fact]
    public void Without_a_limit_the_others_stay_idle_whatever_their_weight()
    {
        ServerPool pool = TestPool.Weighted(new First(), 1, 256, 256);
        for (int n = 0; n < 10; n++) Assert.Equal("a", pool.Pick().Server.Name);
    }

    [Fact]
    public void The_order_of_declaration_is_the_order_of_failover()
    {
        ServerPool pool = TestPool.Create(3, new First());
        pool.Down("a");
        Assert.Equal("b", pool.Next());
        pool.Down("b");
        Assert.Equal("c", pool.Next());
        pool.Up("a");
        Assert.Equal("a", pool.Next());
    }
}
