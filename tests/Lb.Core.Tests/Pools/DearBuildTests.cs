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
        ServerPool pool = TestPool.Create(20, policy, time: _time);
        Assert.Equal(1, policy.Builds);
        for (int i = 0; i < 10; i++)
        {
            pool.SetHealth(pool.Servers[i], ServerHealth.Down);

            // Nobody is picked that is down, from the moment the call returns.
            for (int n = 0; n < 40; n++) Assert.Equal(ServerHealth.Up, pool.Pick().Server.Health);
            for (int n = 0; n < 40; n++) Assert.Equal(ServerHealth.Up, pool.Pick(new PickContext { Key = AffinityKey.From($"{n}") }).Server.Health);
        }

        Assert.Equal(1, policy.Builds);
        Assert.Equal(10, pool.Snapshot!.Servers.Length);
        _time.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(2, policy.Builds);
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    public void A_single_change_is_built_at_once()
    {
        SlowToBuild policy = new(_time);
        ServerPool pool = TestPool.Create(3, policy, time: _time);
        _time.Advance(TimeSpan.FromMilliseconds(20));
        pool.Down("a");
        Assert.Equal(2, policy.Builds);
    }

    [Fact]
    public void The_last_change_counts_whatever_came_before()
    {
        SlowToBuild policy = new(_time);
        ServerPool pool = TestPool.Create(3, policy, time: _time);
        pool.Down("a");
        pool.Down("b");
        pool.Down("c");
        Assert.Equal(PickFailure.NoServer, pool.FailToPick());
        pool.SetHealth(pool.Get("b"), ServerHealth.Up);
        Assert.Equal("b b", pool.Sequence(2));
        Server joined = pool.Add(TestPool.Server("d"), ServerAdmin.Ready);
        _time.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Contains(joined, Enumerable.Range(0, 4).Select(_ => pool.Pick().Server));
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
