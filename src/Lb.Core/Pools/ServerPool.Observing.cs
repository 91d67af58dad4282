namespace Lb;

/// <content>Who hears of servers at once: watchers, and the count of failures that their callers see.</content>
public sealed partial class ServerPool
{
    private readonly Queue<Notice> _notices = [];
    private volatile IServerWatcher[] _watchers = [];
    private volatile Observe _observe;
    private volatile int _errorLimit = 1;
    private bool _membersNoted;
    private bool _quorumNoted;

    /// <summary>True with checks of its own: then only they bring a server up.</summary>
    internal bool IsChecked => _checked;

    /// <summary>Has <paramref name="watcher"/> hear of this pool's servers from now on. Any thread.</summary>
    /// <param name="watcher">Who wants to hear.</param>
    /// <returns>Ends it when disposed; calls under way go on.</returns>
    public IDisposable Watch(IServerWatcher watcher)
    {
        ArgumentNullException.ThrowIfNull(watcher);
        lock (_lock) _watchers = [.. _watchers, watcher];
        return new Watching(this, watcher);
    }

    /// <summary>Tells that its servers are lost because the host stops, if <see cref="PoolOptions.Omega"/> asks for it. Changes nothing.</summary>
    internal void TellStopping()
    {
        lock (_lock)
        {
            if (_policyOptions is not { Omega: true }) return;
            DateTimeOffset now = _time.GetUtcNow();
            foreach (Server server in _servers.Where(static s => s is { Status: ServerStatus.Up, Sorry: false }))
                _events?.Publish(new ServerStatusChanged(now, Name, server.Name, ServerStatus.Up, ServerStatus.Down, "stopping"));
            if (_quorumHeld) _events?.Publish(new QuorumChanged(now, Name, IsHeld: false, Weight: 0, _protections.Quorum));
        }
    }

    /// <summary>A latency sample proves that the connection works, which is all that layer 4 asks. At layer 7 the answer may still be an error.</summary>
    private void ObserveAnswer(Server server)
    {
        if (_observe == Observe.Layer4 && Volatile.Read(ref server.ObservedFailures) != 0) Volatile.Write(ref server.ObservedFailures, 0);
    }

    /// <summary>Counts the end of a lease; HAProxy's <c>health_adjust</c>. Outside all locks.</summary>
    private void ObserveEnd(Server server, LeaseOutcome outcome)
    {
        Observe observe = _observe;
        if (observe == Observe.None || outcome.IsIgnored) return;
        if (outcome.IsSuccess)
        {
            if (Volatile.Read(ref server.ObservedFailures) != 0) Volatile.Write(ref server.ObservedFailures, 0);
            return;
        }

        if (observe == Observe.Layer4 && outcome.FailureKind is FailureKind.Protocol or FailureKind.Status) return;
        int limit = _errorLimit;
        if (Interlocked.Increment(ref server.ObservedFailures) < limit) return;

        // Of several that come here together one takes the count, and acts. What another has taken of the next count goes back.
        int failures;
        while ((failures = Interlocked.Exchange(ref server.ObservedFailures, 0)) < limit)
        {
            if (failures == 0 || Interlocked.Add(ref server.ObservedFailures, failures) < limit) return;
        }

        foreach (IServerWatcher watcher in _watchers) watcher.ErrorLimitReached(server, failures);
    }

    private void ObserveAs(PoolOptions options) => (_errorLimit, _observe) = (options.ErrorLimit, options.Observe);

    // Under the lock.
    private void Note(Server? server, ServerStatus from = default, ServerStatus to = default)
    {
        if (_watchers.Length == 0) return;

        // A reload of a thousand servers is one change of the members.
        if (server is null && _membersNoted) return;
        if (server is null) _membersNoted = true;
        _notices.Enqueue(new Notice(server, from, to));
    }

    // Under the lock. Once is enough: who hears of it asks the pool.
    private void NoteQuorum() => _quorumNoted |= _watchers.Length > 0;

    // Outside the lock, by whoever has changed something: a watcher may look at this pool or change another.
    private void TellWatchers()
    {
        while (true)
        {
            Notice notice;
            bool quorum = false;
            lock (_lock)
            {
                if (!_notices.TryDequeue(out notice))
                {
                    if (!_quorumNoted) return;
                    _quorumNoted = false;
                    quorum = true;
                }
                else if (notice.Server is null)
                {
                    _membersNoted = false;
                }
            }

            foreach (IServerWatcher watcher in _watchers)
            {
                if (quorum) watcher.QuorumChanged(this);
                else if (notice.Server is { } server) watcher.StatusChanged(server, notice.From, notice.To);
                else watcher.MembersChanged(this);
            }
        }
    }

    private readonly record struct Notice(Server? Server, ServerStatus From, ServerStatus To);

    private sealed class Watching(ServerPool pool, IServerWatcher watcher) : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
            lock (pool._lock)
            {
                List<IServerWatcher> left = [.. pool._watchers];
                left.Remove(watcher);
                pool._watchers = [.. left];
            }
        }
    }
}
