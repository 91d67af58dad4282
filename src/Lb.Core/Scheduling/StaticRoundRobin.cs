namespace Lb;

/// <summary>
/// Weighted round robin over HAProxy's static map (<c>static-rr</c>): {5,1,1} gives a a a b a a c. Weights are those of the configuration; one set at run
/// time has no effect, except that 0 takes the server out and any other puts it back with its configured weight.
/// </summary>
/// <remarks>
/// HAProxy refuses run-time weights other than 0 % and 100 % with this algorithm. The map is rebuilt when servers come or go and when a reload says another
/// weight; the position in it stays, as in <c>map_get_server_rr</c>, unless the new map is too short. A server configured with weight 0 that gets one at
/// run time takes that.
/// </remarks>
public sealed class StaticRoundRobin : ISchedulingPolicy
{
    private Scheduler? _current;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        int[] weights = snapshot.Weights.ToArray();
        for (int i = 0; i < weights.Length; i++)
        {
            if (snapshot.Servers[i].Configured is { Weight: > 0 } options) weights[i] = options.Weight;
        }

        Server[] map = WeightedMap.Build(new PoolSnapshot(snapshot.Servers, weights, snapshot.Version));
        int position = _current?.Position ?? 0;
        return _current = new Scheduler(map, position < map.Length ? position : 0);
    }

    private sealed class Scheduler(Server[] map, long start) : IScheduler
    {
        private long _cursor = start;

        // One after the last one taken, not yet gone round: in a longer map that is a place of its own.
        public int Position
        {
            get
            {
                ulong cursor = (ulong)Volatile.Read(ref _cursor);
                return cursor == 0 ? 0 : (int)((cursor - 1) % (ulong)map.Length) + 1;
            }
        }

        public Server Pick(in PickContext context, long now)
        {
            Server server = map[Next()];
            for (int n = 1; n < map.Length && !CanTake(server, in context); n++) server = map[Next()];
            return server;
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            ulong cursor = (ulong)Volatile.Read(ref _cursor);
            Server server = map[cursor % (ulong)map.Length];
            for (int n = 1; n < map.Length && !CanTake(server, in context); n++) server = map[(cursor + (ulong)n) % (ulong)map.Length];
            return new SchedulerAnswer(server, null, "its turn");
        }

        private ulong Next() => (ulong)(Interlocked.Increment(ref _cursor) - 1) % (ulong)map.Length;

        private static bool CanTake(Server server, in PickContext context) => server.HasRoom && !(context.HasExclusions && context.Excludes(server));
    }
}
