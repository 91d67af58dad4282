namespace Lb;

/// <summary>LVS weighted failover (<c>fo</c>): the heaviest server that is not full takes everything; the first declared among equals.</summary>
public sealed class LvsFailover : ISchedulingPolicy
{
    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new Scheduler(snapshot);
    }

    private sealed class Scheduler(PoolSnapshot snapshot) : IScheduler
    {
        private readonly Server[] _servers = snapshot.ServerArray;
        private readonly int[] _weights = snapshot.Weights.ToArray();

        public Server Pick(in PickContext context, long now)
        {
            int heaviest = -1;
            for (int i = 0; i < _servers.Length; i++)
            {
                if (heaviest >= 0 && _weights[i] <= _weights[heaviest]) continue;
                if (LvsRules.CanTake(_servers[i], in context)) heaviest = i;
            }

            return _servers[Math.Max(heaviest, 0)];
        }

        public SchedulerAnswer Explain(in PickContext context, long now) => new(Pick(in context, now), null, "the heaviest that is not full");
    }
}
