using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>
/// What all gateways of a host share: most clients together, and most memory in buffers. While either is reached nobody is accepted; nothing that is there is
/// touched. Any thread.
/// </summary>
internal sealed class ProcessLimits(ILogger logger)
{
    private readonly Lock _lock = new();
    private volatile LoopMemory[] _loops = [];
    private volatile Gateway[] _gateways = [];
    private long _memoryLimit;
    private int _limit;
    private int _descriptors;
    private int _mostSessions;
    private int _open;
    private int _sessions;
    private int _full;
    private int _memoryFull;

    /// <summary>Nobody is to be accepted.</summary>
    public bool IsFull => Volatile.Read(ref _full) != 0;

    /// <summary>Clients of all gateways, held ones too.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>
    /// UDP sessions have their part of the limits, so that a flood of senders, who may not even exist, leaves room for connections. A gateway that has no more
    /// than a sixteenth of that part may have another one all the same.
    /// </summary>
    /// <param name="own">Sessions of the gateway that asks.</param>
    public bool IsFullForSessions(int own) => IsFull || (_mostSessions != 0 && Volatile.Read(ref _sessions) >= _mostSessions && own >= Math.Max(1, _mostSessions / 16));

    /// <summary>Bytes of memory that buffers hold.</summary>
    public long Memory
    {
        get
        {
            long sum = 0;
            foreach (LoopMemory loop in _loops) sum += loop.Bytes;
            return sum;
        }
    }

    /// <summary>The memory that buffers of a new loop will count.</summary>
    public LoopMemory AddLoop()
    {
        LoopMemory memory = new(this);
        lock (_lock) _loops = [.. _loops, memory];
        return memory;
    }

    /// <summary>Takes over limits.</summary>
    /// <param name="options">What is configured.</param>
    /// <param name="most">Most connections that the limit of open files allows; 0 = not known.</param>
    public void Update(TransportOptions options, int most)
    {
        // 0 is "no limit" on both sides: the smaller of what there is.
        _limit = options.MaxConnections == 0 || (most != 0 && most < options.MaxConnections) ? most : options.MaxConnections;
        _descriptors = most;

        // A session has one descriptor where a connection has two: as many sessions as connections leave half of the descriptors.
        int half = options.MaxConnections == 0 ? 0 : Math.Max(1, options.MaxConnections / 2);
        _mostSessions = half == 0 || (most != 0 && most < half) ? most : half;
        Interlocked.Exchange(ref _memoryLimit, options.MaxMemory);
        Adjust();
    }

    /// <summary>The gateway is told when it becomes full and when there is room again.</summary>
    public void Follow(Gateway gateway)
    {
        lock (_lock) _gateways = [.. _gateways.Where(g => g != gateway), gateway];
    }

    public void Forget(Gateway gateway)
    {
        lock (_lock) _gateways = [.. _gateways.Where(g => g != gateway)];
    }

    /// <param name="isSession">A UDP session and no connection.</param>
    public void Opened(bool isSession)
    {
        if (isSession) Interlocked.Increment(ref _sessions);
        Interlocked.Increment(ref _open);
        if (AreClientsFull) Adjust();
    }

    /// <param name="isSession">As it was opened.</param>
    public void Closed(bool isSession)
    {
        if (isSession) Interlocked.Decrement(ref _sessions);
        Interlocked.Decrement(ref _open);
        if (IsFull) Adjust();
    }

    /// <summary>Buffers of a loop hold more, or less.</summary>
    public void MemoryChanged(bool grew)
    {
        if (Volatile.Read(ref _memoryLimit) == 0) return;
        if (grew != (Volatile.Read(ref _memoryFull) != 0)) Adjust();
    }

    private void Adjust()
    {
        int full = WantFull();
        if (Interlocked.Exchange(ref _full, full) == full) return;

        // As in Gateway: what was freed before anybody could see the new word is looked for once more.
        while (WantFull() != full) Interlocked.Exchange(ref _full, full = 1 - full);
        foreach (Gateway gateway in _gateways) gateway.FollowLimits();
    }

    private int WantFull()
    {
        bool memory = WantMemoryFull();
        return memory || AreClientsFull ? 1 : 0;
    }

    private bool AreClientsFull
    {
        get
        {
            int open = Open, sessions = Volatile.Read(ref _sessions), descriptors = _descriptors;

            // What is configured counts clients; what the system allows counts descriptors.
            return (_limit != 0 && _limit != descriptors && open >= _limit) || (descriptors != 0 && 2L * open - sessions >= 2L * descriptors);
        }
    }

    // Once full, only below nine tenths there is room again: else each buffer would close and open the door.
    private bool WantMemoryFull()
    {
        long limit = Interlocked.Read(ref _memoryLimit), memory = Memory;
        bool was = Volatile.Read(ref _memoryFull) != 0;
        bool full = limit != 0 && memory >= (was ? limit / 10 * 9 : limit);
        if (full != was && Interlocked.Exchange(ref _memoryFull, full ? 1 : 0) != (full ? 1 : 0))
        {
            if (full) TransportLog.MemoryFull(logger, memory, limit);
            else TransportLog.MemoryFree(logger, memory, limit);
        }

        return full;
    }
}

/// <summary>What the buffers of one loop hold. Written by its thread only.</summary>
internal sealed class LoopMemory(ProcessLimits limits)
{
    [ThreadStatic]
    private static LoopMemory? t_current;

    private long _bytes;

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The buffers of this thread count here from now on.</summary>
    public void Attach() => t_current = this;

    /// <summary>A buffer of this thread's loop has grown by so many bytes, or shrunk. Costs some nanoseconds: a buffer is rare, and never one for each message.</summary>
    public static void Add(int bytes)
    {
        if (bytes == 0 || t_current is not { } current) return;

        // A full fence: this first, then the look at the limits' words; there it is the other way round.
        Interlocked.Add(ref current._bytes, bytes);
        current.Limits.MemoryChanged(bytes > 0);
    }

    private ProcessLimits Limits => limits;
}
