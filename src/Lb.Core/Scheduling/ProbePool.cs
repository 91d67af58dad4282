namespace Lb;

/// <summary>
/// The answers of servers that a policy may still go by, oldest first. Any thread may try to enter; while one is inside, the others do without: an answer is
/// no reason to wait. All other members are for the one inside.
/// </summary>
internal sealed class ProbePool(int capacity)
{
    // What an answer takes is a few dozen nanoseconds: it is worth so many looks.
    private const int Patience = 32;

    private readonly Entry[] _entries = new Entry[capacity];
    private int _busy;
    private bool _worstNext;

    public int Count { get; private set; }

    public bool TryEnter() => Volatile.Read(ref _busy) == 0 && Interlocked.CompareExchange(ref _busy, 1, 0) == 0;

    public bool TryEnterSoon()
    {
        for (int n = 0; n < Patience; n++)
        {
            if (TryEnter()) return true;
        }

        return false;
    }

    public void Exit() => Volatile.Write(ref _busy, 0);

    /// <summary>Takes an answer in; the one before of the same server goes, or when there are more than the limit the oldest.</summary>
    public void Add(Server server, int inFlight, long at, int uses, int limit)
    {
        for (int i = Count - 1; i >= 0; i--)
        {
            if (ReferenceEquals(_entries[i].Server, server)) RemoveAt(i);
        }

        while (Count >= Math.Min(limit, _entries.Length)) RemoveAt(0);
        _entries[Count++] = new Entry { Server = server, InFlight = inFlight, At = at, Uses = uses };
    }

    /// <summary>The server that has least to do for its weight, or null with fewer than two answers. The answer used counts one more from now on.</summary>
    public Server? Choose(ProbeMembers members, in PickContext context, long expired)
    {
        for (int i = Count - 1; i >= 0; i--)
        {
            if (_entries[i].At <= expired || members.WeightOf(_entries[i].Server) == 0) RemoveAt(i);
        }

        if (Count < 2) return null;
        int best = -1;
        for (int i = Count - 1; i >= 0; i--)
        {
            Server server = _entries[i].Server;
            if (!server.HasRoom || (context.HasExclusions && context.Excludes(server))) continue;
            if (best < 0 || IsLess(i, best, members)) best = i;
        }

        if (best < 0) return null;
        Server chosen = _entries[best].Server;
        _entries[best].InFlight++;
        if (--_entries[best].Uses == 0) RemoveAt(best);
        RemoveOne(members);
        return chosen;
    }

    // One goes at each pick: in turn the oldest, which knows least, and the worst, which would stay for ever.
    private void RemoveOne(ProbeMembers members)
    {
        if (Count == 0) return;
        int gone = 0;
        for (int i = 1; _worstNext && i < Count; i++)
        {
            if (IsLess(gone, i, members)) gone = i;
        }

        RemoveAt(gone);
        _worstNext = !_worstNext;
    }

    private bool IsLess(int first, int second, ProbeMembers members) => PowerOfTwoChoices.IsLess(
        _entries[first].InFlight, members.WeightOf(_entries[first].Server), _entries[second].InFlight, members.WeightOf(_entries[second].Server));

    private void RemoveAt(int index)
    {
        _entries.AsSpan(index + 1, Count - index - 1).CopyTo(_entries.AsSpan(index));
        _entries[--Count] = default;
    }

    private struct Entry
    {
        public Server Server;
        public long At;
        public int InFlight;
        public int Uses;
    }
}

/// <summary>The servers of a snapshot, to be found by themselves. Immutable.</summary>
internal sealed class ProbeMembers
{
    private readonly Server?[] _ofSlot;
    private readonly int[] _weightOfSlot;

    public ProbeMembers(PoolSnapshot snapshot)
    {
        int slots = 0;
        foreach (Server server in snapshot.Servers) slots = Math.Max(slots, server.Slot + 1);
        _ofSlot = new Server?[slots];
        _weightOfSlot = new int[slots];
        for (int i = 0; i < snapshot.Servers.Length; i++)
        {
            Server server = snapshot.Servers[i];
            (_ofSlot[server.Slot], _weightOfSlot[server.Slot]) = (server, snapshot.LiveWeights[i]);
        }
    }

    /// <summary>The weight, or 0 for a server that is none of these. Slots are used again, so the server itself is compared.</summary>
    public int WeightOf(Server server) => server.Slot < _ofSlot.Length && ReferenceEquals(_ofSlot[server.Slot], server) ? _weightOfSlot[server.Slot] : 0;
}
