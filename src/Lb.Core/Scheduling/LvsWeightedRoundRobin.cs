using System.Globalization;

namespace Lb;

/// <summary>
/// LVS weighted round robin (<c>wrr</c>) in the kernel's exact order: {4,3,2} gives a a b a b c a b c. A level sinks from the largest weight in steps of the
/// weights' greatest common divisor; each round takes the servers whose weight reaches it, passing over full ones.
/// </summary>
/// <remarks>
/// It is burstier than <c>roundrobin</c>: the heaviest servers come in runs. Any change of the pool starts the round again at the first server, at the
/// level reached (<c>ip_vs_wrr_dest_changed</c>). One compare-and-swap a pick; O(n) for the walk, more when full servers are in the way.
/// </remarks>
public sealed class LvsWeightedRoundRobin : ISchedulingPolicy
{
    private Scheduler? _current;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return _current = new Scheduler(snapshot, _current?.Level ?? 0);
    }

    private sealed class Scheduler : IScheduler
    {
        private readonly Server[] _servers;
        private readonly int[] _weights;
        private readonly int _step;
        private readonly int _top;

        // Level in the high half, index of the next server to look at in the low half: they must change together.
        private long _state;

        public Scheduler(PoolSnapshot snapshot, int level)
        {
            _servers = snapshot.ServerArray;
            _weights = snapshot.Weights.ToArray();
            foreach (int weight in _weights)
            {
                _step = WeightedMap.Gcd(_step, weight);
                _top = Math.Max(_top, weight);
            }

            // The kernel's levels end at 1, not at the divisor, so that none is missed while weights change.
            _top -= _step - 1;
            if (level > _top || level == 0) level = _top;
            else if (_step > 1) level = (level / _step * _step) + 1;
            _state = Pack(level, 0);
        }

        public int Level => (int)(Volatile.Read(ref _state) >> 32);

        public Server Pick(in PickContext context, long now)
        {
            long seen = Volatile.Read(ref _state);
            while (true)
            {
                int level = (int)(seen >> 32), index = (int)seen;
                Server server = Walk(ref level, ref index, in context);
                long before = Interlocked.CompareExchange(ref _state, Pack(level, index), seen);
                if (before == seen) return server;
                seen = before;
            }
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            long seen = Volatile.Read(ref _state);
            int level = (int)(seen >> 32), index = (int)seen;
            Server server = Walk(ref level, ref index, in context);
            return new SchedulerAnswer(server, null, string.Create(CultureInfo.InvariantCulture, $"its turn at level {level}"));
        }

        private Server Walk(ref int level, ref int index, in PickContext context)
        {
            bool someoneCan = false;
            int rounds = 0;
            while (true)
            {
                if (index == _servers.Length)
                {
                    index = 0;
                    level -= _step;
                    if (level <= 0)
                    {
                        level = _top;
                        rounds++;
                    }
                }

                int i = index++;
                if (_weights[i] < level) continue;
                Server server = _servers[i];
                if (LvsRules.CanTake(server, in context)) return server;

                // The kernel finds out that all are overloaded by trying every level; here one look tells. It may be out of date two rounds later.
                if (!someoneCan) someoneCan = LvsRules.AnyCanTake(_servers, in context);
                if (!someoneCan || rounds > 1) return server;
            }
        }

        private static long Pack(int level, int index) => (long)level << 32 | (uint)index;
    }
}
