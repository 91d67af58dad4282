namespace Lb;

/// <summary>
/// Smooth weighted round robin (<c>roundrobin</c>): nginx's order, {5,1,1} gives a a b a c a a. With equal weights it is exactly cyclic in the order of
/// declaration. The turn survives changes of the pool.
/// </summary>
/// <remarks>
/// One cycle of Σweight/gcd picks is worked out ahead, so a pick is one shared counter and one array read. Cycles are limited to 65 536 picks: with
/// larger sums of weights the weights are scaled down to fit, and shares are off by less than one pick in the cycle for each server.
/// </remarks>
public sealed class RoundRobin : ISchedulingPolicy
{
    private const int LongestCycle = 65_536;

    private Cursor _cursor = new();
    private Cycle? _cycle;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        Cycle next = new(snapshot, ReduceWeights(snapshot.Weights));
        int position = _cycle is null ? 0 : next.ClosestPosition(_cycle.Deviations(_cursor));

        // A new cursor for each build: picks that still run on the old scheduler must not move the new one.
        _cursor = new Cursor { Value = position };
        _cycle = next;
        return new Scheduler(next, _cursor);
    }

    private static int[] ReduceWeights(ReadOnlySpan<int> weights)
    {
        int[] reduced = weights.ToArray();
        int gcd = 0;
        long sum = 0;
        foreach (int weight in reduced)
        {
            gcd = Gcd(gcd, weight);
            sum += weight;
        }

        sum /= gcd;
        for (int i = 0; i < reduced.Length; i++)
        {
            reduced[i] /= gcd;
            if (sum > LongestCycle) reduced[i] = Math.Max(1, (int)((long)reduced[i] * LongestCycle / sum));
        }

        return reduced;
    }

    private static int Gcd(int a, int b)
    {
        while (b != 0) (a, b) = (b, a % b);
        return a;
    }

    private sealed class Cursor
    {
        public long Value;
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
            _picks = SmoothOrder(weights, snapshot.HasEqualWeights);
            Order = new Server[_picks.Length];
            for (int i = 0; i < _picks.Length; i++) Order[i] = snapshot.Servers[_picks[i]];
        }

        public Server[] Order { get; }

        private static int[] SmoothOrder(int[] weights, bool equal)
        {
            int count = weights.Length;
            if (equal) return [.. Enumerable.Range(0, count)];

            int sum = weights.Sum();
            int[] order = new int[sum];
            int[] current = new int[count];
            for (int turn = 0; turn < sum; turn++)
            {
                // nginx's rule: everybody gains its weight, the first largest wins and pays the sum.
                int best = 0;
                for (int i = 0; i < count; i++)
                {
                    current[i] += weights[i];
                    if (current[i] > current[best]) best = i;
                }

                current[best] -= sum;
                order[turn] = best;
            }

            return order;
        }

        /// <summary>Picks a server is ahead (or behind) of its share where the cursor stands.</summary>
        public Dictionary<Server, double> Deviations(Cursor cursor)
        {
            int position = (int)((ulong)Volatile.Read(ref cursor.Value) % (ulong)_picks.Length);
            int[] counts = new int[_weights.Length];
            for (int i = 0; i < position; i++) counts[_picks[i]]++;

            Dictionary<Server, double> ahead = [];
            for (int i = 0; i < counts.Length; i++)
                ahead[_snapshot.Servers[i]] = counts[i] - ((double)position * _weights[i] / _picks.Length);
            return ahead;
        }

        /// <summary>
        /// The position whose deviations are nearest to those of the servers before the change, so that nobody gets a burst or is passed over. For
        /// equal weights this is exactly "go on after the last one picked".
        /// </summary>
        public int ClosestPosition(Dictionary<Server, double> before)
        {
            int count = _weights.Length;
            double[] offset = new double[count];
            double known = 0, mean = 0;
            for (int i = 0; i < count; i++)
            {
                if (!before.TryGetValue(_snapshot.Servers[i], out offset[i])) continue;
                mean += offset[i];
                known++;
            }

            if (known == 0) return 0;
            mean /= known;

            // Squared distance between deviation(position) and offset, kept up to date in O(1) a step: with x = picks - position * share - offset,
            // one more pick of k changes the sum of squares by 2(x_k - Σ x·share) + Σ share² - 2 share_k + 1.
            double length = _picks.Length, distance = 0, cross = 0, shares = 0;
            double[] x = new double[count];
            for (int i = 0; i < count; i++)
            {
                double share = _weights[i] / length;
                x[i] = before.ContainsKey(_snapshot.Servers[i]) ? mean - offset[i] : 0;
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
