using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>Checks that take servers out too often, or too many of them.</summary>
public sealed class FlappingTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    [Trait("Row", "H32")]
    public void A_server_that_toggles_is_held_down()
    {
        ServerPool pool = Pool(2, o => o.FlapDamping.Flaps = 2);
        Server a = pool.Get("a");
        for (int n = 0; n < 2; n++) Toggle(pool, a);
        Assert.Equal("a b", pool.Usable());
        Toggle(pool, a);
        Assert.Equal("b", pool.Usable());
        Assert.Equal(EjectionReason.Flapping, a.Ejection!.Reason);
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal("a b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H34")]
    public void Checks_may_take_out_only_a_part()
    {
        ServerPool pool = Pool(4, o => o.MaxDownPercent = 50);
        foreach (string name in (string[])["c", "a", "b", "d"])
        {
            pool.Down(name);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        // The first two to fail are out; the others are used although their checks fail.
        Assert.Equal("b d", pool.Usable());
        Assert.Equal(ServerStatus.Down, pool.Get("b").Status);
        pool.SetHealth(pool.Get("c"), ServerHealth.Up);
        Assert.Equal("c d", pool.Usable());
    }

    private ServerPool Pool(int servers, Action<PoolOptions>? configure = null) => TestPool.Create(servers, configure: configure, time: _time);

    private static void Toggle(ServerPool pool, Server server)
    {
        pool.SetHealth(server, ServerHealth.Down);
        pool.SetHealth(server, ServerHealth.Up);
    }
}
