namespace Lb;

/// <summary>
/// A client address always goes to the same server while the servers stay the same (<c>source</c>): HAProxy's key, the exclusive or of the address's
/// 32-bit words (the port is left out), modulo a table in which each server stands as often as its weight. Without an address: round robin over the table.
/// </summary>
/// <remarks>A server that comes or goes moves nearly all clients, as HAProxy's map-based hashing does.</remarks>
/// <param name="avalanche">Mixes the key before the modulo (HAProxy <c>hash-type map-based avalanche</c>). Default false.</param>
public sealed class SourceHash(bool avalanche = false) : ISchedulingPolicy
{
    private long _cursor;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new Scheduler(this, WeightedMap.Build(snapshot), snapshot.Servers.Length == 1);
    }

    private sealed class Scheduler(SourceHash policy, Server[] map, bool single) : IScheduler
    {
        private readonly bool _avalanche = policy._avalanche;

        public Server Pick(in PickContext context, long now)
        {
            if (single) return map[0];
            if (context.Source.IsEmpty) return map[(ulong)(Interlocked.Increment(ref policy._cursor) - 1) % (ulong)map.Length];
            uint hash = context.Source.FoldedWords;
            if (_avalanche) hash = FullAvalanche.Mix(hash);
            return map[hash % (uint)map.Length];
        }
    }

    private readonly bool _avalanche = avalanche;
}
