namespace Lb;

/// <summary>
/// LVS locality-based least connections (<c>lblc</c>), for caches: an address that clients connect to (<see cref="PickContext.Destination"/>) stays with its
/// server. A new one, one whose server can't be used any more, and one whose server has more leases than its weight while another has less than half go
/// to the server with the fewest leases for its weight (<see cref="LvsWeightedLeastConnections"/>), as does traffic without a destination.
/// </summary>
/// <remarks>
/// <para>A full server and a retry are got around for the one pick; the destination stays with its server.</para>
/// <para>At most 16 384 destinations are remembered; those beyond are balanced each time. Picks don't lock; only one for a destination that is not
/// remembered yet allocates, and at most once a minute such a one clears out the idle.</para>
/// </remarks>
public sealed class LvsLocalityLeastConnections : ISchedulingPolicy, IKeyedPolicy
{
    private readonly TimeSpan _expiration;
    private DestinationCache<Server>? _cache;

    /// <summary>Makes the policy.</summary>
    /// <param name="expiration">Idle time after which a destination is forgotten, above 0, at most 365 days; default 24 h (sysctl <c>lblc_expiration</c>).
    /// When the table is full, 6 minutes.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="expiration"/> is out of range.</exception>
    public LvsLocalityLeastConnections(TimeSpan? expiration = null)
    {
        _expiration = LvsLocality.CheckExpiration(expiration);
    }

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        _cache ??= new DestinationCache<Server>(snapshot.Servers[0].Pool.TimestampsPerSecond, _expiration);
        return new Scheduler(new LvsLocality(snapshot), _cache);
    }

    bool IKeyedPolicy.TryGetKey(in PickContext context, out ulong key) => LvsRules.TryGetDestination(in context, out key);

    private sealed class Scheduler(LvsLocality locality, DestinationCache<Server> cache) : IScheduler
    {
        public Server Pick(in PickContext context, long now)
        {
            Server server = Choose(in context, now, isUse: true, out bool isNew);
            if (!isNew) return server;
            PeerAddress address = LvsLocality.AddressOf(context.Destination);
            cache.Set(in address, server, now);
            return server;
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            Server server = Choose(in context, now, isUse: false, out bool isNew);
            return new SchedulerAnswer(server, null, isNew ? "the least loaded: the destination will stay with it" : "the destination's server, or the least loaded for once");
        }

        private Server Choose(in PickContext context, long now, bool isUse, out bool isNew)
        {
            isNew = false;
            if (context.Destination.IsEmpty) return locality.Least(in context) ?? locality.Servers[0];
            PeerAddress address = LvsLocality.AddressOf(context.Destination);
            Server? home = cache.Find(in address, now, isUse) is { } entry ? Volatile.Read(ref entry.Value) : null;
            if (home is not null && locality.WeightOf(home) == 0) home = null;
            if (home is not null && !LvsRules.CanTake(home, in context)) return locality.Least(in context) ?? home;
            if (home is not null && !locality.IsOverloaded(home)) return home;

            Server? least = locality.Least(in context);
            if (least is null) return home ?? locality.Servers[0];
            isNew = !context.HasExclusions;
            return least;
        }
    }
}
