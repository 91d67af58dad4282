using System.Collections.Concurrent;

namespace Lb;

/// <summary>
/// Which server each client address has: what LVS's connection templates remember (<c>ip_vs_sched_persist</c>). Any thread. Finding and refreshing
/// neither lock nor allocate; a new client costs a lock and one entry, some 150 bytes.
/// </summary>
/// <remarks>
/// The time runs from the client's last new connection. When it is over while a connection is open, the entry stays and is looked at again each 60 s, as
/// in LVS. There it keeps those 60 s as its time from then on; here the next connection gives it the whole time again.
/// lblc's <see cref="DestinationCache{T}"/> is no base for this: its size is fixed, it turns newcomers away when full, and it looks every half hour.
/// </remarks>
/// <param name="options">Timeout, masks and size.</param>
/// <param name="timestampsPerSecond">Of the pool's clock.</param>
internal sealed class SourceAffinity(PersistenceOptions options, long timestampsPerSecond)
{
    // So many entries are looked at before one of them is forgotten to make room, and so many are swept before others get a turn at the lock.
    private const int Looks = 16;
    private const int Batch = 256;

    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<SourceNetwork, SourceEntry> _entries = new();
    private readonly SourceDeadlines _deadlines = new(Timestamps(options.Timeout, timestampsPerSecond));
    private readonly long _timeout = Timestamps(options.Timeout, timestampsPerSecond);
    private readonly int _mask = options.Mask;
    private readonly int _mask6 = options.Mask6;
    private readonly int _maxEntries = options.MaxEntries;
    private long _evicted;

    /// <summary>Clients remembered, expired ones that have not been swept yet among them.</summary>
    public int Count => _deadlines.Count;

    /// <summary>Clients forgotten before their time, because there were too many.</summary>
    public long Evicted => Volatile.Read(ref _evicted);

    /// <summary>When <see cref="Sweep"/> should be called next; null when nothing is remembered.</summary>
    public long? NextSweep
    {
        get
        {
            lock (_lock) return _deadlines.NextDue;
        }
    }

    /// <summary>The server of a client; null when it has none, or none that is still in its pool. Refreshes nothing.</summary>
    /// <param name="source">The client; without an address it has no server.</param>
    /// <param name="now">A timestamp of the pool's clock.</param>
    public Server? Find(in PeerAddress source, long now) =>
        !source.IsEmpty && _entries.TryGetValue(Key(in source), out SourceEntry? entry) && entry.IsAlive(now) ? entry.Server : null;

    /// <summary>Gives a client this server, whatever it had before, and its whole time.</summary>
    /// <param name="source">The client; nothing happens without an address.</param>
    /// <param name="server">Its server.</param>
    /// <param name="now">A timestamp of the pool's clock.</param>
    public void Remember(in PeerAddress source, Server server, long now) => Enter(in source, server, now, isForced: true, instead: null);

    /// <summary>Gives a client a server unless it has one, and its whole time. Of several at the same moment one wins, and all learn which.</summary>
    /// <param name="source">The client; without an address it keeps the candidate and nothing is remembered.</param>
    /// <param name="candidate">The server picked for it.</param>
    /// <param name="now">A timestamp of the pool's clock.</param>
    /// <param name="instead">A server that can't be used and is replaced if the client has it; default: none.</param>
    /// <returns>The client's server.</returns>
    public Server Settle(in PeerAddress source, Server candidate, long now, Server? instead = null) =>
        Enter(in source, candidate, now, isForced: false, instead)?.Server ?? candidate;

    /// <summary>As <see cref="Settle"/>, and counts an open connection; whoever holds the entry ends it with <see cref="SourceEntry.Closed()"/>.</summary>
    /// <returns>The client's entry; null without an address.</returns>
    /// <inheritdoc cref="Settle"/>
    public SourceEntry? Open(in PeerAddress source, Server candidate, long now, Server? instead = null)
    {
        SourceEntry? entry = Enter(in source, candidate, now, isForced: false, instead);
        entry?.Opened();
        return entry;
    }

    /// <summary>Forgets all clients of a server that has left its pool. They don't find it any more from the moment it left.</summary>
    /// <param name="server">The server.</param>
    public void Forget(Server server)
    {
        foreach (KeyValuePair<SourceNetwork, SourceEntry> pair in _entries)
        {
            if (!ReferenceEquals(pair.Value.Server, server)) continue;
            lock (_lock) Drop(pair.Value);
        }
    }

    /// <summary>Removes what has expired, at the latest 1/32 of the timeout after its end if called at <see cref="NextSweep"/>.</summary>
    /// <param name="now">A timestamp of the pool's clock.</param>
    /// <returns>The number of clients forgotten.</returns>
    public int Sweep(long now)
    {
        int removed = 0;
        while (true)
        {
            lock (_lock)
            {
                for (int n = 0; n < Batch; n++)
                {
                    if (_deadlines.Due(now) is not { } entry) return removed;
                    if (entry.TryExpire(now))
                    {
                        Drop(entry);
                        removed++;
                    }
                    else
                    {
                        _deadlines.Move(entry, Math.Max(entry.Deadline, now + 1));
                    }
                }
            }
        }
    }

    private static long Timestamps(TimeSpan time, long perSecond) => (long)Math.Clamp(time.TotalSeconds * perSecond, 1, long.MaxValue / 4);

    private SourceNetwork Key(in PeerAddress source) => SourceNetwork.Of(in source, _mask, _mask6);

    private SourceEntry? Enter(in PeerAddress source, Server server, long now, bool isForced, Server? instead)
    {
        if (source.IsEmpty) return null;
        SourceNetwork key = Key(in source);
        long deadline = now + _timeout;
        if (_entries.TryGetValue(key, out SourceEntry? entry) && IsKept(entry) && entry.TryRefresh(now, deadline)) return entry;
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out entry))
            {
                if (IsKept(entry) && entry.TryRefresh(now, deadline)) return entry;
                Drop(entry);
            }

            if (_deadlines.Count >= _maxEntries) Evict(now);
            entry = new SourceEntry(key, server, deadline);
            _entries[key] = entry;
            _deadlines.Add(entry, now);
            return entry;
        }

        bool IsKept(SourceEntry known) =>
            known.IsAlive(now) && (isForced ? ReferenceEquals(known.Server, server) : !ReferenceEquals(known.Server, instead));
    }

    // Under the lock.
    private void Drop(SourceEntry entry)
    {
        entry.Kill();
        if (_entries.TryRemove(KeyValuePair.Create(entry.Key, entry))) _deadlines.Remove(entry);
    }

    // Under the lock. The one that has been silent longest, nearly: an entry is filed by the end of its time as it was when it was filed, and moves on when it
    // is come upon here. When a crowd of them has moved on since, the most silent one of those looked at goes.
    private void Evict(long now)
    {
        SourceEntry? silent = null;
        for (int n = 0; n < Looks && _deadlines.First() is { } entry; n++)
        {
            if (silent is null || (entry.IsOpen, entry.Deadline).CompareTo((silent.IsOpen, silent.Deadline)) < 0) silent = entry;
            bool isOpen = entry.IsOpen;
            if (!_deadlines.Move(entry, isOpen ? Math.Max(entry.Deadline, now + _timeout) : entry.Deadline, always: isOpen)) break;
        }

        if (silent is null) return;
        if (silent.IsAlive(now)) Interlocked.Increment(ref _evicted);
        Drop(silent);
    }
}
