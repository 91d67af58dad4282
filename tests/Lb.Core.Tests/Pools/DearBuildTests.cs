using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>A policy whose tables take long to build is not built anew for each of many servers that change at once.</summary>
public sealed class DearBuildTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Many_changes_at_once_are_built_together()
    {
        SlowToBuild policy = new(_time);
        ServerPool pool = TestPool.Create(300, policy, time: _time);
        Assert.Equal(1, policy.Builds);
        for (int i = 0; i < 10; i++)
        {
            pool.SetHealth(pool.Servers[i], ServerHealth.Down);

            // Nobody is picked that is down, from the moment the call returns.
            for (int n = 0; n < 600; n++) Assert.Equal(ServerHealth.Up, pool.Pick().Server.Health);
            for (int n = 0; n < 600; n++) Assert.Equal(ServerHealth.Up, pool.Pick(new PickContext { Key = AffinityKey.From($"{n}") }).Server.Health);
        }

        Assert.Equal(1, policy.Builds);
        Assert.Equal(290, pool.Snapshot!.Servers.Length);
        _time.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(2, policy.Builds);
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public void A_single_change_is_built_at_once()
    {
        SlowToBuild policy = new(_time);
        ServerPool pool = TestPool.Create(300, policy, time: _time);
        _time.Advance(TimeSpan.FromMilliseconds(20));
        pool.Down("a");
        Assert.Equal(2, policy.Builds);
    }

    [Fact]
    public void A_small_pool_is_always_built_at_once()
    {
        SlowToBuild policy = new(_time);
        ServerPool pool = TestPool.Create(200, policy, time: _time);
        for (int i = 0; i < 10; i++) pool.SetHealth(pool.Servers[i], ServerHealth.Down);
        Assert.Equal(11, policy.Builds);
    }

    [Fact]
    public void Servers_that_come_up_or_join_are_picked_after_the_pause()
    {
        SlowToBuild policy = new(_time);
        ServerPool pool = TestPool.Create(300, policy, time: _time);
        Server first = pool.Servers[0];
        pool.SetHealth(first, ServerHealth.Down);
        pool.SetHealth(first, ServerHealth.Up);
        Server joined = pool.Add(TestPool.Server("new"), ServerAdmin.Ready);
        Assert.Equal(1, policy.Builds);
        _time.Advance(TimeSpan.FromMilliseconds(20));
        Server[] picked = [.. Enumerable.Range(0, 301).Select(_ => pool.Pick().Server)];
        Assert.Contains(joined, picked);
        Assert.Contains(first, picked);
    }

    [Fact]
    public void Nobody_is_picked_from_a_pool_whose_last_server_has_gone()
    {
        SlowToBuild policy = new(_time);
        ServerPool pool = TestPool.Create(300, policy, time: _time);
        foreach (Server server in pool.Servers) pool.SetHealth(server, ServerHealth.Down);
        Assert.Equal(PickFailure.NoServer, pool.FailToPick());
        pool.SetHealth(pool.Servers[7], ServerHealth.Up);
        Assert.Same(pool.Servers[7], pool.Pick().Server);
    }

    // Takes two milliseconds of the pool's clock.
    private sealed class SlowToBuild(ManualTimeProvider time) : ISchedulingPolicy
    {
        private readonly RoundRobin _inner = new();

        public int Builds { get; private set; }

        public IScheduler Build(PoolSnapshot snapshot)
        {
            Builds++;
            time.Advance(TimeSpan.FromMilliseconds(2));
            return _inner.Build(snapshot);
        }
    }
}
