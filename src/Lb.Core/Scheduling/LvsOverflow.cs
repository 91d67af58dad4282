namespace Lb;

/// <summary>
/// LVS overflow (<c>ovf</c>): the heaviest server takes everything until it has more open leases than its weight, then the next heaviest, and so on; the
/// first declared among equals. A weight is a capacity here.
/// </summary>
/// <remarks>
/// When every server has more leases than its weight the kernel refuses the connection; here the one with the fewest for its weight takes it. For a
/// refusal set <see cref="Server.MaxConnections"/> to the weight plus one.
/// </remarks>
public sealed class LvsOverflow : ISchedulingPolicy
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
                if (_servers[i].InFlight <= _weights[i] && LvsRules.CanTake(_servers[i], in context)) heaviest = i;
            }

            return heaviest >= 0 ? _servers[heaviest] : LvsRules.LeastForWeight(_servers, _weights, in context) ?? _servers[0];
        }

        public SchedulerAnswer Explain(in PickContext context, long now) => new(Pick(in context, now), null, "the heaviest with no more leases than its weight, else the fewest leases for its weight");
    }
}
