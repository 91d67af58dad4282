namespace Lb.Vrrp;

/// <summary>Watches the quorum of a pool. Tells on the thread, and in the turn, of the change.</summary>
internal sealed class PoolTracker(ServerPool pool) : ITracker, IServerWatcher
{
    private readonly TrackReports _reports = new();
    private IDisposable? _watching;

    public string Name => $"pool {pool.Name}";

    public void Start(Action<TrackReport> report)
    {
        _reports.Open(report);

        // First the watch, then the look: a change between the two is told twice at most, and never missed.
        _watching = pool.Watch(this);
        QuorumChanged(pool);
    }

    public void QuorumChanged(ServerPool pool) =>
        _reports.Tell(() => pool.HasQuorum ? new TrackReport(Well: true, 0, "has its quorum") : new TrackReport(Well: false, 0, "has lost its quorum"));

    public void Dispose()
    {
        _reports.Close();
        _watching?.Dispose();
    }
}
