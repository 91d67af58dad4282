namespace Lb;

/// <summary>
/// LVS source hashing (<c>sh</c>): a client address always goes to the same server while the servers stay the same. 256 buckets are dealt to the servers in
/// turn, as many in a row as the weight says; the bucket is <c>hash_32</c> of the address. Without an address: the buckets take turns.
/// </summary>
/// <remarks>
/// <para>The hash is that of kernels since 4.18 (2018), which use the whole address; before, in effect, only its last byte counted. IPv6 addresses are folded
/// to 32 bits. With weights whose sum is beyond 256 the last servers get fewer buckets than they should, or none.</para>
/// <para>Where the kernel refuses (the server is full, without <c>sh-fallback</c>), the pool takes the next one with room in its order. Retries, which avoid
/// the server that failed, always go the fallback's way. Drained servers leave the table; in the kernel they keep a bucket each turn.</para>
/// </remarks>
/// <param name="port">Adds the client's port to the key: connections of one client spread (<c>sh-port</c>). Default false.</param>
/// <param name="fallback">Looks for another server among the following buckets when the server is full (<c>sh-fallback</c>). Default false.</param>
public sealed class LvsSourceHash(bool port = false, bool fallback = false) : ISchedulingPolicy, IKeyedPolicy
{
    private const int Bits = 8;
    private const int Size = 1 << Bits;

    private readonly bool _port = port;
    private readonly bool _fallback = fallback;
    private long _turn;

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new Scheduler(this, snapshot.ServerArray, Deal(snapshot));
    }

    private static Server[] Deal(PoolSnapshot snapshot)
    {
        Server[] buckets = new Server[Size];
        int server = 0, dealt = 0;
        for (int i = 0; i < Size; i++)
        {
            buckets[i] = snapshot.Servers[server];
            if (++dealt < snapshot.Weights[server]) continue;
            server = (server + 1) % snapshot.Servers.Length;
            dealt = 0;
        }

        return buckets;
    }

    bool IKeyedPolicy.TryGetKey(in PickContext context, out ulong key)
    {
        key = context.Source.FoldedWords + (_port ? context.Source.Port : 0u);
        return !context.Source.IsEmpty;
    }

    private sealed class Scheduler(LvsSourceHash policy, Server[] servers, Server[] buckets) : IScheduler
    {
        public Server Pick(in PickContext context, long now)
        {
            uint hash = context.Source.IsEmpty ? (uint)Interlocked.Increment(ref policy._turn) - 1 : Hash(in context);
            return Find(hash, in context);
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            if (context.Source.IsEmpty) return new SchedulerAnswer(Find((uint)Volatile.Read(ref policy._turn), in context), null, "no address: the buckets take turns");
            uint hash = Hash(in context);
            return new SchedulerAnswer(Find(hash, in context), hash, "the address's bucket");
        }

        private uint Hash(in PickContext context) => LvsRules.Hash32(context.Source.FoldedWords + (policy._port ? context.Source.Port : 0u), Bits);

        private Server Find(uint hash, in PickContext context)
        {
            Server server = buckets[hash % Size];
            if (!context.HasExclusions && !policy._fallback) return server;
            if (LvsRules.CanTake(server, in context) || !LvsRules.AnyCanTake(servers, in context)) return server;

            // The kernel adds the bucket's number to the hash, which is the same number: the search starts at twice the bucket and goes round.
            for (uint offset = 0; offset < Size; offset++)
            {
                Server other = buckets[(hash + hash + offset) % Size];
                if (LvsRules.CanTake(other, in context)) return other;
            }

            return server;
        }
    }
}
