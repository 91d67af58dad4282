namespace Lb;

/// <summary>
/// Servers are drawn by weight and the least loaded of them wins (<c>random</c>, HAProxy <c>balance random(draws)</c>). Equal load: the lower rate of
/// picks in the last second for its weight wins. One draw is plain weighted random.
/// </summary>
public sealed class RandomDraws : ISchedulingPolicy
{
    private readonly int _draws;
    private readonly SharedRandom _random;

    /// <summary>Makes the policy.</summary>
    /// <param name="draws">Servers to draw, 1 to 16; default 2.</param>
    /// <param name="random">Source of chance; default <see cref="Random.Shared"/>. A seeded one makes picks reproducible and is locked.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="draws"/> is out of range.</exception>
    public RandomDraws(int draws = 2, Random? random = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(draws, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(draws, 16);
        _draws = draws;
        _random = new SharedRandom(random);
    }

    /// <inheritdoc/>
    public PolicyTraits Traits => PolicyTraits.FollowsLiveWeights;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new Scheduler(snapshot, _draws, _random);
    }

    private sealed class Scheduler(PoolSnapshot snapshot, int draws, SharedRandom random) : IScheduler
    {
        private readonly Server[] _servers = snapshot.ServerArray;
        private readonly int[] _weights = snapshot.LiveWeights.ToArray();
        private readonly AliasTable? _table = snapshot.HasEqualLiveWeights ? null : new AliasTable(snapshot.LiveWeights);

        public Server Pick(in PickContext context, long now)
        {
            int best = Draw();
            for (int n = 1; n < draws; n++)
            {
                int other = Draw();
                if (other != best && Wins(other, best, in context, now)) best = other;
            }

            return _servers[best];
        }

        public SchedulerAnswer Explain(in PickContext context, long now) =>
            _servers.Length == 1 ? new SchedulerAnswer(_servers[0], null, "the only one") : new SchedulerAnswer(null, null, Chance.Note(draws, _servers.Length));

        private int Draw() => _table is null ? random.Next(_servers.Length) : _table.Draw(random.NextInt64());

        private bool Wins(int other, int best, in PickContext context, long now)
        {
            Server a = _servers[best], b = _servers[other];
            if (context.HasExclusions && context.Excludes(a) != context.Excludes(b)) return context.Excludes(a);

            // HAProxy compares load × the other's weight; only when that is equal does the rate decide.
            long loadA = (long)a.Load * _weights[other], loadB = (long)b.Load * _weights[best];
            if (loadA != loadB) return loadB < loadA;
            return b.LeaseRate(now) * _weights[best] < a.LeaseRate(now) * _weights[other];
        }
    }
}
