namespace Lb;

/// <summary>Maps a 64-bit hash to a server; a try above 0 asks for the next one of the same key's own order. Immutable; must not allocate.</summary>
internal interface IHashTable
{
    int Find(ulong hash, int attempt);
}

/// <summary>
/// What the modern hash policies share: the key, servers to avoid, and callers without a key. A second attempt goes to the next server in the key's own
/// order, so that all its retries meet at the same one.
/// </summary>
internal sealed class HashedScheduler<TTable>(PoolSnapshot snapshot, TTable table, TurnCounter turn) : IScheduler
    where TTable : IHashTable
{
    private const int Attempts = 8;

    private readonly Server[] _servers = snapshot.ServerArray;

    public Server Pick(in PickContext context, long now)
    {
        // Without a key every pick is a key of its own.
        if (!PickHash.TryGet(in context, out ulong hash)) hash = turn.Next();
        return Find(hash, in context);
    }

    public SchedulerAnswer Explain(in PickContext context, long now) =>
        PickHash.TryGet(in context, out ulong hash)
            ? new SchedulerAnswer(Find(hash, in context), hash, "the key's place")
            : new SchedulerAnswer(Find(turn.Coming, in context), null, TurnCounter.NoKey);

    private Server Find(ulong hash, in PickContext context)
    {
        Server server = _servers[table.Find(hash, 0)];
        if (!context.HasExclusions) return server;
        for (int attempt = 1; attempt < Attempts && context.Excludes(server); attempt++) server = _servers[table.Find(hash, attempt)];
        return server;
    }
}

/// <summary>Counts picks without a key; lives on the policy, so that a change of the pool does not repeat them.</summary>
internal sealed class TurnCounter
{
    public const string NoKey = "no key: a counter is hashed in its place";

    public long Value;

    /// <summary>Takes a turn: a hash of its own.</summary>
    public ulong Next() => PickHash.Mix((ulong)Interlocked.Increment(ref Value));

    /// <summary>What <see cref="Next"/> would give.</summary>
    public ulong Coming => PickHash.Mix((ulong)Volatile.Read(ref Value) + 1);
}
