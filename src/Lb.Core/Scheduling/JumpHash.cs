namespace Lb;

/// <summary>
/// Jump consistent hashing (<c>jump</c>): no table, a few multiplications. A server stands for as many buckets as its weight. Adding a server at the end
/// moves only the keys it gets; when another one than the last goes, its keys are spread and those of the last ones move too: for pools that only grow.
/// Lamping, Veach 2014. The key is <see cref="PickContext.Key"/>, else the client's address.
/// </summary>
public sealed class JumpHash : ISchedulingPolicy
{
    private readonly TurnCounter _turn = new();

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.UsesKey;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);

        // In the order of joining, not of addresses: a new server must be the last bucket.
        List<ushort> buckets = [];
        for (int i = 0; i < snapshot.Servers.Length; i++) buckets.AddRange(Enumerable.Repeat((ushort)i, snapshot.Weights[i]));
        return new HashedScheduler<Buckets>(snapshot, new Buckets([.. buckets]), _turn);
    }

    /// <summary>The bucket of a key, 0 to <paramref name="count"/> - 1.</summary>
    internal static int Bucket(ulong key, int count)
    {
        long bucket = -1, next = 0;
        while (next < count)
        {
            bucket = next;
            key = (key * 2862933555777941757) + 1;
            next = (long)((bucket + 1) * ((double)(1L << 31) / ((key >> 33) + 1)));
        }

        return (int)bucket;
    }

    private readonly struct Buckets(ushort[] owners) : IHashTable
    {
        public int Find(ulong hash, int attempt) => owners[Bucket(attempt == 0 ? hash : PickHash.Mix(hash + (ulong)attempt), owners.Length)];
    }
}
