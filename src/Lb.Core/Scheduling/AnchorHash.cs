namespace Lb;

/// <summary>
/// AnchorHash (<c>anchor</c>): a fixed number of buckets, of which as many work as there are weights; any bucket may go and only its keys move. The one that
/// went last gets them back when it returns. Lookup in constant time. Mendelson et al., IEEE/ACM ToN 2021. The key is <see cref="PickContext.Key"/>, else the client's
/// address.
/// </summary>
/// <remarks>
/// Where keys go after removals depends on the order of the removals: nodes agree only while they see the same changes in the same order. Buckets that
/// went come back in the opposite order, so a server that returns while one that went after it is still away takes over that one's bucket.
/// </remarks>
public sealed class AnchorHash : ISchedulingPolicy
{
    private readonly int _capacity;
    private readonly TurnCounter _turn = new();

    // Copy c of a server, one for each unit of weight, has the bucket at [c].
    private readonly Dictionary<Server, List<int>> _bucketsOf = [];
    private Anchor? _anchor;

    /// <summary>Makes the policy.</summary>
    /// <param name="capacity">Buckets in all, 16 to 4 194 304; default 65 536. More weight than this can't be represented and is cut off.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is out of range.</exception>
    public AnchorHash(int capacity = 65_536)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 16);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 4 * 1024 * 1024);
        _capacity = capacity;
    }

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        int[] wanted = snapshot.Weights.ToArray();
        int room = _capacity;
        for (int i = 0; i < wanted.Length; i++) room -= wanted[i] = Math.Min(wanted[i], room);

        Queue<Server> added = new();
        for (int i = 0; i < wanted.Length; i++)
        {
            Server server = snapshot.Servers[i];
            if (!_bucketsOf.TryGetValue(server, out List<int>? buckets)) _bucketsOf[server] = buckets = [];
            for (int copy = buckets.Count; copy < wanted[i]; copy++) added.Enqueue(server);
        }

        Anchor next = _anchor?.Clone() ?? new Anchor(_capacity, working: 0);
        if (_anchor is not null) RemoveUnwanted(snapshot, wanted, added, next);
        foreach (Server server in added) _bucketsOf[server].Add(next.Add());
        _anchor = next;

        ushort[] owners = new ushort[_capacity];
        for (int i = 0; i < wanted.Length; i++)
        {
            foreach (int bucket in _bucketsOf.GetValueOrDefault(snapshot.Servers[i], [])) owners[bucket] = (ushort)i;
        }

        return new HashedScheduler<Table>(snapshot, new Table(_anchor, owners), _turn);
    }

    // First out, then in: a bucket that is given back last is taken again first, so a server that flaps returns to its own.
    private void RemoveUnwanted(PoolSnapshot snapshot, int[] wanted, Queue<Server> added, Anchor anchor)
    {
        Dictionary<Server, int> keep = new(wanted.Length);
        for (int i = 0; i < wanted.Length; i++) keep[snapshot.Servers[i]] = wanted[i];
        List<int> gone = [];
        foreach ((Server server, List<int> buckets) in _bucketsOf)
        {
            int kept = keep.GetValueOrDefault(server);
            for (int copy = kept; copy < buckets.Count; copy++) gone.Add(buckets[copy]);
            if (kept < buckets.Count) buckets.RemoveRange(kept, buckets.Count - kept);
            if (kept == 0) _bucketsOf.Remove(server);
        }

        gone.Sort();
        for (int i = gone.Count - 1; i >= 0; i--)
        {
            // The last working bucket can't go before another one is there.
            if (anchor.Working == 1) _bucketsOf[added.Dequeue()].Add(gone[i]);
            else anchor.Remove(gone[i]);
        }
    }

    private readonly struct Table(Anchor anchor, ushort[] owners) : IHashTable
    {
        public int Find(ulong hash, int attempt) => owners[anchor.Find(attempt == 0 ? hash : PickHash.Mix(hash + (ulong)attempt))];
    }

    /// <summary>The paper's four arrays. A bucket b works when A[b] = 0, else A[b] is the number that worked after it left.</summary>
    internal sealed class Anchor
    {
        private readonly int[] _a, _k, _w, _l;
        private readonly int[] _removed;
        private int _removedCount;

        public Anchor(int capacity, int working)
        {
            _a = new int[capacity];
            _k = [.. Enumerable.Range(0, capacity)];
            _w = [.. Enumerable.Range(0, capacity)];
            _l = [.. Enumerable.Range(0, capacity)];
            _removed = new int[capacity];
            for (int b = capacity - 1; b >= working; b--)
            {
                _removed[_removedCount++] = b;
                _a[b] = b;
            }

            Working = working;
        }

        private Anchor(Anchor other)
        {
            _a = [.. other._a];
            _k = [.. other._k];
            _w = [.. other._w];
            _l = [.. other._l];
            _removed = [.. other._removed];
            _removedCount = other._removedCount;
            Working = other.Working;
        }

        public int Working { get; private set; }

        public Anchor Clone() => new(this);

        public int Find(ulong key)
        {
            int bucket = PickHash.Below(PickHash.Mix(key), _a.Length);
            while (_a[bucket] > 0)
            {
                int h = PickHash.Below(PickHash.Mix(key + ((ulong)(uint)bucket << 32) + 1), _a[bucket]);
                while (_a[h] >= _a[bucket]) h = _k[h];
                bucket = h;
            }

            return bucket;
        }

        public int Add()
        {
            int bucket = _removed[--_removedCount];
            _a[bucket] = 0;
            _l[_w[Working]] = Working;
            _w[_l[bucket]] = bucket;
            _k[bucket] = bucket;
            Working++;
            return bucket;
        }

        public void Remove(int bucket)
        {
            _removed[_removedCount++] = bucket;
            Working--;
            _a[bucket] = Working;
            _w[_l[bucket]] = _w[Working];
            _k[bucket] = _w[Working];
            _l[_w[Working]] = _l[bucket];
        }
    }
}
