namespace Lb;

/// <summary>
/// LVS destination hashing (<c>dh</c>): an address that clients connect to always goes to the same server while the servers stay the same, for caches. 256
/// buckets are dealt to the servers one by one, whatever their weights; the bucket is <c>hash_32</c> of <see cref="PickContext.Destination"/>. Without a
/// destination: the buckets take turns.
/// </summary>
/// <remarks>Where the kernel refuses because the server is full, the pool takes the next one with room in its order.</remarks>
public sealed class LvsDestinationHash : ISchedulingPolicy, IKeyedPolicy
{
    private const int Bits = 8;

    private long _turn;

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        Server[] buckets = new Server[1 << Bits];
        for (int i = 0; i < buckets.Length; i++) buckets[i] = snapshot.Servers[i % snapshot.Servers.Length];
        return new Scheduler(this, buckets);
    }

    bool IKeyedPolicy.TryGetKey(in PickContext context, out ulong key) => LvsRules.TryGetDestination(in context, out key);

    private sealed class Scheduler(LvsDestinationHash policy, Server[] buckets) : IScheduler
    {
        public Server Pick(in PickContext context, long now)
        {
            uint hash = context.Destination.IsEmpty
                ? (uint)Interlocked.Increment(ref policy._turn) - 1
                : LvsRules.Hash32(context.Destination.FoldedWords, Bits);
            return buckets[hash % (uint)buckets.Length];
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            if (context.Destination.IsEmpty)
                return new SchedulerAnswer(buckets[(uint)Volatile.Read(ref policy._turn) % (uint)buckets.Length], null, "no destination: the buckets take turns");
            uint hash = LvsRules.Hash32(context.Destination.FoldedWords, Bits);
            return new SchedulerAnswer(buckets[hash % (uint)buckets.Length], hash, "the destination's bucket");
        }
    }
}
