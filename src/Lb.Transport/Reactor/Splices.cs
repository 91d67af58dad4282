namespace Lb.Transport;

/// <summary>One direction of one transfer by splice(2).</summary>
internal sealed class Splice
{
    /// <summary>Where the bytes come from; null when it has left, and only the pipe's content still goes out.</summary>
    public Connection? From;

    /// <summary>Where they go.</summary>
    public Connection To = null!;

    /// <summary>Null while the source has nothing: only what moves holds descriptors.</summary>
    public SplicePipe? Pipe;

    /// <summary>Bytes that may still be taken from the source.</summary>
    public long Left;

    /// <summary>Bytes moved since the source last had nothing.</summary>
    public long Moved;

    /// <summary>Bytes that the destination has not taken yet.</summary>
    public int Pending => Pipe?.Held ?? 0;
}

/// <summary>
/// The transfers of one loop by both of their ends, so that a connection that does not splice holds nothing for it. Nothing is allocated once the
/// tables have grown. For drivers; one loop's thread.
/// </summary>
/// <param name="isEnabled">False: none begins.</param>
internal sealed class Splices(bool isEnabled)
{
    private readonly Dictionary<Connection, Splice> _from = [];
    private readonly Dictionary<Connection, Splice> _to = [];
    private readonly Stack<Splice> _free = new();
    private long _began;
    private long _bytes;

    /// <summary>Where their pipes come from.</summary>
    public SplicePipes Pipes { get; } = new(isEnabled);

    /// <summary>Transfers under way.</summary>
    public int Count => _to.Count;

    /// <summary>Transfers that ever began. Any thread.</summary>
    public long Began => Volatile.Read(ref _began);

    /// <summary>Bytes that ever left a source. Any thread.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Bytes in the pipes of all of them.</summary>
    public long Pending
    {
        get
        {
            long sum = 0;
            foreach (Splice splice in _to.Values) sum += splice.Pending;
            return sum;
        }
    }

    /// <summary>Begins a transfer; false when no pipe is to be had. Neither end may be at that end of another one.</summary>
    public bool TryBegin(Connection from, Connection to, long limit)
    {
        if (Pipes.Rent() is not { } pipe) return false;
        Splice splice = _free.TryPop(out Splice? used) ? used : new Splice();
        splice.From = from;
        splice.To = to;
        splice.Pipe = pipe;
        splice.Left = limit;
        splice.Moved = 0;
        _began++;
        _from.Add(from, splice);
        _to.Add(to, splice);
        return true;
    }

    /// <summary>The transfer that this connection is the source of.</summary>
    public Splice From(Connection source) => _from[source];

    /// <summary>The transfer that this connection is the destination of.</summary>
    public Splice To(Connection destination) => _to[destination];

    /// <summary>So many bytes have left the source.</summary>
    /// <returns>True when they were the last ones of the limit.</returns>
    public bool Took(Splice splice, int bytes)
    {
        _bytes += bytes;
        splice.Moved += bytes;
        splice.Left -= bytes;
        return splice.Left == 0;
    }

    /// <summary>The source has nothing for the moment: others may use the pipe.</summary>
    public void Rest(Splice splice)
    {
        splice.Moved = 0;
        if (splice.Pipe is null) return;
        Pipes.Return(splice.Pipe);
        splice.Pipe = null;
    }

    /// <summary>The source leaves.</summary>
    /// <returns>True when the transfer is over; else the pipe's content still goes out.</returns>
    public bool Leave(Splice splice)
    {
        _from.Remove(splice.From!);
        splice.From = null;
        if (splice.Pending > 0) return false;
        End(splice);
        return true;
    }

    /// <summary>The transfer is over, also when bytes are left in the pipe: these are lost.</summary>
    public void End(Splice splice)
    {
        if (splice.From is not null) _from.Remove(splice.From);
        _to.Remove(splice.To);
        Rest(splice);
        splice.From = null;
        splice.To = null!;
        _free.Push(splice);
    }
}
