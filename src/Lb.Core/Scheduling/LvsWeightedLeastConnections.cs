namespace Lb;

/// <summary>
/// LVS weighted least connections (<c>wlc</c>): the server with the fewest open leases for its weight; the first declared among equals.
/// </summary>
/// <remarks>
/// Idle servers are equal whatever their weights, so with little traffic the first server gets nearly all of it; <see cref="LeastConnections"/>
/// (<c>leastconn</c>) lets them take turns.
/// </remarks>
public sealed class LvsWeightedLeastConnections : ISchedulingPolicy
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

        public Server Pick(in PickContext context, long now) => LvsRules.LeastForWeight(_servers, _weights, in context) ?? _servers[0];

        public SchedulerAnswer Explain(in PickContext context, long now) => new(Pick(in context, now), null, "the fewest leases for its weight");
    }
}
