using System.Globalization;

namespace Lb;

/// <summary>
/// Smooth weighted round robin (<c>roundrobin</c>): nginx's order, {5,1,1} gives a a b a c a a. With equal weights it is exactly cyclic in the order of
/// declaration. The turn survives changes of the pool.
/// </summary>
/// <remarks>
/// <para>One cycle of Σweight/gcd picks is worked out ahead, so a pick is one shared counter and one array read. Where the cycle
/// would be longer than 65 536 picks the weights are scaled down to about that sum and rounded, to one pick at least: each weight is then off by half a
/// pick of the cycle at most, which is one percent for one that gets 50 of them, and only those that should get less than half a pick are off by more.</para>
/// <para>nginx's order takes n × Σweight/gcd steps to work out. Where that is more than a million (320 servers with weights from 1 to 20), another order is used
/// that keeps the same promises: exact shares over a cycle, and no server ever a whole pick off its share.</para>
/// <para>Slow start acts on it: a server that warms up gets its part of the turns.</para>
/// </remarks>
public sealed class RoundRobin : ISchedulingPolicy
{
    private const int LongestCycle = 65_536;

    // Picks that each member is ahead (or behind) of its share, also while it may not be picked: flips and reloads must not shift the balance.
    private readonly Dictionary<Server, double> _ahead = [];
    private Cursor _cursor = new(0);
    private Cycle? _cycle;
    private Server? _last;

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.FollowsLiveWeights;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        Remember();
        Cycle next = new(snapshot, ReduceWeights(snapshot.LiveWeights));
        int position = snapshot.HasEqualLiveWeights ? next.PositionAfter(_last) : next.ClosestPosition(_ahead);
        if (snapshot.HasEqualLiveWeights)
        {
            // Strictly cyclic, whatever happened before: there is nothing to make up for.
            _ahead.Clear();
            next.AddPicks(_ahead, 0, position);
        }

        // A new cursor for each build: picks that still run on the old scheduler must not move the new one.
        _cursor = new Cursor(position);
        _cycle = next;
        return new Scheduler(next, _cursor);
    }

    // Takes the picks since the last build into account.
    private void Remember()
    {
        if (_cycle is null) return;
        long position = Volatile.Read(ref _cursor.Value);
        if (position != _cursor.Start) _last = _cycle.At(position - 1);
        _cycle.AddPicks(_ahead, _cursor.Start, position);

        foreach (Server server in _ahead.Keys.Where(static s => !s.InUse).ToArray()) _ahead.Remove(server);
        double mean = _ahead.Count == 0 ? 0 : _ahead.Values.Average();
        foreach (Server server in _ahead.Keys) _ahead[server] = Math.Clamp(_ahead[server] - mean, -1, 1);
    }

    private static int[] ReduceWeights(ReadOnlySpan<int> weights)
    {
        int[] reduced = weights.ToArray();
        int gcd = 0;
        long sum = 0;
        foreach (int weight in reduced)
        {
            gcd = WeightedMap.Gcd(gcd, weight);
            sum += weight;
        }

        sum /= gcd;
        for (int i = 0; i < reduced.Length; i++)
        {
            reduced[i] /= gcd;
            if (sum > LongestCycle) reduced[i] = Math.Max(1, (int)((((long)reduced[i] * LongestCycle) + (sum / 2)) / sum));
        }

        return reduced;
    }

    private sealed class Cursor(long start)
    {
        public long Value = start;

        public long Start { get; } = start;
    }

    private sealed class Scheduler(Cycle cycle, Cursor cursor) : IScheduler
    {
        private readonly Server[] _order = cycle.Order;

        public Server Pick(in PickContext context, long now)
        {
            Server[] order = _order;
            ulong turn = (ulong)Interlocked.Increment(ref cursor.Value) - 1;
            return order[turn % (ulong)order.Length];
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            ulong turn = (ulong)Volatile.Read(ref cursor.Value) % (ulong)_order.Length;
            return new SchedulerAnswer(_order[turn], null, string.Create(CultureInfo.InvariantCulture, $"turn {turn + 1} of {_order.Length}"));
        }
    }

    /// <summary>One full turn, and how far ahead of its share each server is at any point of it.</summary>
    private sealed class Cycle
    {
        private readonly PoolSnapshot _snapshot;
        private readonly int[] _weights;
        private readonly int[] _picks;

        public Cycle(PoolSnapshot snapshot, int[] weights)
        {
            _snapshot = snapshot;
            _weights = weights;
            _picks = snapshot.HasEqualLiveWeights ? [.. Enumerable.Range(0, weights.Length)] : SmoothOrder.Make(weights);
            Order = new Server[_picks.Length];
            for (int i = 0; i < _picks.Length; i++) Order[i] = snapshot.Servers[_picks[i]];
        }

        public Server[] Order { get; }

        public Server At(long turn) => Order[(ulong)turn % (ulong)Order.Length];

        /// <summary>Adds to each server's lead what it was picked between two positions, less its share.</summary>
        public void AddPicks(Dictionary<Server, double> ahead, long from, long to)
        {
            int[] start = CountsAt(from, out int first), end = CountsAt(to, out int last);
            for (int i = 0; i < _weights.Length; i++)
            {
                double gained = end[i] - start[i] - ((double)(last - first) * _weights[i] / _picks.Length);
                Server server = _snapshot.Servers[i];
                ahead[server] = ahead.GetValueOrDefault(server) + gained;
            }
        }

        // Whole turns change no balance, so counting starts at the beginning of the turn.
        private int[] CountsAt(long turn, out int position)
        {
            position = (int)((ulong)turn % (ulong)_picks.Length);
            int[] counts = new int[_weights.Length];
            for (int i = 0; i < position; i++) counts[_picks[i]]++;
            return counts;
        }

        /// <summary>For equal weights: where the turn comes to the first server declared after <paramref name="last"/>.</summary>
        public int PositionAfter(Server? last)
        {
            for (int i = 0; last is not null && i < _picks.Length; i++)
            {
                if (Order[i].Id > last.Id) return i;
            }

            return 0;
        }

        /// <summary>
        /// The position at which the servers' leads are nearest to those they have, so that nobody gets a burst or is passed over; a newcomer has none.
        /// </summary>
        public int ClosestPosition(Dictionary<Server, double> ahead)
        {
            // Squared distance between lead(position) and the lead that is, kept up to date in O(1) a step: with x = picks - position * share - lead,
            // one more pick of k changes the sum of squares by 2(x_k - Σ x·share) + Σ share² - 2 share_k + 1.
            int count = _weights.Length;
            double length = _picks.Length, distance = 0, cross = 0, shares = 0;
            double[] x = new double[count];
            for (int i = 0; i < count; i++)
            {
                double share = _weights[i] / length;
                x[i] = -ahead.GetValueOrDefault(_snapshot.Servers[i]);
                distance += x[i] * x[i];
                cross += x[i] * share;
                shares += share * share;
            }

            int best = 0;
            double least = distance;
            int[] taken = new int[count];
            for (int position = 0; position < _picks.Length - 1; position++)
            {
                int k = _picks[position];
                double share = _weights[k] / length;
                double xk = x[k] + taken[k] - (position * share);
                distance += (2 * (xk - cross)) + shares - (2 * share) + 1;
                cross += share - shares;
                taken[k]++;
                if (distance < least - 1e-9)
                {
                    least = distance;
                    best = position + 1;
                }
            }

            return best;
        }
    }
}
