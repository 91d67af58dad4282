namespace Lb.Testing;

/// <summary>
/// What happens next in a simulation: a heap of four children a node, which is flatter than two and touches fewer cache lines. Events of the same time
/// come out in the order they went in, so a run never depends on the shape of the heap. Not thread-safe.
/// </summary>
internal sealed class EventQueue
{
    private const int Arity = 4;

    private Event[] _heap = new Event[256];
    private long _sequence;

    /// <summary>Events waiting.</summary>
    public int Count { get; private set; }

    /// <summary>Adds an event.</summary>
    /// <param name="time">When it happens, in ticks.</param>
    /// <param name="kind">What happens.</param>
    /// <param name="subject">To which request.</param>
    public void Add(long time, EventKind kind, int subject)
    {
        if (Count == _heap.Length) Array.Resize(ref _heap, Count * 2);
        Event added = new(time, _sequence++, kind, subject);
        int at = Count++;
        while (at > 0)
        {
            int parent = (at - 1) / Arity;
            if (!added.IsBefore(in _heap[parent])) break;
            _heap[at] = _heap[parent];
            at = parent;
        }

        _heap[at] = added;
    }

    /// <summary>Takes the next event out; false when there is none.</summary>
    /// <param name="next">The event.</param>
    public bool TryTake(out Event next)
    {
        if (Count == 0)
        {
            next = default;
            return false;
        }

        next = _heap[0];
        Event moved = _heap[--Count];
        int at = 0;
        while (true)
        {
            int child = (at * Arity) + 1;
            if (child >= Count) break;
            int best = child;
            for (int other = child + 1; other < Math.Min(child + Arity, Count); other++)
            {
                if (_heap[other].IsBefore(in _heap[best])) best = other;
            }

            if (!_heap[best].IsBefore(in moved)) break;
            _heap[at] = _heap[best];
            at = best;
        }

        _heap[at] = moved;
        return true;
    }

    internal readonly record struct Event(long Time, long Sequence, EventKind Kind, int Subject)
    {
        public bool IsBefore(in Event other) => Time != other.Time ? Time < other.Time : Sequence < other.Sequence;
    }
}

/// <summary>What can happen in a simulation.</summary>
internal enum EventKind
{
    /// <summary>A balancer is asked; it has no request's number yet.</summary>
    Arrived,

    /// <summary>A request is at its server.</summary>
    ReachedServer,

    /// <summary>A worker has finished with a request.</summary>
    Served,

    /// <summary>The answer is back at the balancer.</summary>
    Answered,
}
