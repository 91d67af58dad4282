using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>A server that works and asks for no new balanced traffic.</summary>
[Trait("Row", "H21")]
[Trait("Row", "P2")]
public sealed class StoppingTests
{
    [Fact]
    public void It_serves_sticky_traffic_only()
    {
        ServerPool pool = TestPool.Create(2);
        Server a = pool.Get("a");
        pool.SetHealth(a, ServerHealth.Stopping);
        Assert.Equal("b b b", pool.Sequence(3));
        Assert.Equal("a", pool.Next(new PickContext { Prefer = a }));
        pool.SetHealth(a, ServerHealth.Down);
        Assert.Equal("b", pool.Next(new PickContext { Prefer = a }));
        pool.Up("a");
        Assert.Equal("a b a b", pool.Sequence(4));
    }

    [Theory]
    [InlineData(ServerHealth.Stopping, ServerAdmin.Ready, ServerAdmin.Ready, 1, ServerStatus.Stopping)]
    [InlineData(ServerHealth.Stopping, ServerAdmin.Drain, ServerAdmin.Ready, 1, ServerStatus.Stopping)]
    [InlineData(ServerHealth.Stopping, ServerAdmin.Ready, ServerAdmin.Drain, 1, ServerStatus.Stopping)]
    [InlineData(ServerHealth.Stopping, ServerAdmin.Ready, ServerAdmin.Ready, 0, ServerStatus.Stopping)]
    [InlineData(ServerHealth.Stopping, ServerAdmin.Maintenance, ServerAdmin.Ready, 1, ServerStatus.Maintenance)]
    [InlineData(ServerHealth.Stopping, ServerAdmin.Ready, ServerAdmin.Maintenance, 1, ServerStatus.Maintenance)]
    [InlineData(ServerHealth.Down, ServerAdmin.Drain, ServerAdmin.Ready, 1, ServerStatus.Down)]
    public void Maintenance_wins_over_it_and_it_wins_over_drain(ServerHealth health, ServerAdmin admin, ServerAdmin agent, int weight, ServerStatus status)
    {
        ServerPool pool = TestPool.Create(2);
        Server a = pool.Get("a");
        pool.SetHealth(a, health);
        pool.SetAdmin(a, admin);
        pool.SetAgent(a, agent);
        pool.SetWeight(a, weight);
        Assert.Equal(status, a.Status);
        Assert.Equal("b b", pool.Sequence(2));
    }

    [Fact]
    [Trait("Row", "P10")]
    public void It_does_not_count_for_the_quorum_and_backups_take_over()
    {
        ServerPool pool = TestPool.Create(3, configure: o =>
        {
            o.Quorum = 2;
            o.Servers[2].Backup = true;
            o.AllDown = AllDown.UseAll;
        });
        pool.SetHealth(pool.Get("a"), ServerHealth.Stopping);
        Assert.False(pool.HasQuorum);
        pool.SetHealth(pool.Get("b"), ServerHealth.Stopping);
        Assert.Equal((PoolMode.Backup, "c c"), (pool.Mode, pool.Sequence(2)));
        pool.SetHealth(pool.Get("c"), ServerHealth.Stopping);
        Assert.False(pool.TryPick(default, out _, out PickFailure failure));
        Assert.Equal((PoolMode.Down, PickFailure.NoServer), (pool.Mode, failure));
    }

    [Fact]
    [Trait("Row", "P5")]
    public void A_slow_start_goes_on_and_none_begins()
    {
        ManualTimeProvider time = new();
        ServerPool pool = TestPool.Create(2, configure: o => o.SlowStart = TimeSpan.FromSeconds(10), time: time);
        Server a = pool.Get("a");
        pool.SetHealth(a, ServerHealth.Stopping);
        pool.Up("a");
        Assert.Equal(pool.Snapshot!.LiveScale, pool.Snapshot.LiveWeights[0]);
        pool.Down("a");
        pool.Up("a");
        int little = pool.Snapshot.LiveWeights[0];
        Assert.True(little < pool.Snapshot.LiveScale);
        pool.SetHealth(a, ServerHealth.Stopping);
        pool.Up("a");
        Assert.Equal(little, pool.Snapshot.LiveWeights[0]);
    }

    [Fact]
    public void Who_was_ejected_stays_so()
    {
        ServerPool pool = TestPool.Create(3, configure: static o => o.Outlier.ConsecutiveFailures = 1);
        Server a = pool.Get("a");
        pool.Pick(new PickContext { Prefer = a }).Complete(LeaseOutcome.Failure(FailureKind.Connect));
        Assert.Equal(ServerStatus.Ejected, a.Status);
        pool.SetHealth(a, ServerHealth.Stopping);
        Assert.Equal(ServerStatus.Ejected, a.Status);
        pool.Up("a");
        Assert.Equal(ServerStatus.Ejected, a.Status);
    }
}
