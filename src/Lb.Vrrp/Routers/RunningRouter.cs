namespace Lb.Vrrp;

/// <summary>A router in the loop, with what it tracks. Any thread: what touches the router is posted to the loop.</summary>
internal sealed class RunningRouter
{
    private readonly List<(int Index, ITracker Tracker)> _trackers = [];
    private readonly Func<RouterOptions, IReadOnlyList<(int Index, ITracker Tracker)>> _make;
    private TaskCompletionSource? _ended;

    private RunningRouter(RouterSeat seat, Func<RouterOptions, IReadOnlyList<(int Index, ITracker Tracker)>> make) => (Seat, _make) = (seat, make);

    /// <summary>The router's place in the loop.</summary>
    public RouterSeat Seat { get; }

    /// <summary>Takes a router into the loop and begins to track.</summary>
    public static async Task<RunningRouter> StartAsync(
        VrrpLoop loop, RouterSeat seat, RouterOptions options, Func<RouterOptions, IReadOnlyList<(int Index, ITracker Tracker)>> make)
    {
        RunningRouter running = new(seat, make);
        await loop.RunAsync(now => loop.Add(seat, now)).ConfigureAwait(false);
        running.Track(loop, options);
        return running;
    }

    /// <summary>Changes it to options that it can take without a change of hands: see <see cref="VirtualRouter.CanBecome"/>.</summary>
    public async Task ChangeAsync(VrrpLoop loop, RouterOptions options)
    {
        Untrack();
        await loop.RunAsync(now =>
        {
            Seat.Router.Reconfigure(options, now);
            loop.WatchAgain(Seat);
        }).ConfigureAwait(false);
        Track(loop, options);
    }

    /// <summary>Stops it; the task ends when it has let go.</summary>
    public Task StopAsync(VrrpLoop loop, bool graceful)
    {
        Untrack();
        TaskCompletionSource ended = _ended ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(now =>
        {
            Seat.Stopped = () => ended.TrySetResult();
            Seat.Router.Stop(now);
            if (!graceful) Seat.Router.Stop(now);
            Seat.TellStopped();
        });
        return ended.Task;
    }

    private void Track(VrrpLoop loop, RouterOptions options)
    {
        _trackers.AddRange(_make(options));
        loop.Post(now => loop.ReportTracked(Seat, now));
        foreach ((int index, ITracker tracker) in _trackers)
            tracker.Start(report => loop.Post(now => Seat.Router.Report(index, report.Well, report.Value, report.Text, now)));
    }

    private void Untrack()
    {
        foreach ((_, ITracker tracker) in _trackers) tracker.Dispose();
        _trackers.Clear();
    }
}
