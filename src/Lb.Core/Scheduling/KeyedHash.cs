using System.Text;

namespace Lb;

/// <summary>How hash policies map a hash to a server (HAProxy <c>hash-type</c>, <c>hash-key</c>, <c>hash-balance-factor</c>).</summary>
/// <param name="Consistent">A ring: a server that comes or goes moves only its own keys. False: a table, modulo its size.</param>
/// <param name="Function">What makes 32 bits of the key.</param>
/// <param name="Avalanche">Mixes them once more.</param>
/// <param name="Key">What servers are known by on the ring.</param>
/// <param name="BalanceFactor">Percent of the average load that a server may have before its keys go on to the next on the ring; above 100, or 0 = no limit.</param>
public sealed record HashOptions(
    bool Consistent = false, HashFunction Function = HashFunction.Sdbm, bool Avalanche = false, HashKey Key = HashKey.Id, int BalanceFactor = 0);

/// <summary>HAProxy's policies that hash a part of the request. Requests without that part take turns.</summary>
public static class KeyedHash
{
    /// <summary>The caller's own key: <see cref="PickContext.Key"/> (<c>hash</c>).</summary>
    /// <param name="options">How to hash; default: HAProxy's.</param>
    public static ISchedulingPolicy ByKey(HashOptions? options = null) => new KeyedHash<CallerKey>(default, options ?? new HashOptions());

    /// <summary>The request's target (<c>uri</c>).</summary>
    /// <param name="length">Bytes that count; 0 = all.</param>
    /// <param name="depth">Directories that count; 0 = all.</param>
    /// <param name="whole">The query counts as well.</param>
    /// <param name="pathOnly">Scheme and authority of an absolute target don't count.</param>
    /// <param name="options">How to hash; default: HAProxy's.</param>
    public static ISchedulingPolicy ByUri(int length = 0, int depth = 0, bool whole = false, bool pathOnly = false, HashOptions? options = null) =>
        new KeyedHash<UriKey>(new UriKey(length, depth, whole, pathOnly), options ?? new HashOptions());

    /// <summary>A parameter of the query (<c>url_param</c>).</summary>
    /// <param name="name">Its name; case counts.</param>
    /// <param name="checkPost">Looks into a form in the body when the query has it not.</param>
    /// <param name="options">How to hash; default: HAProxy's.</param>
    public static ISchedulingPolicy ByParameter(string name, bool checkPost = false, HashOptions? options = null) =>
        new KeyedHash<ParameterKey>(new ParameterKey(Encoding.UTF8.GetBytes(name), checkPost), options ?? new HashOptions());

    /// <summary>A header (<c>hdr</c>).</summary>
    /// <param name="name">Its name.</param>
    /// <param name="useDomainOnly">Only the label before the last dot counts: <c>www.example.org</c> and <c>example.org</c> are the same.</param>
    /// <param name="options">How to hash; default: HAProxy's.</param>
    public static ISchedulingPolicy ByHeader(string name, bool useDomainOnly = false, HashOptions? options = null) =>
        new KeyedHash<HeaderKey>(new HeaderKey(Encoding.ASCII.GetBytes(name), useDomainOnly), options ?? new HashOptions());

    /// <summary>The cookie of a Remote Desktop client (<c>rdp-cookie</c>).</summary>
    /// <param name="name">Its name; default <c>mstshash</c>.</param>
    /// <param name="options">How to hash; default: HAProxy's.</param>
    public static ISchedulingPolicy ByRdpCookie(string name = "mstshash", HashOptions? options = null) =>
        new KeyedHash<RdpCookieKey>(new RdpCookieKey(Encoding.ASCII.GetBytes(name)), options ?? new HashOptions());
}

/// <summary>One part of the request, hashed to a table or a ring.</summary>
internal sealed class KeyedHash<TKey>(TKey key, HashOptions options) : ISchedulingPolicy, IKeyedPolicy
    where TKey : struct, IRequestKey
{
    private long _turn;

    // HAProxy's ring follows the effective weight; its map does not.
    public PolicyTraits Traits =>
        PolicyTraits.UsesKey | PolicyTraits.PreservesAffinity | (options.Consistent ? PolicyTraits.FollowsLiveWeights : PolicyTraits.None)
        | (typeof(TKey) == typeof(RdpCookieKey) ? PolicyTraits.UsesFirstBytes : PolicyTraits.None);

    public bool TryGetKey(in PickContext context, out ulong hash)
    {
        bool found = key.TryHash(in context, options.Function, out uint word);
        hash = word;
        return found;
    }

    public IScheduler Build(PoolSnapshot snapshot) =>
        options.Consistent
            ? new OnRing(this, snapshot, ConsistentRing.BuildHaproxy(snapshot, options.Key))
            : new OnMap(this, snapshot, WeightedMap.Build(snapshot));

    private bool TryHash(in PickContext context, out uint hash)
    {
        if (!key.TryHash(in context, options.Function, out hash)) return false;
        if (options.Avalanche) hash = FullAvalanche.Mix(hash);
        return true;
    }

    private sealed class OnMap(KeyedHash<TKey> policy, PoolSnapshot snapshot, Server[] map) : IScheduler
    {
        private readonly bool _single = snapshot.Servers.Length == 1;

        public Server Pick(in PickContext context, long now)
        {
            if (_single) return map[0];
            return Find(policy.TryHash(in context, out uint hash) ? hash : policy.NextTurn(), in context);
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            if (_single) return new SchedulerAnswer(map[0], null, "the only one");
            return policy.TryHash(in context, out uint hash)
                ? new SchedulerAnswer(Find(hash, in context), hash, "the key's slot in the table")
                : new SchedulerAnswer(Find(policy.ComingTurn, in context), null, NoKey);
        }

        private Server Find(ulong start, in PickContext context)
        {
            int position = (int)(start % (ulong)map.Length);
            if (!context.HasExclusions) return map[position];
            for (int n = 0; n < map.Length; n++)
            {
                Server server = map[(position + n) % map.Length];
                if (!context.Excludes(server)) return server;
            }

            return map[position];
        }
    }

    private sealed class OnRing(KeyedHash<TKey> policy, PoolSnapshot snapshot, ConsistentRing ring) : IScheduler
    {
        private readonly Server[] _servers = snapshot.ServerArray;
        private readonly BoundedLoad? _bound = policy.Factor > 0 ? new BoundedLoad(snapshot, policy.Factor, live: true) : null;

        public Server Pick(in PickContext context, long now)
        {
            if (_servers.Length == 1) return _servers[0];
            return Find(policy.TryHash(in context, out uint hash) ? ring.FindClosest(hash) : (int)(policy.NextTurn() % (ulong)ring.Length), in context);
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            if (_servers.Length == 1) return new SchedulerAnswer(_servers[0], null, "the only one");
            return policy.TryHash(in context, out uint hash)
                ? new SchedulerAnswer(Find(ring.FindClosest(hash), in context), hash, "the key's point on the ring")
                : new SchedulerAnswer(Find((int)(policy.ComingTurn % (ulong)ring.Length), in context), null, NoKey);
        }

        private Server Find(int start, in PickContext context)
        {
            if (!context.HasExclusions && _bound is null) return _servers[ring.OwnerAt(start)];

            int total = _bound?.Total() ?? 0;
            int position = start;
            for (int n = 0; n < ring.Length; n++, position = ring.Next(position))
            {
                int owner = ring.OwnerAt(position);
                if (context.HasExclusions && context.Excludes(_servers[owner])) continue;
                if (_bound is null || _bound.HasRoom(owner, total)) return _servers[owner];
            }

            return _servers[ring.OwnerAt(start)];
        }
    }

    private const string NoKey = "no key in the request: it takes the next turn";

    private int Factor => options.BalanceFactor;

    private ulong NextTurn() => (ulong)Interlocked.Increment(ref _turn) - 1;

    private ulong ComingTurn => (ulong)Volatile.Read(ref _turn);
}
