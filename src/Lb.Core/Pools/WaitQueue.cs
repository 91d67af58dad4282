namespace Lb;

/// <summary>
/// Callers that wait for a free slot, by class, and within a class first come first served. Guarded by the lock of its pool. A caller may be bound to one server (a sticky one);
/// the others take any.
/// </summary>
internal sealed class WaitQueue
{
    private readonly LinkedList<Waiter> _waiters = new();

    // The last of each class that anybody waits in: one or a few.
    private readonly SortedList<int, LinkedListNode<Waiter>> _last = [];
    private int _count;
    private int _unbound;

    /// <summary>Callers waiting. Any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Callers waiting for any server: a newcomer must not overtake them. Any thread.</summary>
    public int UnboundCount => Volatile.Read(ref _unbound);

    public void Add(Waiter waiter)
    {
        Insert(waiter);
        waiter.Bound?.AddQueued(1);
        if (waiter.Bound is null) Volatile.Write(ref _unbound, _unbound + 1);

        // A full fence: the caller looks for a free slot after this, the one who frees a slot looks at the count after that. One of them sees the other.
        Interlocked.Increment(ref _count);
    }

    /// <summary>Takes a waiter out; false when it is out already.</summary>
    public bool Remove(Waiter waiter)
    {
        if (waiter.Node is null) return false;
        RemoveNode(waiter.Node);
        waiter.Node = null;
        waiter.Bound?.AddQueued(-1);
        if (waiter.Bound is null) Volatile.Write(ref _unbound, _unbound - 1);
        Interlocked.Decrement(ref _count);
        return true;
    }

    /// <summary>The server a waiter is bound to can't be used any more: it takes any now and keeps its place.</summary>
    public void Unbind(Waiter waiter)
    {
        waiter.Bound?.AddQueued(-1);
        waiter.Unbind();
        Volatile.Write(ref _unbound, _unbound + 1);
    }

    /// <summary>A waiter that would have taken any server waits for this one now, and keeps its place.</summary>
    public void Bind(Waiter waiter, Server server)
    {
        server.AddQueued(1);
        waiter.BindByKey(server);
        Volatile.Write(ref _unbound, _unbound - 1);
    }

    public LinkedListNode<Waiter>? First => _waiters.First;

    // Behind those of lower classes, and of its own those who came before it, by their offsets: with one offset for all that is the end of the class.
    private void Insert(Waiter waiter)
    {
        LinkedListNode<Waiter>? before = null;
        foreach ((int priority, LinkedListNode<Waiter> last) in _last)
        {
            if (priority > waiter.Context.Priority.Class) break;
            before = last;
        }

        while (before is not null && IsBehind(before.Value, waiter)) before = before.Previous;
        waiter.Node = before is null ? _waiters.AddFirst(waiter) : _waiters.AddAfter(before, waiter);
        int own = waiter.Context.Priority.Class;
        if (waiter.Node.Next is not { } next || next.Value.Context.Priority.Class != own) _last[own] = waiter.Node;
    }

    private static bool IsBehind(Waiter other, Waiter waiter) =>
        other.Context.Priority.Class == waiter.Context.Priority.Class && other.Since > waiter.Since;

    private void RemoveNode(LinkedListNode<Waiter> node)
    {
        int own = node.Value.Context.Priority.Class;
        if (ReferenceEquals(_last[own], node))
        {
            if (node.Previous is { } previous && previous.Value.Context.Priority.Class == own) _last[own] = previous;
            else _last.Remove(own);
        }

        _waiters.Remove(node);
    }

    /// <summary>One waiting caller.</summary>
    /// <param name="context">What it asks for; names the server that persistence has bound it to, not one that its key has.</param>
    /// <param name="bound">The server it waits for; null = any.</param>
    /// <param name="byKey">True when its key has bound it.</param>
    /// <param name="since">When it came, moved by its offset: a timestamp of the pool's clock.</param>
    public sealed class Waiter(PickContext context, Server? bound, bool byKey, long since)
    {
        public long Since { get; } = since;

        public PickContext Context { get; private set; } = context;

        public Server? Bound { get; private set; } = bound;

        public bool ByKey { get; private set; } = byKey;

        public LinkedListNode<Waiter>? Node { get; set; }

        // Continuations run elsewhere: the one who frees a slot must not run the next caller's work under the pool's lock.
        public TaskCompletionSource<ServerLease> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void BindByKey(Server server) => (Bound, ByKey) = (server, true);

        public void Unbind()
        {
            Bound = null;
            ByKey = false;
            Context = Context with { Prefer = null };
        }
    }
}
