namespace Lb.Core.Tests.Pools;

/// <summary>keepalived's quorum, hysteresis and sorry server.</summary>
public sealed class QuorumTests
{
    private readonly EventHub _events = new();

    [Fact]
    [Trait("Row", "P11")]
    public async Task A_quorum_is_lost_below_it_less_the_hysteresis_and_regained_at_it_plus_the_hysteresis()
    {
        ServerPool pool = Pool(5, o =>
        {
            o.Quorum = 3;
            o.Hysteresis = 1;
        });
        List<bool> held = [];
        foreach (int up in (int[])[5, 3, 2, 1, 2, 3, 4, 5])
        {
            for (int i = 0; i < 5; i++) pool.SetHealth(pool.Servers[i], i < up ? ServerHealth.Up : ServerHealth.Down);
            held.Add(pool.HasQuorum);
        }

        Assert.Equal([true, true, true, false, false, false, true, true], held);
        QuorumChanged[] told = [.. (await _events.Published()).OfType<QuorumChanged>()];
        Assert.Equal([(false, 1L), (true, 4L)], told.Select(static e => (e.IsHeld, e.Weight)));
    }

    [Fact]
    [Trait("Row", "P11")]
    public void Weights_count_not_heads()
    {
        ServerPool pool = Pool(2, o =>
        {
            o.Servers[0].Weight = 10;
            o.Quorum = 5;
        });
        pool.Down("b");
        Assert.True(pool.HasQuorum);
        pool.SetHealth(pool.Get("b"), ServerHealth.Up);
        pool.Down("a");
        Assert.False(pool.HasQuorum);
        Assert.Equal("b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "P10")]
    public async Task The_sorry_server_serves_while_the_quorum_is_lost()
    {
        ServerPool pool = Pool(3, o =>
        {
            o.Quorum = 2;
            o.SorryServer.Address = "127.0.0.1:81";
        });
        Assert.Equal("a b c", pool.Usable());
        pool.Down("a");
        Assert.Equal("b c", pool.Usable());
        pool.Down("b");
        Assert.Equal("sorry", pool.Usable());
        Assert.Equal(PoolMode.Sorry, pool.Mode);
        pool.SetHealth(pool.Get("b"), ServerHealth.Up);
        Assert.Equal("b c", pool.Usable());
        Assert.Equal([PoolMode.Sorry, PoolMode.Normal], (await _events.Published()).OfType<PoolModeChanged>().Select(static e => e.To));
    }

    [Fact]
    [Trait("Row", "P10")]
    public void A_connection_to_the_sorry_server_goes_on_but_binds_nobody()
    {
        ServerPool pool = Pool(1, o =>
        {
            o.SorryServer.Address = "127.0.0.1:81";
            o.Persistence.Type = "source";
        });
        PickContext client = new() { Source = TestPool.Client("192.0.2.1") };
        pool.Down("a");
        ServerLease open = pool.Pick(client);
        Assert.True(open.Server.Sorry);
        pool.SetHealth(pool.Get("a"), ServerHealth.Up);
        Assert.Equal("a", pool.Pick(client).Server.Name);
        Assert.Equal("a", pool.Pick(new PickContext { Prefer = open.Server }).Server.Name);
        Assert.Equal(1, open.Server.InFlight);
    }

    [Fact]
    [Trait("Row", "P10")]
    public void A_sorry_server_stays_over_a_reload_and_can_not_be_removed()
    {
        ServerPool pool = Pool(1, o => o.SorryServer.Address = "127.0.0.1:81");
        Server sorry = pool.Get("sorry");
        pool.Reconcile([TestPool.Server("a"), TestPool.Server("b")]);
        Assert.Same(sorry, pool.Get("sorry"));
        Assert.Throws<ArgumentException>(() => pool.Reconcile([TestPool.Server("SORRY")]));
        Assert.Equal(RemoveResult.IsSorryServer, pool.Remove(sorry, force: true));
        Assert.Equal("a b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "P12")]
    [Trait("Row", "K9")]
    public void A_server_that_is_inhibited_keeps_those_who_stick_to_it()
    {
        ServerPool pool = Pool(2, o => o.Servers[0].InhibitOnFailure = true);
        Server a = pool.Get("a"), b = pool.Get("b");
        pool.Down("a");
        Assert.Same(a, pool.Pick(new PickContext { Prefer = a }).Server);
        for (int n = 0; n < 10; n++) Assert.Same(b, pool.Pick().Server);
        pool.SetHealth(a, ServerHealth.Up);
        pool.Down("b");
        Assert.Same(a, pool.Pick(new PickContext { Prefer = b }).Server);
    }

    private ServerPool Pool(int servers, Action<PoolOptions> configure) => TestPool.Create(servers, configure: configure, events: _events);
}
