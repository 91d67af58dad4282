namespace Lb;

/// <summary>One part of the table of <see cref="SourceLimiter"/>: a hash table in arrays that grow to a bound, and a list of the idle sources by age.</summary>
internal sealed class SourceStripe(int capacity, int maxConnections, int rate, long period)
{
    private const int None = -1;
    private readonly Lock _lock = new();
    private Entry[] _entries = [];
    private int[] _buckets = [];
    private int _count;
    private int _oldest = None;
    private int _newest = None;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Null when there is no place for a source that is new.</summary>
    public SourceVerdict? Enter(in SourceNetwork source, long now, out long wait)
    {
        wait = 0;
        lock (_lock)
        {
            int at = Find(in source);
            if (at == None && (at = Place(in source)) == None) return null;
            ref Entry entry = ref _entries[at];
            if (maxConnections > 0 && entry.Connections >= maxConnections) return SourceVerdict.TooMany;
            if (rate > 0)
            {
                wait = entry.Window.Wait(now, period, rate);
                if (wait > 0) return SourceVerdict.TooFast;
                entry.Window.Count(now, period);
            }

            if (entry.Connections++ == 0) Unlink(at);
            return SourceVerdict.Accepted;
        }
    }

    public void Leave(in SourceNetwork source)
    {
        lock (_lock)
        {
            // One that was let in while there was no place for it is not here, or has come again since.
            int at = Find(in source);
            if (at == None || _entries[at].Connections == 0) return;
            if (--_entries[at].Connections == 0) Link(at);
        }
    }

    public int Connections(in SourceNetwork source)
    {
        lock (_lock) return Find(in source) is >= 0 and int at ? _entries[at].Connections : 0;
    }

    private int Find(in SourceNetwork source)
    {
        if (_buckets.Length == 0) return None;
        int at = _buckets[Bucket(in source)] - 1;
        while (at != None && !_entries[at].Source.Equals(source)) at = _entries[at].Next;
        return at;
    }

    private int Bucket(in SourceNetwork source) => source.GetHashCode() & (_buckets.Length - 1);

    // A new source is idle until it is let in.
    private int Place(in SourceNetwork source)
    {
        int at;
        if (_count < capacity)
        {
            if (_count == _entries.Length) Grow();
            at = _count++;
        }
        else
        {
            at = _oldest;
            if (at == None) return None;
            Unlink(at);
            Forget(at);
        }

        ref int bucket = ref _buckets[Bucket(in source)];
        _entries[at] = new Entry { Source = source, Next = bucket - 1 };
        bucket = at + 1;
        Link(at);
        return at;
    }

    private void Forget(int gone)
    {
        ref int bucket = ref _buckets[Bucket(in _entries[gone].Source)];
        if (bucket - 1 == gone)
        {
            bucket = _entries[gone].Next + 1;
            return;
        }

        int at = bucket - 1;
        while (_entries[at].Next != gone) at = _entries[at].Next;
        _entries[at].Next = _entries[gone].Next;
    }

    private void Grow()
    {
        int size = Math.Min(capacity, Math.Max(16, _entries.Length * 2));
        Array.Resize(ref _entries, size);
        _buckets = new int[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)size)];
        for (int at = 0; at < _count; at++)
        {
            ref int bucket = ref _buckets[Bucket(in _entries[at].Source)];
            _entries[at].Next = bucket - 1;
            bucket = at + 1;
        }
    }

    private void Link(int at)
    {
        (_entries[at].Older, _entries[at].Newer) = (_newest, None);
        if (_newest == None) _oldest = at;
        else _entries[_newest].Newer = at;
        _newest = at;
    }

    private void Unlink(int at)
    {
        (int older, int newer) = (_entries[at].Older, _entries[at].Newer);
        if (older == None) _oldest = newer;
        else _entries[older].Newer = newer;
        if (newer == None) _newest = older;
        else _entries[newer].Older = older;
    }

    private struct Entry
    {
        public SourceNetwork Source;
        public RateWindow Window;
        public int Connections;
        public int Next;
        public int Older;
        public int Newer;
    }
}
