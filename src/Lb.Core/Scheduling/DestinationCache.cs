namespace Lb;

/// <summary>
/// What LVS's locality schedulers remember of each destination address: 1024 buckets, at most 16 384 destinations. Any thread. Finding neither locks nor
/// allocates. A new destination costs two small objects and a compare-and-swap, and now and then, in its course, the idle ones are cleared out.
/// </summary>
/// <remarks>
/// The kernel clears out by a timer each minute and lets the table grow in between; here it is looked at when something is added, at most once a minute:
/// when it is full, what has been idle for 6 minutes goes; else every half hour what has been idle for the expiry time. A full table takes nothing new.
/// </remarks>
/// <param name="timestampsPerSecond">Of the pool's clock.</param>
/// <param name="expiry">Idle time after which a destination is forgotten.</param>
internal sealed class DestinationCache<T>(long timestampsPerSecond, TimeSpan expiry)
    where T : class
{
    internal const int Capacity = 16 << Bits;
    private const int Bits = 10;

    private readonly Node?[] _buckets = new Node?[1 << Bits];
    private readonly long _minute = 60 * timestampsPerSecond;
    private int _count;
    private long _nextLook = long.MinValue;
    private long _nextFullLook;

    public int Count => Volatile.Read(ref _count);

    /// <summary>The idle time after which a destination is forgotten, in timestamps.</summary>
    public long Expiry { get; } = (long)(expiry.TotalSeconds * timestampsPerSecond);

    /// <summary>What is remembered of a destination; null when nothing is. Notes its use, unless told not to.</summary>
    public Entry? Find(in PeerAddress destination, long now, bool isUse = true)
    {
        for (Node? node = Volatile.Read(ref _buckets[Bucket(in destination)]); node is not null; node = node.Next)
        {
            Entry entry = node.Entry;
            if (entry.Destination != destination) continue;
            long idle = now - Volatile.Read(ref entry.LastUse);
            if (idle >= Expiry) return null;

            // Once a second is enough: a popular destination's entry is read by all cores.
            if (isUse && idle >= timestampsPerSecond) Volatile.Write(ref entry.LastUse, now);
            return entry;
        }

        return null;
    }

    /// <summary>Remembers a value, in place of the one before, unless the table is full.</summary>
    public void Set(in PeerAddress destination, T value, long now)
    {
        Tidy(now);
        ref Node? bucket = ref _buckets[Bucket(in destination)];
        while (true)
        {
            Node? head = Volatile.Read(ref bucket);
            for (Node? node = head; node is not null; node = node.Next)
            {
                if (node.Entry.Destination != destination) continue;
                Volatile.Write(ref node.Entry.Value, value);
                Volatile.Write(ref node.Entry.LastUse, now);
                return;
            }

            if (Count >= Capacity) return;
            if (Interlocked.CompareExchange(ref bucket, new Node(new Entry(destination, value, now), head), head) != head) continue;
            Interlocked.Increment(ref _count);
            return;
        }
    }

    private static uint Bucket(in PeerAddress destination) => LvsRules.Hash32(destination.FoldedWords, Bits);

    private void Tidy(long now)
    {
        long due = Volatile.Read(ref _nextLook);
        if (due != long.MinValue && now < due) return;
        if (Interlocked.CompareExchange(ref _nextLook, now + _minute, due) != due) return;

        // From here on there is one thread, until the next minute.
        if (due == long.MinValue)
        {
            Volatile.Write(ref _nextFullLook, now + (30 * _minute));
        }
        else if (Count >= Capacity)
        {
            Drop(Math.Min(6 * _minute, Expiry), now);
        }
        else if (now >= Volatile.Read(ref _nextFullLook))
        {
            Volatile.Write(ref _nextFullLook, now + (30 * _minute));
            Drop(Expiry, now);
        }
    }

    private void Drop(long idle, long now)
    {
        for (int i = 0; i < _buckets.Length; i++)
        {
            Node? head = Volatile.Read(ref _buckets[i]);
            Node? kept = null;
            int dropped = 0;
            for (Node? node = head; node is not null; node = node.Next)
            {
                if (now - Volatile.Read(ref node.Entry.LastUse) >= idle) dropped++;
                else kept = new Node(node.Entry, kept);
            }

            // A bucket that somebody adds to at this moment waits for the next time.
            if (dropped > 0 && Interlocked.CompareExchange(ref _buckets[i], kept, head) == head) Interlocked.Add(ref _count, -dropped);
        }
    }

    /// <summary>One destination. Its value is replaced as a whole.</summary>
    internal sealed class Entry(PeerAddress destination, T value, long lastUse)
    {
        public readonly PeerAddress Destination = destination;
        public T Value = value;
        public long LastUse = lastUse;
    }

    private sealed class Node(Entry entry, Node? next)
    {
        public Entry Entry { get; } = entry;

        public Node? Next { get; } = next;
    }
}
