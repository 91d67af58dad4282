namespace Lb;

/// <content>What happens by itself as time goes by. One timer, armed only while there is something to wait for: an idle pool has none.</content>
public sealed partial class ServerPool
{
    // Whatever goes wrong, a timer must not spin.
    private static readonly TimeSpan Shortest = TimeSpan.FromTicks(1);

    private ITimer? _timer;
    private long _timerDue = long.MaxValue;
    private long _nextRampStep = long.MaxValue;
    private long _nextRebuild = long.MaxValue;
    private bool _stopped;
    private bool _sweeping;

    /// <summary>Ends the pool's own timer: the pool has left the configuration, or its host stops. It can still be picked from.</summary>
    internal void Stop()
    {
        lock (_lock)
        {
            _stopped = true;
            _timer?.Dispose();
            _timer = null;
        }
    }

    // Under the lock. Sets the timer to whatever comes first.
    private void Schedule(long now)
    {
        long due = Math.Min(_nextRampStep, _nextRebuild);
        if (_nextInterval != 0) due = Math.Min(due, _nextInterval);
        foreach (Server server in _servers)
        {
            if (server.Ejection is { } ejection) due = Math.Min(due, ejection.Until);
        }

        long? sweep = _affinity?.NextSweep;
        Volatile.Write(ref _sweeping, sweep is not null);
        if (sweep is { } at) due = Math.Min(due, at);

        if (due == _timerDue || _stopped) return;
        _timerDue = due;
        if (due == long.MaxValue)
        {
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        // Rounded up: a timer that fires early would only be armed again.
        TimeSpan wait = TimeSpan.FromTicks((long)Math.Ceiling((due - now) * ((double)TimeSpan.TicksPerSecond / TimestampsPerSecond)));
        if (wait < Shortest) wait = Shortest;
        if (wait > PositiveAttribute.Longest) wait = PositiveAttribute.Longest;

        // Weak: a pool that nobody uses any more must not live on for its timer.
        _timer ??= _time.CreateTimer(
            static state =>
            {
                if (((WeakReference<ServerPool>)state!).TryGetTarget(out ServerPool? pool)) pool.OnTimer();
            },
            new WeakReference<ServerPool>(this),
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (_lock)
        {
            if (_stopped) return;
            long now = _time.GetTimestamp();
            _timerDue = long.MaxValue;
            bool changed = now >= _nextRampStep || now >= _nextRebuild;

            _affinity?.Sweep(now);

            // Before the ejections that end now: a server that comes back with the interval has not been quiet in it.
            if (_nextInterval != 0 && _nextInterval <= now) changed |= EndInterval(now);
            foreach (Server server in _servers)
            {
                if (server.Ejection is { } ejection && ejection.Until <= now) changed |= EndEjection(server, ejection, now);
            }

            if (changed) Publish();
            else Schedule(now);
        }

        TellWatchers();
    }
}
