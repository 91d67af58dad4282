namespace Lb;

/// <summary>
/// LVS locality-based least connections with replication (<c>lblcr</c>), for caches: an address that clients connect to
/// (<see cref="PickContext.Destination"/>) has a set of servers, and the one of them with the fewest leases for its weight takes it. When none of them can be
/// used, or that one has more leases than its weight while another server has less than half, the least loaded server of all joins the set. A set that has
/// not changed for the expiration time loses its most loaded server. Traffic without a destination goes to the least loaded server.
/// </summary>
/// <remarks>
/// At most 16 384 destinations are remembered; those beyond are balanced each time. Picks don't lock; only those that change a set allocate, and at
/// most once a minute one for a new destination clears out the idle.
/// </remarks>
public sealed class LvsLocalityWithReplication : ISchedulingPolicy, IKeyedPolicy
{
    private readonly TimeSpan _expiration;
    private DestinationCache<Replicas>? _cache;

    /// <summary>Makes the policy.</summary>
    /// <param name="expiration">Idle time after which a destination is forgotten, and time without a change after which a set shrinks; above 0, at most 365
    /// days; default 24 h (sysctl <c>lblcr_expiration</c>). When the table is full, destinations idle for 6 minutes are forgotten.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="expiration"/> is out of range.</exception>
    public LvsLocalityWithReplication(TimeSpan? expiration = null)
    {
        _expiration = LvsLocality.CheckExpiration(expiration);
    }

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        _cache ??= new DestinationCache<Replicas>(snapshot.Servers[0].Pool.TimestampsPerSecond, _expiration);
        return new Scheduler(new LvsLocality(snapshot), _cache);
    }

    /// <summary>The servers of a destination, the one that joined last in front, and when that was. Immutable: changed by replacing it.</summary>
    private sealed record Replicas(Server[] Servers, long Modified);

    bool IKeyedPolicy.TryGetKey(in PickContext context, out ulong key) => LvsRules.TryGetDestination(in context, out key);

    private sealed class Scheduler(LvsLocality locality, DestinationCache<Replicas> cache) : IScheduler
    {
        public Server Pick(in PickContext context, long now)
        {
            if (context.Destination.IsEmpty) return locality.Least(in context) ?? locality.Servers[0];
            PeerAddress address = LvsLocality.AddressOf(context.Destination);
            DestinationCache<Replicas>.Entry? entry = cache.Find(in address, now);
            Server? server = null;
            if (entry is not null)
            {
                Replicas set = Volatile.Read(ref entry.Value);
                server = LeastOf(set.Servers, in context);
                if (set.Servers.Length > 1 && now - set.Modified > cache.Expiry) Shrink(entry, set, now);
                if (server is not null && !locality.IsOverloaded(server)) return server;
            }

            Server? least = locality.Least(in context);
            if (least is null) return server ?? locality.Servers[0];

            // A retry goes elsewhere for once; it says nothing about where the destination belongs.
            if (context.HasExclusions) return least;
            if (entry is null) cache.Set(in address, new Replicas([least], now), now);
            else Join(entry, least, now);
            return least;
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            if (context.Destination.IsEmpty) return new SchedulerAnswer(locality.Least(in context) ?? locality.Servers[0], null, "the least loaded of all");
            PeerAddress address = LvsLocality.AddressOf(context.Destination);
            Server? server = null;
            if (cache.Find(in address, now, isUse: false) is { } entry)
            {
                server = LeastOf(Volatile.Read(ref entry.Value).Servers, in context);
                if (server is not null && !locality.IsOverloaded(server)) return new SchedulerAnswer(server, null, "the least loaded of the destination's servers");
            }

            return new SchedulerAnswer(locality.Least(in context) ?? server ?? locality.Servers[0], null, "the least loaded of all");
        }

        private Server? LeastOf(Server[] set, in PickContext context)
        {
            Server? least = null;
            long leastLoad = 0, leastWeight = 1;
            foreach (Server server in set)
            {
                int weight = locality.WeightOf(server);
                if (weight == 0 || !LvsRules.CanTake(server, in context)) continue;
                long load = server.InFlight;
                if (least is not null && leastLoad * weight <= load * leastWeight) continue;
                (least, leastLoad, leastWeight) = (server, load, weight);
            }

            return least;
        }

        private static void Join(DestinationCache<Replicas>.Entry entry, Server server, long now)
        {
            while (true)
            {
                Replicas set = Volatile.Read(ref entry.Value);
                if (Array.IndexOf(set.Servers, server) >= 0) return;
                Replicas next = new([server, .. set.Servers.Where(static s => s.InUse)], now);
                if (Interlocked.CompareExchange(ref entry.Value, next, set) == set) return;
            }
        }

        // One pick of those that see it is enough; the others go on.
        private void Shrink(DestinationCache<Replicas>.Entry entry, Replicas set, long now)
        {
            Server? most = null;
            long mostLoad = 0, mostWeight = 1;
            foreach (Server server in set.Servers)
            {
                int weight = locality.WeightOf(server);
                if (weight == 0) continue;
                long load = server.InFlight;
                if (most is not null && mostLoad * weight >= load * mostWeight) continue;
                (most, mostLoad, mostWeight) = (server, load, weight);
            }

            if (most is not null)
                Interlocked.CompareExchange(ref entry.Value, new Replicas([.. set.Servers.Where(s => !ReferenceEquals(s, most))], now), set);
        }
    }
}
