namespace Lb;

/// <summary>
/// One server takes everything until it can't be used any more; then the first usable one, in the order of declaration, takes over and keeps it
/// (HAProxy <c>balance sticky</c>). Weights don't count.
/// </summary>
/// <remarks>A server that returns gets nothing back. What does not fit under <see cref="Server.MaxConnections"/> goes to the next one with room.</remarks>
public sealed class Sticky : ISchedulingPolicy
{
    private Server? _current;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        if (_current is null || snapshot.IndexOf(_current) < 0) _current = snapshot.Servers[0];
        return new Scheduler(_current);
    }

    private sealed class Scheduler(Server server) : IScheduler
    {
        public Server Pick(in PickContext context, long now) => server;

        public SchedulerAnswer Explain(in PickContext context, long now) => new(server, null, "it has everything");
    }
}
