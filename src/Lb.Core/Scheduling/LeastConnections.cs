namespace Lb;

/// <summary>
/// The server with the least load for its weight (<c>leastconn</c>). Load = open leases plus callers queued for it; the key is HAProxy's, (load + 1) ÷
/// weight, and 0 for an idle server whatever its weight. Equal keys take turns, so that no server is always first.
/// </summary>
/// <remarks>
/// <para>Up to 16 servers are looked at one by one. With more, servers write their keys side by side (10 ns more for each lease), and several are compared
/// at a time: 1000 take some 100 ns. A retry, which has servers to avoid, looks at them one by one.</para>
/// <para>Slow start acts on it: the weight is the live one.</para>
/// </remarks>
public sealed class LeastConnections : ISchedulingPolicy
{
    private const int MostWithoutMirror = 16;

    private Scheduler? _current;

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.FollowsLiveWeights;

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
        private readonly bool _equal;
        private readonly LoadMirror? _mirror;

        // Index of the server picked last: ties go to the next one after it. Racing writers only change who goes first among equals.
        private int _last;

        public Scheduler(PoolSnapshot snapshot, Server? last)
        {
            _servers = snapshot.ServerArray;
            _weights = snapshot.LiveWeights.ToArray();
            _equal = snapshot.HasEqualLiveWeights;
            _last = last is null ? _servers.Length - 1 : LastAtOrBefore(last.Id);
            if (_servers.Length > MostWithoutMirror) _mirror = LoadMirror.Attach(snapshot.Servers, snapshot.LiveWeights);
        }

        public Server Last => _servers[Volatile.Read(ref _last)];

        public Server Pick(in PickContext context, long now)
        {
            int best = Find(in context);
            Volatile.Write(ref _last, best);
            return _servers[best];
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            Server choice = _servers[Find(in context)];
            return new SchedulerAnswer(choice, null, choice.Load == 0 ? "idle, and its turn" : "the least load for its weight");
        }

        private int Find(in PickContext context)
        {
            int start = Volatile.Read(ref _last) + 1;
            if (start >= _servers.Length) start = 0;
            int best;
            if (context.HasExclusions) best = Scan(start, in context);
            else if (_mirror is { IsCurrent: true }) best = LeastKey.Find(_mirror.Keys, start);
            else best = _equal ? ScanEqual(_servers, start) : Scan(start, in context);
            return best < 0 ? start : best;
        }

        // Load in the high half, distance from the start in the low half. Which server has less can't be guessed, so no branch depends on it.
        private static int ScanEqual(Server[] servers, int start)
        {
            long best = long.MaxValue;
            long distance = -start;
            for (int i = 0; i < servers.Length; i++, distance++)
            {
                Server server = servers[i];
                if (!server.HasRoom) continue;
                long order = distance + (servers.Length & (distance >> 63));
                long difference = ((long)server.Load << 32 | order) - best;
                best += difference & (difference >> 63);
            }

            if (best == long.MaxValue) return -1;
            int found = (int)best + start;
            return found < servers.Length ? found : found - servers.Length;
        }

        private int Scan(int start, in PickContext context)
        {
            Server[] servers = _servers;
            int[] weights = _weights;
            bool exclusions = context.HasExclusions;
            int best = -1;
            long bestLoad = 0, bestWeight = 1;
            for (int n = 0, i = start; n < servers.Length; n++, i++)
            {
                if (i >= servers.Length) i = 0;
                Server server = servers[i];
                if (!server.HasRoom || (exclusions && context.Excludes(server))) continue;
                long load = server.Load;
                if (load != 0) load++;

                // load/weight < bestLoad/bestWeight without a division; 64 bits hold 33 million × 33 million and far more.
                if (best >= 0 && load * bestWeight >= bestLoad * weights[i]) continue;
                best = i;
                bestLoad = load;
                bestWeight = weights[i];
            }

            return best;
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
