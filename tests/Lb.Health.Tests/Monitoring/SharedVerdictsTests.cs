using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>One answer, and what each of the pools that share the check makes of it.</summary>
[Trait("Row", "H4")]
public sealed class SharedVerdictsTests
{
    private static readonly ProbeResult Gone = new(CheckStatus.Layer7OkConditional, 404, "Not Found");

    [Fact]
    [Trait("Row", "H33")]
    public void A_pool_whose_address_is_elsewhere_hears_nothing_and_the_other_goes_on()
    {
        using ProbeRig rig = new();
        Suspend(rig, "api", "192.0.2.86");
        PoolMember web = new(rig, "web"), api = new(rig, "api");
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        web.Start();
        api.Start(delay: 1);
        rig.Advance(5);
        Assert.Single(rig.Environment.Loops.All);
        Assert.Equal([0, 1, 3, 5], rig.Starts);
        Assert.Equal("Down Up", $"{web.Server.Health} {api.Server.Health}");
        Assert.Null(api.Server.LastCheck);

        // From now on it is told, of the next check that it asks for.
        rig.Addresses.Set("192.0.2.86");
        rig.Advance(0.25);
        api.Check!.Wake();
        rig.Advance(0);
        Assert.Equal(5.25, rig.Starts[^1]);
        Assert.Equal((-1, -5), (api.Server.LastCheck!.Consecutive, web.Server.LastCheck!.Consecutive));
    }

    [Fact]
    [Trait("Row", "H33")]
    public void When_all_are_suspended_nobody_asks()
    {
        using ProbeRig rig = new();
        Suspend(rig, "web", "192.0.2.85");
        PoolMember web = new(rig, "web");
        web.Start();
        rig.Advance(9);
        Assert.Empty(rig.Starts);
        Suspend(rig, "other", "192.0.2.85");
        rig.Advance(2);
        Assert.Equal([10], rig.Starts);
    }

    [Fact]
    [Trait("Row", "H21")]
    public void One_404_stops_new_traffic_where_the_server_is_up_and_leaves_it_down_where_it_is_down()
    {
        using ProbeRig rig = new();
        static void Http(CheckOptions c) => (c.Type, c.DisableOn404) = ("http", true);
        PoolMember web = new(rig, "web", Http), api = new(rig, "api", Http, StartsDown);
        rig.Checker.Answer("s1", Gone);
        web.Start();
        api.Start(delay: 1);
        rig.Advance(2);
        Assert.Single(rig.Environment.Loops.All);
        Assert.Equal("Stopping Down", $"{web.Server.Health} {api.Server.Health}");
        Assert.Equal((CheckStatus.Layer7OkConditional, CheckStatus.Layer7Status), (web.Server.LastCheck!.Status, api.Server.LastCheck!.Status));
        rig.Checker.Answer("s1", FakeHealthChecker.Pass);
        rig.Advance(4);
        Assert.Equal("Up Up", $"{web.Server.Health} {api.Server.Health}");
    }

    [Fact]
    [Trait("Row", "H6")]
    public void There_are_further_attempts_while_the_server_is_up_in_one_pool()
    {
        using ProbeRig rig = new();
        static void Twice(CheckOptions c) => (c.Interval, c.Retry, c.DelayBeforeRetry, c.Fall) = (TimeSpan.FromSeconds(10), 1, TimeSpan.FromSeconds(1), 2);
        PoolMember web = new(rig, "web", Twice, StartsDown), api = new(rig, "api", Twice);
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        web.Start();
        rig.Advance(1);
        Assert.Equal([0], rig.Starts);

        // The one that joins wants its first check at once. The second failure takes it down, and then one attempt is enough for both.
        api.Start();
        rig.Advance(30);
        Assert.Equal([0, 1, 2, 11, 12, 21, 31], rig.Starts);
        Assert.Equal("Down Down", $"{web.Server.Health} {api.Server.Health}");
    }

    [Fact]
    [Trait("Row", "H26")]
    public void Servers_that_are_checked_at_one_address_are_checked_once()
    {
        using ProbeRig rig = new();
        static void There(CheckOptions c) => (c.Address, c.Port) = ("192.0.2.9", 81);
        PoolMember one = new(rig, "one", There), two = new(rig, "two", There, static p => p.Servers[0].Address = "127.0.0.2:8002");
        one.Start();
        two.Start(delay: 1);
        rig.Advance(3);
        Assert.Equal("192.0.2.9:81", Assert.Single(rig.Environment.Loops.All).Key!.EndPoint.ToString());
        Assert.All(rig.Checker.Calls, static c => Assert.Equal("192.0.2.9:81", c.Target.EndPoint.ToString()));
        Assert.Equal([0, 1, 3], rig.Starts);
        Assert.Equal((3, 2), (one.Server.LastCheck!.Consecutive, two.Server.LastCheck!.Consecutive));
    }

    [Fact]
    [Trait("Row", "H28")]
    public void Each_server_keeps_what_it_was_told()
    {
        using ProbeRig rig = new();
        PoolMember web = new(rig, "web"), api = new(rig, "api");
        web.Start();
        rig.Advance(1);
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        api.Start(delay: 1);
        rig.Advance(5);
        Assert.Equal(["L7OK Up", "L4CON Up", "L4CON Up", "L4CON Down!"], web.History);
        Assert.Equal(["L4CON Up", "L4CON Up", "L4CON Down!"], api.History);
    }

    private static void StartsDown(PoolOptions pool)
    {
        pool.Checks.Add(new CheckOptions());
        pool.Servers[0].InitState = InitState.FullyDown;
    }

    private static void Suspend(ProbeRig rig, string pool, string address)
    {
        rig.Follow(o => o.Pools[pool] = new PoolOptions { HaSuspend = { address } });
    }
}
