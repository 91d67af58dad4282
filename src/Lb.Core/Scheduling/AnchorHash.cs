namespace Lb;

/// <summary>
/// AnchorHash (<c>anchor</c>): a fixed number of buckets, of which as many work as there are weights; any bucket may go and only its keys move, and it gets
/// them back when it returns. Lookup in constant time. Mendelson et al., IEEE/ACM ToN 2021. The key is <see cref="PickContext.Key"/>, else the client's
/// address.
/// </summary>
/// <remarks>Where keys go after removals depends on the order of the removals: nodes agree only while they see the same changes in the same order.</remarks>
public sealed class AnchorHash : ISchedulingPolicy
{
    private readonly int _capacity;
    private readonly TurnCounter _turn = new();
    private readonly Dictionary<(Server Server, int Copy), int> _bucketOf = [];
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
        List<(Server Server, int Copy)> wanted = [];
        for (int i = 0; i < snapshot.Servers.Length; i++)
        {
            for (int copy = 0; copy < snapshot.Weights[i] && wanted.Count < _capacity; copy++) wanted.Add((snapshot.Servers[i], copy));
        }

        if (_anchor is null)
        {
            _anchor = new Anchor(_capacity, wanted.Count);
            for (int i = 0; i < wanted.Count; i++) _bucketOf[wanted[i]] = i;
        }
        else
        {
            // First out, then in: a bucket that is given back last is taken again first, so a server that flaps returns to its own.
            HashSet<(Server Server, int Copy)> keep = [.. wanted];
            List<(Server Server, int Copy)> added = wanted.FindAll(w => !_bucketOf.ContainsKey(w));
            Anchor next = _anchor.Clone();
            foreach ((Server, int) gone in _bucketOf.Keys.Where(k => !keep.Contains(k)).OrderByDescending(k => _bucketOf[k]).ToArray())
            {
                // The last working bucket can't go before another one is there.
                if (next.Working == 1)
                {
                    (Server, int) first = added[0];
                    added.RemoveAt(0);
                    _bucketOf[first] = _bucketOf[gone];
                    _bucketOf.Remove(gone);
                    continue;
                }

                next.Remove(_bucketOf[gone]);
                _bucketOf.Remove(gone);
            }

            foreach ((Server, int) bucket in added) _bucketOf[bucket] = next.Add();
            _anchor = next;
        }

        ushort[] owners = new ushort[_capacity];
        foreach (((Server server, _), int bucket) in _bucketOf) owners[bucket] = (ushort)snapshot.IndexOf(server);
        return new HashedScheduler<Table>(snapshot, new Table(_anchor, owners), _turn);
    }

    private readonly struct Table(Anchor anchor, ushort[] owners) : IHashTable
    {
        public int Find(ulong hash, int attempt) => owners[anchor.Find(attempt == 0 ? hash : PickHash.Mix(hash + (ulong)attempt))];
    }

    /// <summary>The paper's four arrays. A bucket b works when A[b] = 0, else A[b] is the number that worked after it left.</summary>
    internal sealed class Anchor
    {
        private readonly int[] _a, _k, _w, _l;
        private readonly Stack<int> _removed;

        public Anchor(int capacity, int working)
        {
            _a = new int[capacity];
            _k = [.. Enumerable.Range(0, capacity)];
            _w = [.. Enumerable.Range(0, capacity)];
            _l = [.. Enumerable.Range(0, capacity)];
            _removed = new Stack<int>();
            for (int b = capacity - 1; b >= working; b--)
            {
                _removed.Push(b);
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
            _removed = new Stack<int>(other._removed.Reverse());
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
            int bucket = _removed.Pop();
            _a[bucket] = 0;
            _l[_w[Working]] = Working;
            _w[_l[bucket]] = bucket;
            _k[bucket] = bucket;
            Working++;
            return bucket;
        }

        public void Remove(int bucket)
        {
            _removed.Push(bucket);
            Working--;
            _a[bucket] = Working;
            _w[_l[bucket]] = _w[Working];
            _k[bucket] = _w[Working];
            _l[_w[Working]] = _l[bucket];
        }
    }
}
