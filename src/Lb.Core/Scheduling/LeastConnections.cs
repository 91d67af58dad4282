namespace Lb;

/// <summary>
/// The server with the least load for its weight (<c>leastconn</c>). Load = open leases plus callers queued for it; the key is HAProxy's, (load + 1) ÷
/// weight, and 0 for an idle server whatever its weight. Equal keys take turns, so that no server is always first.
/// </summary>
public sealed class LeastConnections : ISchedulingPolicy
{
    private Scheduler? _current;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return _current = new Scheduler(snapshot, _current?.Last);
    }

    private sealed class Scheduler : IScheduler
    {
        private readonly Server[] _servers;
        private readonly int[] _weights;

        // Index of the server picked last: ties go to the next one after it. Racing writers only change who goes first among equals.
        private int _last;

        public Scheduler(PoolSnapshot snapshot, Server? last)
        {
            _servers = snapshot.ServerArray;
            _weights = snapshot.Weights.ToArray();
            _last = last is null ? _servers.Length - 1 : LastAtOrBefore(last.Id);
        }

        public Server Last => _servers[Volatile.Read(ref _last)];

        public Server Pick(in PickContext context, long now)
        {
            Server[] servers = _servers;
            bool exclusions = context.HasExclusions;
            int start = Volatile.Read(ref _last) + 1;
            int best = -1;
            long bestLoad = 0, bestWeight = 1;
            for (int n = 0; n < servers.Length; n++)
            {
                int i = start + n;
                if (i >= servers.Length) i -= servers.Length;
                Server server = servers[i];
                if (!server.HasRoom || (exclusions && context.Excludes(server))) continue;
                long load = server.Load;
                if (load != 0) load++;

                // load/weight < bestLoad/bestWeight without a division; 64 bits hold 16 million × 256 and far more.
                if (best >= 0 && load * bestWeight >= bestLoad * _weights[i]) continue;
                best = i;
                bestLoad = load;
                bestWeight = _weights[i];
            }

            if (best < 0) best = start < servers.Length ? start : 0;
            Volatile.Write(ref _last, best);
            return servers[best];
        }

        private int LastAtOrBefore(int id)
        {
            int last = _servers.Length - 1;
            for (int i = 0; i < _servers.Length; i++)
            {
                if (_servers[i].Id <= id) last = i;
            }

            return last;
        }
    }
}
