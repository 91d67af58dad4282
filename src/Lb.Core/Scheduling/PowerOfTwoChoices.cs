using System.Runtime.CompilerServices;

namespace Lb;

/// <summary>
/// Two different servers are drawn by weight, the one with less load for its weight wins (<c>p2c</c>, the default). With at most
/// <see cref="FullScanLimit"/> servers all are compared, and ties are drawn: it costs the same and balances a little better.
/// </summary>
/// <remarks>
/// Mitzenmacher's "power of two choices": nearly as even as comparing all servers, without the herd that runs to the least loaded one when counts are
/// stale. Without replacement, so that with few servers no draw is wasted.
/// </remarks>
/// <param name="random">Source of chance; default <see cref="Random.Shared"/>. A seeded one makes picks reproducible and is locked when picks come from several threads.</param>
public sealed class PowerOfTwoChoices(Random? random = null) : ISchedulingPolicy
{
    /// <summary>Up to this many servers all are compared.</summary>
    public const int FullScanLimit = 8;

    private readonly SharedRandom _random = new(random);

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.FollowsLiveWeights;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        if (snapshot.Servers.Length == 1) return new Single(snapshot.Servers[0]);
        return snapshot.Servers.Length <= FullScanLimit ? new FullScan(snapshot, _random) : new Pair(snapshot, _random);
    }

    /// <summary>True when (load + 1) / weight of the second is smaller. Exact: no division, and 64 bits hold 16 million × 65 535.</summary>
    internal static bool IsLess(long secondLoad, int secondWeight, long firstLoad, int firstWeight) =>
        (secondLoad + 1) * firstWeight < (firstLoad + 1) * secondWeight;

    private sealed class Single(Server server) : IScheduler
    {
        public Server Pick(in PickContext context, long now) => server;

        public SchedulerAnswer Explain(in PickContext context, long now) => new(server, null, "the only one");
    }

    private sealed class FullScan(PoolSnapshot snapshot, SharedRandom random) : IScheduler
    {
        private readonly Server[] _servers = snapshot.ServerArray;
        private readonly int[] _weights = snapshot.LiveWeights.ToArray();

        public Server Pick(in PickContext context, long now)
        {
            Server[] servers = _servers;
            int[] weights = _weights;
            bool exclusions = context.HasExclusions;
            int best = Least(in context, out int ties, out long bestLoad);
            if (ties <= 1) return servers[Math.Max(best, 0)];

            int chosen = random.Next(ties);
            for (int i = best; i < servers.Length; i++)
            {
                if (!servers[i].HasRoom || (exclusions && context.Excludes(servers[i]))) continue;
                long load = servers[i].Load;
                bool equal = i == best || (!IsLess(load, weights[i], bestLoad, weights[best]) && !IsLess(bestLoad, weights[best], load, weights[i]));
                if (equal && chosen-- == 0) return servers[i];
            }

            // Loads moved since the first pass: fewer ties are left than were counted.
            return servers[best];
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            int best = Least(in context, out int ties, out _);
            return ties <= 1 ? new(_servers[Math.Max(best, 0)], null, "the least load for its weight") : new(null, null, Chance.Ties(ties));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private int Least(in PickContext context, out int ties, out long bestLoad)
        {
            Server[] servers = _servers;
            int[] weights = _weights;
            bool exclusions = context.HasExclusions;

            // Full servers are left out: their overflow must go to the best of the others, not to the next in line.
            // A random start and "less than" only would favour servers that follow busy ones; a reservoir over the ties is even.
            int best = -1;
            ties = 0;
            bestLoad = 0;
            for (int i = 0; i < servers.Length; i++)
            {
                if (!servers[i].HasRoom || (exclusions && context.Excludes(servers[i]))) continue;
                long load = servers[i].Load;
                if (best < 0 || IsLess(load, weights[i], bestLoad, weights[best]))
                {
                    best = i;
                    bestLoad = load;
                    ties = 1;
                }
                else if (!IsLess(bestLoad, weights[best], load, weights[i]))
                {
                    ties++;
                }
            }

            return best;
        }
    }

    private sealed class Pair(PoolSnapshot snapshot, SharedRandom random) : IScheduler
    {
        private readonly Server[] _servers = snapshot.ServerArray;
        private readonly int[] _weights = snapshot.LiveWeights.ToArray();
        private readonly AliasTable? _table = snapshot.HasEqualLiveWeights ? null : new AliasTable(snapshot.LiveWeights);

        public Server Pick(in PickContext context, long now)
        {
            int first, second;
            if (_table is null)
            {
                (first, second) = random.NextPair(_servers.Length);
            }
            else
            {
                first = _table.Draw(random.NextInt64());
                second = _table.Draw(random.NextInt64());
                for (int again = 0; second == first && again < 3; again++) second = _table.Draw(random.NextInt64());
                if (second == first) second = first + 1 < _servers.Length ? first + 1 : 0;
            }

            Server[] servers = _servers;
            Server a = servers[first], b = servers[second];
            if (context.HasExclusions && context.Excludes(a) != context.Excludes(b)) return context.Excludes(a) ? b : a;

            // Selecting an index compiles to a conditional move: who wins can't be guessed, and a wrong guess costs as much as the rest.
            int winner = IsLess(b.Load, _weights[second], a.Load, _weights[first]) ? second : first;
            return servers[winner];
        }

        public SchedulerAnswer Explain(in PickContext context, long now) => new(null, null, Chance.Note(2, _servers.Length));
    }
}
