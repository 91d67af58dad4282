namespace Lb;

/// <summary>
/// LVS round robin (<c>rr</c>): servers take turns in the order of declaration whatever their weights; full ones are passed over. The turn goes on after
/// the last server picked when the pool changes.
/// </summary>
public sealed class LvsRoundRobin : ISchedulingPolicy
{
    private Scheduler? _current;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        int start = 0;
        if (_current?.LastId is { } last)
        {
            while (start < snapshot.Servers.Length && snapshot.Servers[start].Id <= last) start++;
            if (start == snapshot.Servers.Length) start = 0;
        }

        return _current = new Scheduler(snapshot.ServerArray, start, _current?.LastId);
    }

    private sealed class Scheduler(Server[] servers, int start, int? lastBefore) : IScheduler
    {
        // Counts from 0: the turn of pick n is start + n.
        private long _picks;

        // Of the last server picked here or, before the first pick, by the scheduler before this one.
        public int? LastId
        {
            get
            {
                long picks = Volatile.Read(ref _picks);
                return picks == 0 ? lastBefore : ServerAt(picks - 1).Id;
            }
        }

        public Server Pick(in PickContext context, long now)
        {
            Server server = Next();
            for (int n = 1; n < servers.Length && !LvsRules.CanTake(server, in context); n++) server = Next();
            return server;
        }

        public SchedulerAnswer Explain(in PickContext context, long now)
        {
            long turn = Volatile.Read(ref _picks);
            Server server = ServerAt(turn);
            for (int n = 1; n < servers.Length && !LvsRules.CanTake(server, in context); n++) server = ServerAt(turn + n);
            return new SchedulerAnswer(server, null, "its turn");
        }

        private Server Next() => ServerAt(Interlocked.Increment(ref _picks) - 1);

        private Server ServerAt(long pick) => servers[(ulong)(start + pick) % (ulong)servers.Length];
    }
}
