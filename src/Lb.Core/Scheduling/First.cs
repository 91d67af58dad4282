namespace Lb;

/// <summary>
/// The first server, in the order of declaration, that has a free slot (<c>first</c>): weights don't count, and with
/// <see cref="Server.MaxConnections"/> set the last servers stay idle and may be switched off.
/// </summary>
public sealed class First : ISchedulingPolicy
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
            foreach (Server server in servers)
            {
                if (server.HasRoom && !(context.HasExclusions && context.Excludes(server))) return server;
            }

            return servers[0];
        }

        public SchedulerAnswer Explain(in PickContext context, long now) => new(Pick(in context, now), null, "the first with a free slot");
    }
}
