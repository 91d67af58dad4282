using System.Threading.Channels;
using Lb.Testing;

namespace Lb.Vrrp.Tests.Tracking;

/// <summary>What a tracker told, to be waited for, and the turns of its looks.</summary>
internal sealed class Reports : IDisposable
{
    private readonly SemaphoreSlim _rests = new(0);
    private readonly Channel<TrackReport> _reports = Channel.CreateUnbounded<TrackReport>();

    public int Count => _reports.Reader.Count;

    public void Dispose() => _rests.Dispose();

    public void Start(JudgedTracker tracker)
    {
        tracker.Resting = () => _rests.Release();
        tracker.Start(Add);
    }

    /// <summary>Waits for the end of a look.</summary>
    public Task LookedAsync() => _rests.WaitAsync(TestContext.Current.CancellationToken);

    /// <summary>Waits for the end of a look and has the next one begin, a second after the last.</summary>
    public async Task TurnAsync(ManualTimeProvider time)
    {
        await LookedAsync();
        time.Advance(TimeSpan.FromSeconds(1));
    }

    public void Add(TrackReport report) => _reports.Writer.TryWrite(report);

    public async Task<TrackReport> NextAsync() => await _reports.Reader.ReadAsync(TestContext.Current.CancellationToken);
}
