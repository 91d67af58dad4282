namespace Lb.Core.Tests.Scheduling;

[Trait("Row", "S26")]
public sealed class StickyTests
{
    [Fact]
    public void One_server_takes_everything_whatever_the_weights()
    {
        Assert.Equal("a a a a", TestPool.Weighted(new Sticky(), 1, 200, 3).Sequence(4));
    }

    [Fact]
    public void The_first_usable_one_takes_over_and_keeps_it()
    {
        ServerPool pool = TestPool.Create(3, new Sticky());
        pool.Down("b");
        Assert.Equal("a", pool.Next());
        pool.Down("a");
        Assert.Equal("c", pool.Next());
        pool.Up("a");
        pool.Up("b");
        Assert.Equal("c c", pool.Sequence(2));
        pool.SetAdmin(pool.Get("c"), ServerAdmin.Drain);
        Assert.Equal("a a", pool.Sequence(2));
        pool.SetAdmin(pool.Get("c"), ServerAdmin.Ready);
        Assert.Equal("a", pool.Next());
    }

    [Fact]
    public void A_main_server_takes_over_from_a_backup()
    {
        ServerPool pool = TestPool.Create(2, new Sticky(), o => o.Servers[1].Backup = true);
        pool.Down("a");
        Assert.Equal("b", pool.Next());
        pool.Up("a");
        Assert.Equal("a", pool.Next());
    }

    [Fact]
    public void What_does_not_fit_goes_to_the_next_one()
    {
        ServerPool pool = TestPool.Create(2, new Sticky());
        pool.SetMaxConnections(pool.Get("a"), 1);
        Assert.Equal("a", pool.Pick().Server.Name);
        Assert.Equal("b", pool.Next());
    }
}
