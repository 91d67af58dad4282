namespace Lb;

/// <summary>What is remembered of one client: its server for good, when that ends, and the connections it has open through it. Any thread.</summary>
internal sealed class SourceEntry(SourceNetwork key, Server server, long deadline)
{
    // LVS looks again a minute after it found a connection still open (ip_vs_conn_expire).
    private const int SecondsWhileOpen = 60;
    private const long Dead = long.MinValue;

    private long _deadline = deadline;
    private int _open;

    public SourceNetwork Key { get; } = key;

    /// <summary>The client's server. A client that gets another server gets another entry.</summary>
    public Server Server { get; } = server;

    /// <summary>When it ends; below every timestamp when it has ended.</summary>
    public long Deadline => Volatile.Read(ref _deadline);

    /// <summary>True while a connection is open.</summary>
    public bool IsOpen => Volatile.Read(ref _open) > 0;

    // Where SourceDeadlines has filed it; under the lock.
    internal long Filed { get; set; }

    internal SourceEntry? Before { get; set; }

    internal SourceEntry? After { get; set; }

    public bool IsAlive(long now)
    {
        long end = Deadline;
        return end != Dead && (now < end || IsOpen) && Server.InUse;
    }

    /// <summary>Puts the end of one that is alive off; false when it has ended meanwhile, and then it must be made anew.</summary>
    public bool TryRefresh(long now, long end)
    {
        // A minute that has begun because a connection is open may last longer than a short timeout: it isn't cut.
        PutOff(now);
        return TryRaise(end);
    }

    /// <summary>Ends it for good if its time is over and nothing is open; if something is, it goes on for another minute.</summary>
    public bool TryExpire(long now)
    {
        if (IsOpen) PutOff(now);
        long seen = Deadline;
        return seen <= now && Interlocked.CompareExchange(ref _deadline, Dead, seen) == seen;
    }

    public void Kill() => Volatile.Write(ref _deadline, Dead);

    public void Opened() => Interlocked.Increment(ref _open);

    /// <summary>Ends a connection. Reads the pool's clock.</summary>
    public void Closed() => Closed(Server.Pool.GetTimestamp());

    /// <summary>Ends a connection. If the client's time was over before that, it is remembered to the end of the minute that had begun then.</summary>
    /// <param name="now">A timestamp of the pool's clock.</param>
    public void Closed(long now)
    {
        PutOff(now);

        // A lease completed twice must not let the client be forgotten while another is open.
        if (Interlocked.Decrement(ref _open) < 0) Interlocked.Increment(ref _open);
    }

    // What the kernel's timer would have done by now, minute by minute.
    private void PutOff(long now)
    {
        long seen = Deadline;
        if (seen == Dead || now < seen) return;
        long minute = SecondsWhileOpen * Server.Pool.TimestampsPerSecond;
        TryRaise(seen + ((((now - seen) / minute) + 1) * minute));
    }

    private bool TryRaise(long end)
    {
        long seen = Deadline;
        while (seen != Dead)
        {
            if (seen >= end) return true;
            long was = Interlocked.CompareExchange(ref _deadline, end, seen);
            if (was == seen) return true;
            seen = was;
        }

        return false;
    }
}
