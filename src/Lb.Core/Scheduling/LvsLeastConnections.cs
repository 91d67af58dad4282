namespace Lb;

/// <summary>
/// LVS least connections (<c>lc</c>): the server with the fewest open leases, whatever its weight; the first declared among equals.
/// </summary>
/// <remarks>With little traffic the first server gets nearly all of it; <see cref="LeastConnections"/> (<c>leastconn</c>) lets equals take turns.</remarks>
public sealed class LvsLeastConnections : ISchedulingPolicy
{
    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new Scheduler(snapshot.ServerArray);
    }

    private sealed class Scheduler(Server[] servers) : IScheduler
    {
        public Server Pick(in PickContext context, long now)
        {
            Server? least = null;
            int leastLoad = 0;
            foreach (Server server in servers)
            {
                if (!LvsRules.CanTake(server, in context)) continue;
                int load = server.InFlight;
                if (least is not null && load >= leastLoad) continue;
                (least, leastLoad) = (server, load);
            }

            return least ?? servers[0];
        }

        public SchedulerAnswer Explain(in PickContext context, long now) => new(Pick(in context, now), null, "the fewest leases");
    }
}
