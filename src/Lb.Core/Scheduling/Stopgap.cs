namespace Lb;

/// <summary>
/// Serves between two builds when many servers change at once: what the scheduler before proposes, unless it may not be picked any more. Servers that
/// came up wait for the next build.
/// </summary>
internal sealed class Stopgap : IScheduler
{
    private const int Proposals = 4;

    private readonly IScheduler _before;
    private readonly Server[] _servers;
    private readonly ulong[] _usable;
    private long _turn;

    public Stopgap(IScheduler before, PoolSnapshot snapshot)
    {
        // One stopgap after another must not make a chain.
        _before = before is Stopgap { _before: var built } ? built : before;
        _servers = snapshot.ServerArray;
        int slots = 0;
        foreach (Server server in _servers) slots = Math.Max(slots, server.Slot + 1);
        _usable = new ulong[(slots + 63) / 64];
        foreach (Server server in _servers) _usable[server.Slot >> 6] |= 1UL << (server.Slot & 63);
    }

    public Server Pick(in PickContext context, long now)
    {
        for (int n = 0; n < Proposals; n++)
        {
            Server server = _before.Pick(in context, now);
            if (IsUsable(server)) return server;
        }

        // A key leads to the same server again and again: to another one then, the same for all who have it.
        if (!PickHash.TryGet(in context, out ulong hash)) hash = PickHash.Mix((ulong)Interlocked.Increment(ref _turn));
        return _servers[PickHash.Below(PickHash.Mix(hash), _servers.Length)];
    }

    public SchedulerAnswer Explain(in PickContext context, long now) => new(null, null, "many servers are changing: the tables are built anew in a moment");

    private bool IsUsable(Server server)
    {
        int word = server.Slot >> 6;
        return word < _usable.Length && (_usable[word] >> (server.Slot & 63) & 1) != 0 && server.InUse;
    }
}
