using Lb.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb.Vrrp.Tests.Tracking;

[Trait("Row", "V6")]
public sealed class JudgedTrackerTests : IDisposable
{
    private const int Limit = 60_000;
    private readonly ManualTimeProvider _time = new();
    private readonly Reports _reports = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _reports.Dispose();

    [Fact(Timeout = Limit)]
    public async Task It_tells_what_the_first_look_finds_and_then_changes_only()
    {
        Queue<bool> looks = new([true, true, false, false, true]);
        using DelegateTracker tracker = Tracker(_ => ValueTask.FromResult(looks.Dequeue()), new RouterTrackOptions { Fall = 2 });
        _reports.Start(tracker);
        Assert.Equal(new TrackReport(Well: true, 0, "well"), await _reports.NextAsync());
        for (int i = 0; i < 3; i++) await _reports.TurnAsync(_time);
        Assert.Equal(new TrackReport(Well: false, 0, "not well"), await _reports.NextAsync());
        await _reports.TurnAsync(_time);
        Assert.Equal(new TrackReport(Well: true, 0, "well"), await _reports.NextAsync());
        Assert.Equal(0, _reports.Count);
    }

    [Fact(Timeout = Limit)]
    public async Task Failure_may_be_assumed_until_it_is_proved_well()
    {
        using DelegateTracker tracker = Tracker(static _ => ValueTask.FromResult(true), new RouterTrackOptions { InitFail = true, Rise = 2 });
        _reports.Start(tracker);
        Assert.False((await _reports.NextAsync()).Well);
        await _reports.TurnAsync(_time);
        Assert.True((await _reports.NextAsync()).Well);
    }

    [Fact(Timeout = Limit)]
    public async Task What_throws_has_failed_and_is_asked_again()
    {
        bool throws = true;
        using DelegateTracker tracker = Tracker(_ => throws ? throw new InvalidOperationException("no such luck") : ValueTask.FromResult(true), new RouterTrackOptions());
        _reports.Start(tracker);
        Assert.Equal(new TrackReport(Well: false, 0, "no such luck"), await _reports.NextAsync());
        throws = false;
        await _reports.TurnAsync(_time);
        Assert.True((await _reports.NextAsync()).Well);
    }

    [Fact(Timeout = Limit)]
    public async Task One_that_ignores_its_limit_is_not_called_a_second_time_meanwhile()
    {
        int calls = 0;
        TaskCompletionSource<bool> first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using DelegateTracker tracker = Tracker(_ => ++calls == 1 ? new ValueTask<bool>(first.Task) : ValueTask.FromResult(true), new RouterTrackOptions { Timeout = TimeSpan.FromMilliseconds(100) });
        _reports.Start(tracker);
        await _time.WhenTimersReach(1, Ct);
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(new TrackReport(Well: false, 0, "did not end in time"), await _reports.NextAsync());

        // The pace stays: the next look is a second after the first began.
        await _reports.LookedAsync();
        _time.Advance(TimeSpan.FromMilliseconds(900));
        await _reports.LookedAsync();
        Assert.Equal(1, calls);
        first.SetResult(true);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True((await _reports.NextAsync()).Well);
        Assert.Equal(2, calls);
    }

    [Fact(Timeout = Limit)]
    public async Task After_its_end_it_tells_nothing()
    {
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        DelegateTracker tracker = Tracker(async ct =>
        {
            asked.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            return false;
        }, new RouterTrackOptions());
        _reports.Start(tracker);
        await asked.Task.WaitAsync(Ct);
        tracker.Dispose();
        await tracker.Ended.WaitAsync(Ct);
        Assert.Equal(0, _reports.Count);
    }

    private DelegateTracker Tracker(Func<CancellationToken, ValueTask<bool>> look, RouterTrackOptions options) => new("test", look, options, _time, NullLogger.Instance);
}
