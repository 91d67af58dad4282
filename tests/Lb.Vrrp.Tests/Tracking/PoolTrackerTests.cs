namespace Lb.Vrrp.Tests.Tracking;

[Trait("Row", "V7")]
public sealed class PoolTrackerTests
{
    [Fact]
    public void It_tells_of_the_quorum_in_the_turn_of_its_change()
    {
        PoolOptions options = new() { Quorum = 2 };
        options.Servers.Add(new ServerOptions { Name = "a", Address = "127.0.0.1:80" });
        options.Servers.Add(new ServerOptions { Name = "b", Address = "127.0.0.1:81" });
        ServerPool pool = new("web", options);
        List<TrackReport> reports = [];
        PoolTracker tracker = new(pool);
        Assert.Equal("pool web", tracker.Name);
        tracker.Start(reports.Add);
        Assert.Equal([new TrackReport(Well: true, 0, "has its quorum")], reports);
        Server server = pool.Find("a")!;
        pool.SetHealth(server, ServerHealth.Down);
        Assert.Equal(new TrackReport(Well: false, 0, "has lost its quorum"), reports[^1]);
        pool.SetHealth(server, ServerHealth.Up);
        Assert.Equal([true, false, true], reports.Select(static r => r.Well));
        tracker.Dispose();
        pool.SetHealth(server, ServerHealth.Down);
        Assert.Equal(3, reports.Count);
    }
}
