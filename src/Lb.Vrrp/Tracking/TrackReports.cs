namespace Lb.Vrrp;

/// <summary>Passes on what differs from the last report, one at a time, and nothing after the end. Any thread.</summary>
internal sealed class TrackReports
{
    private readonly Lock _lock = new();
    private Action<TrackReport>? _report;
    private TrackReport? _last;

    public void Open(Action<TrackReport> report)
    {
        lock (_lock) _report = report;
    }

    /// <summary>Looks and tells under one lock, so that the last one told is the last one found.</summary>
    public void Tell(Func<TrackReport> look)
    {
        lock (_lock)
        {
            if (_report is null) return;
            TrackReport found = look();
            if (_last is { } last && (last.Well, last.Value) == (found.Well, found.Value)) return;
            _last = found;
            _report(found);
        }
    }

    public void Tell(TrackReport found) => Tell(() => found);

    public void Close()
    {
        lock (_lock) _report = null;
    }
}
