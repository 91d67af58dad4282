namespace Lb;

/// <summary>
/// LVS power of two choices (<c>twos</c>): two servers are drawn by weight, the second wins if it has fewer open leases for its weight.
/// </summary>
/// <remarks>
/// The kernel's draw is from 0 to the sum of the weights, both included, so the first server has one chance too many, and both draws may hit the same
/// server. <see cref="PowerOfTwoChoices"/> (<c>p2c</c>) has neither flaw. O(n).
/// </remarks>
/// <param name="random">Source of chance; default <see cref="Random.Shared"/>. A seeded one makes picks reproducible and is locked when picks come from several threads.</param>
public sealed class LvsTwoChoices(Random? random = null) : ISchedulingPolicy
{
    private readonly SharedRandom _random = new(random);

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new Scheduler(snapshot, _random);
    }

    private sealed class Scheduler(PoolSnapshot snapshot, SharedRandom random) : IScheduler
    {
        private readonly Server[] _servers = snapshot.ServerArray;
        private readonly int[] _weights = snapshot.Weights.ToArray();

        public Server Pick(in PickContext context, long now)
        {
            int sum = 0, last = 0;
            for (int i = 0; i < _servers.Length; i++)
            {
                if (!LvsRules.CanTake(_servers[i], in context)) continue;
                sum += _weights[i];
                last = i;
            }

            if (sum == 0) return _servers[0];
            int first = random.Next(sum + 1), second = random.Next(sum + 1);
            (first, second) = (At(first, last, in context), At(second, last, in context));
            long firstLoad = _servers[first].InFlight, secondLoad = _servers[second].InFlight;
            return _weights[second] * firstLoad > _weights[first] * secondLoad ? _servers[second] : _servers[first];
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            Server? only = null;
            int count = 0;
            foreach (Server server in _servers)
            {
                if (!LvsRules.CanTake(server, in context)) continue;
                only = server;
                count++;
            }

            return count > 1 ? new SchedulerAnswer(null, null, Chance.Note(2, count)) : new SchedulerAnswer(only ?? _servers[0], null, "the only one that can take it");
        }

        // The server in whose stretch of the cumulated weights the point lies. One that has filled up meanwhile leaves a rest, which is the last one's.
        private int At(int point, int last, in PickContext context)
        {
            for (int i = 0; i < last; i++)
            {
                if (!LvsRules.CanTake(_servers[i], in context)) continue;
                point -= _weights[i];
                if (point <= 0) return i;
            }

            return last;
        }
    }
}
