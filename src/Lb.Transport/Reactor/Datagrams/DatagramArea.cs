namespace Lb.Transport;

/// <summary>What all datagram sockets of one loop share: where messages land, and what waits to go out at the end of the turn.</summary>
internal sealed class DatagramArea : IDisposable
{
    private static readonly Action<object?> s_flush = static state => ((DatagramArea)state!).EndTurn();

    private readonly ReactorLoop _loop;
    private readonly List<NativeDatagramSocket> _sockets = [];
    private NativeDatagramSocket? _replying;
    private bool _posted;

    public DatagramArea(ReactorLoop loop)
    {
        _loop = loop;
        if (loop is ManagedLoop) return;
        FromClients = new DatagramReceiver(In, hasNames: true);
        FromServers = new DatagramReceiver(Out, hasNames: false);
        ToServers = new DatagramSender(In.Capacity);
        ToClients = new DatagramSender(Out.Capacity);
    }

    /// <summary>From clients; used again for every read.</summary>
    public DatagramBatch In { get; } = new(DatagramSocket.BatchSize);

    /// <summary>From servers; kept until the replies are gone.</summary>
    public DatagramBatch Out { get; } = new(2 * DatagramSocket.BatchSize);

    public DatagramReceiver? FromClients { get; }

    public DatagramReceiver? FromServers { get; }

    public DatagramSender? ToServers { get; }

    public DatagramSender? ToClients { get; }

    /// <summary>Queues messages of <see cref="Out"/>: one system call serves many clients.</summary>
    public void Reply(NativeDatagramSocket socket, int head, in DatagramAddress to, in DatagramAddress local)
    {
        if (_replying != socket) FlushReplies();
        _replying = socket;
        ToClients!.Add(socket, Out, head, to, local);
        if (_posted) return;
        _posted = _loop.Post(s_flush, this);
    }

    /// <summary>Sends what waits, and frees the slots. Not while a batch of them is being handled.</summary>
    public void Flush()
    {
        FlushReplies();
        Out.Used = 0;
    }

    /// <summary>Sends what waits.</summary>
    public void FlushReplies()
    {
        if (_replying is { } socket) ToClients!.Flush(socket);
        _replying = null;
    }

    private void EndTurn()
    {
        _posted = false;
        Flush();
    }

    public void Add(NativeDatagramSocket socket)
    {
        socket.Slot = _sockets.Count;
        _sockets.Add(socket);
    }

    public void Remove(NativeDatagramSocket socket)
    {
        NativeDatagramSocket last = _sockets[^1];
        _sockets[socket.Slot] = last;
        last.Slot = socket.Slot;
        _sockets.RemoveAt(_sockets.Count - 1);
    }

    /// <summary>After the loop's end: closes what is open.</summary>
    public void Dispose()
    {
        foreach (NativeDatagramSocket socket in _sockets) socket.CloseDescriptor();
        _sockets.Clear();
        In.Dispose();
        Out.Dispose();
        FromClients?.Dispose();
        FromServers?.Dispose();
        ToServers?.Dispose();
        ToClients?.Dispose();
    }
}
