using Lb.Testing;

namespace Lb.Health.Tests.Monitoring;

/// <summary>Pools that share a check, and one of them is not to be told now, or only of the next one.</summary>
[Trait("Row", "H4")]
public sealed class RestingMembersTests
{
    [Fact]
    [Trait("Row", "H33")]
    public void What_began_before_a_suspension_ended_or_ends_after_it_began_is_not_told()
    {
        using ProbeRig rig = new();
        Suspend(rig, "api", "192.0.2.86");
        PoolMember web = new(rig, "web", Patient), api = new(rig, "api", Patient);
        web.Start();
        api.Start();
        rig.Advance(1);
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        rig.Checker.Hold("s1");
        rig.Advance(1);

        // It began while api was suspended.
        rig.Addresses.Set("192.0.2.86");
        rig.Checker.Release("s1");
        Assert.Equal(-1, web.Server.LastCheck!.Consecutive);
        Assert.Null(api.Server.LastCheck);

        // Suspended while it ran.
        rig.Checker.Hold("s1");
        rig.Advance(2);
        rig.Addresses.Set();
        rig.Checker.Release("s1");
        Assert.Null(api.Server.LastCheck);

        // Suspended while it ran, and no longer.
        rig.Checker.Hold("s1");
        rig.Addresses.Set("192.0.2.86");
        rig.Advance(2);
        rig.Addresses.Set();
        rig.Addresses.Set("192.0.2.86");
        rig.Checker.Release("s1");
        Assert.Equal(-3, web.Server.LastCheck!.Consecutive);
        Assert.Null(api.Server.LastCheck);
        rig.Advance(2);
        Assert.Equal(-1, api.Server.LastCheck!.Consecutive);
    }

    [Fact]
    public void One_that_joins_a_running_check_is_told_of_the_next_one()
    {
        using ProbeRig rig = new();
        PoolMember web = new(rig, "web", Patient), api = new(rig, "api", Patient);
        rig.Checker.Hold("s1");
        web.Start();
        api.Start();
        Assert.Single(rig.Environment.Loops.All);
        rig.Checker.Release("s1");
        rig.Advance(0);
        Assert.Equal((2, 1), (web.Server.LastCheck!.Consecutive, api.Server.LastCheck!.Consecutive));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_that_rests_does_not_steer_the_others(bool suspended)
    {
        using ProbeRig rig = new();
        static void Slow(CheckOptions c) => (c.Interval, c.FastInterval, c.Retry) = (TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1), 1);
        PoolMember web = new(rig, "web", Slow, StartsDown), api = new(rig, "api", Slow);
        rig.Checker.Answer("s1", FakeHealthChecker.Fail);
        web.Start();
        api.Start();
        rig.Advance(1);

        // In question, and up: it would have the next check soon, and failures tried again.
        if (suspended) Suspend(rig, "api", "192.0.2.86");
        else api.Pool.SetAdmin(api.Server, ServerAdmin.Maintenance);
        rig.Advance(20);
        int before = rig.Starts.Length;
        rig.Advance(40);
        Assert.Equal(4, rig.Starts.Length - before);
    }

    private static void Patient(CheckOptions check) => check.Timeout = TimeSpan.FromSeconds(60);

    private static void StartsDown(PoolOptions pool)
    {
        pool.Checks.Add(new CheckOptions());
        pool.Servers[0].InitState = InitState.FullyDown;
    }

    private static void Suspend(ProbeRig rig, string pool, string address) => rig.Follow(o => o.Pools[pool] = new PoolOptions { HaSuspend = { address } });
}
