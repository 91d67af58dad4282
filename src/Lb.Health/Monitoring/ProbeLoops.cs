namespace Lb.Health;

/// <summary>All loops of a host, and which checks share one. Any thread.</summary>
internal sealed class ProbeLoops(ProbeEnvironment environment)
{
    private readonly Lock _lock = new();
    private readonly HashSet<ProbeLoop> _all = [];
    private readonly Dictionary<ProbeKey, ProbeLoop> _shared = [];
    private volatile ProbeLoop[]? _snapshot;

    /// <summary>The loops that run now.</summary>
    public IReadOnlyList<ProbeLoop> All
    {
        get
        {
            if (_snapshot is { } known) return known;
            lock (_lock) return _snapshot = [.. _all];
        }
    }

    /// <summary>Finds the loop that asks the same already, or makes one.</summary>
    /// <param name="check">Who wants to be told.</param>
    /// <param name="delay">Until its first check; one that joins may have it earlier.</param>
    /// <param name="isNew">True: the caller is to start it, outside of its locks.</param>
    public ProbeLoop Join(ServerCheck check, TimeSpan delay, out bool isNew)
    {
        ProbeKey? key = environment.ShareChecks ? ProbeKey.Of(check) : null;
        lock (_lock)
        {
            isNew = false;
            if (key is not null && _shared.TryGetValue(key, out ProbeLoop? same))
            {
                same.Add(check, delay);
                return same;
            }

            isNew = true;
            ProbeLoop loop = new(check, key, environment);
            _all.Add(loop);
            if (key is not null) _shared[key] = loop;
            _snapshot = null;
            return loop;
        }
    }

    /// <summary>Tells a check no more. The last one ends the loop.</summary>
    public void Leave(ServerCheck check, ProbeLoop loop)
    {
        lock (_lock)
        {
            if (!loop.Remove(check)) return;
            _all.Remove(loop);
            if (loop.Key is not null) _shared.Remove(loop.Key);
            _snapshot = null;
        }

        // Outside the lock: cancelling runs whatever the checker has registered.
        loop.Dispose();
    }
}
