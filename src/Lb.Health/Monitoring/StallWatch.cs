namespace Lb.Health;

/// <summary>
/// Looks once a second whether checks that are due do start, and raises an alarm when they don't: threads that checkers block, slots that are never free, a
/// budget too small. On a thread of its own, so that what holds up the checks does not hold up the alarm.
/// </summary>
/// <remarks>
/// A pause of the whole process delays the look as well: by that it is told from a stall, and what was late before its end does not count.
/// </remarks>
internal sealed class StallWatch : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    // How late a look of ours may be and still say something.
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(100);

    private readonly ProbeEnvironment _environment;
    private readonly EventHub? _events;
    private readonly ManualResetEventSlim _stop = new();
    private Thread? _thread;
    private long _looked;
    private long _runningSince;
    private bool _passedOver;
    private long? _alarmed;
    private volatile int _stalled;
    private volatile int _intervals;

    public StallWatch(ProbeEnvironment environment, EventHub? events)
    {
        _environment = environment;
        _events = events;
        _looked = _runningSince = environment.Time.GetTimestamp();
    }

    /// <summary>Checks that were late by more than the limit at the last look.</summary>
    public int Stalled => _stalled;

    /// <summary>Takes over the limit, in intervals; 0 = nobody looks. The thread starts with the first. Not at the same time as itself.</summary>
    public void Follow(int intervals)
    {
        _intervals = intervals;

        // A clock that tests move by hand has nothing to do with the time on this thread: they look themselves.
        if (intervals == 0 || _thread is not null || !ReferenceEquals(_environment.Time, TimeProvider.System)) return;
        Thread thread = new(Run) { IsBackground = true, Name = "lb-stall-watch" };
        thread.Start();

        // One that could not be started can't be waited for either.
        _thread = thread;
    }

    /// <summary>Looks once.</summary>
    public void Look()
    {
        TimeProvider time = _environment.Time;
        long now = time.GetTimestamp();
        TimeSpan since = time.GetElapsedTime(_looked, now);
        if (since > Every + ProbeSchedule.Slack) _runningSince = now;
        _looked = now;

        // A short pause makes checks late as well. Only once in a row: a host that is always late is to have its alarm.
        _passedOver = since > Every + Tolerance && !_passedOver;
        if (_passedOver) return;

        int late = 0;
        TimeSpan longest = TimeSpan.Zero;
        IReadOnlyList<ProbeLoop> all = _environment.Loops.All;
        foreach (ProbeLoop loop in all)
        {
            TimeSpan limit = loop.Plan.Options.Interval * _intervals, by = loop.Late(_runningSince);
            if (_intervals == 0 || by <= limit || by <= ProbeSchedule.Slack + Tolerance) continue;
            late++;
            if (by > longest) longest = by;
        }

        _stalled = late;
        if (late > 0 && _alarmed is null)
        {
            _alarmed = now;
            HealthLog.ChecksStalled(_environment.Log, late, all.Count, longest);
            _events?.Publish(new ChecksStalled(time.GetUtcNow(), late, all.Count, longest));
        }
        else if (late == 0 && _alarmed is { } alarmed)
        {
            _alarmed = null;
            TimeSpan stalled = time.GetElapsedTime(alarmed, now);
            HealthLog.ChecksResumed(_environment.Log, stalled);
            _events?.Publish(new ChecksResumed(time.GetUtcNow(), stalled));
        }
    }

    public void Dispose()
    {
        _stop.Set();
        if (_thread is null || _thread.Join(Every)) _stop.Dispose();
    }

    private void Run()
    {
        while (!_stop.Wait(Every))
        {
            try
            {
                Look();
            }
            catch (Exception error)
            {
                // A logger of the host's. Thrown on this thread it would end the process.
                HealthLog.StallWatchFailed(_environment.Log, error);
            }
        }
    }
}
