using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>The loop on epoll(7): Linux's default and the reference for other drivers.</summary>
internal sealed unsafe class EpollLoop : ReactorLoop
{
    /// <summary>The loop's one receive buffer. 256 KiB measured better than 64 KiB for bulk, and no worse for messages.</summary>
    internal const int ScratchSize = 256 * 1024;

    private const int EventCapacity = 256;
    private const uint ConnectionEvents = Libc.EpollIn | Libc.EpollOut | Libc.EpollReadHangUp | Libc.EpollPriority | Libc.EpollEdge;

    // User data of an event: generation in the high half, slot in the low one. Generation 0 is not a connection.
    private const ulong MailboxTag = uint.MaxValue;

    private readonly int _epoll;
    private readonly int _wakeUp;
    private readonly byte* _events;
    private readonly Stack<int> _freeSlots = new();
    private readonly Queue<EpollConnection> _ready = new();
    private readonly ConnectionCache<EpollConnection> _cache = new();
    private readonly List<EpollListener> _listeners = [];
    private EpollConnection?[] _connections = new EpollConnection?[64];
    private int _usedSlots;
    private uint _lastGeneration;
    private bool _descriptorFreed;

    public EpollLoop(string name, TimeProvider time, Action<Exception>? onHandlerError, bool splice)
        : base(name, time, onHandlerError)
    {
        Splices = new Splices(splice);
        _epoll = Libc.EpollCreate(Libc.SockCloseOnExec);
        if (_epoll < 0) throw Errno.ToException(Libc.Errno, "epoll_create1");
        _wakeUp = Libc.EventDescriptor(0, Libc.SockNonBlocking | Libc.SockCloseOnExec);

        // Edge-triggered: every write is an edge, so the counter is never read back.
        if (_wakeUp < 0 || Libc.EpollRegister(_epoll, _wakeUp, Libc.EpollIn | Libc.EpollEdge, MailboxTag) != 0)
        {
            int error = Libc.Errno;
            if (_wakeUp >= 0) _ = Libc.Close(_wakeUp);
            _ = Libc.Close(_epoll);
            throw Errno.ToException(error, "eventfd");
        }

        Scratch = (byte*)NativeMemory.AlignedAlloc(ScratchSize, 4096);
        _events = (byte*)NativeMemory.Alloc(EventCapacity, 16);
    }

    /// <summary>Where every read of this loop lands. Its content lives until the next read.</summary>
    internal byte* Scratch { get; }

    internal int Epoll => _epoll;

    /// <summary>Transfers that do not come to user space.</summary>
    internal Splices Splices { get; }

    protected override bool HasReady => _ready.Count > 0 || _descriptorFreed;

    public override Listener Listen(EndPoint address, in ListenOptions options, IAcceptHandler handler)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(handler);
        RequireOwner();
        EpollListener listener = EpollListener.Open(this, address, options, handler);
        _listeners.Add(listener);
        return listener;
    }

    public override Connection Connect(EndPoint address, IConnectionHandler handler, ConnectOptions? options = null, PeerAddress client = default)
    {
        RequireOwner();
        byte* native = stackalloc byte[NativeAddress.Capacity];
        uint length = NativeAddress.Write(address, native, out int family);
        bool isUnix = family == Libc.AddressFamilyUnix;
        PeerAddress peer = NativeAddress.Read(native);
        EpollConnection connection = Rent(handler);
        int descriptor = ConnectSocket.Open(native, length, family, options, in client, out CloseReason reason);
        if (descriptor < 0)
        {
            connection.BeginFailed(peer, reason);
            return connection;
        }

        // Registering reports what has happened since, so an answer that is there already is not missed.
        connection.BeginConnecting(descriptor, peer, isUnix);
        if (!Register(connection, descriptor))
        {
            connection.Close();
            connection.BeginFailed(peer, CloseReason.LocalError);
        }

        return connection;
    }

    /// <summary>Takes an accepted descriptor in and shows it to the handler.</summary>
    internal void Accepted(EpollListener listener, IAcceptHandler handler, int descriptor, in PeerAddress peer)
    {
        EpollConnection connection = Rent(Unhandled.Instance);
        connection.BeginAccepted(descriptor, peer, listener.IsUnix);
        try
        {
            if (Register(connection, descriptor)) handler.OnAccepted(listener, connection);
            if (connection.Handler == Unhandled.Instance) connection.Close();
        }
        catch (Exception exception)
        {
            HandlerFailed(connection, exception);
        }
    }

    /// <summary>Takes a descriptor that another loop has accepted. Any thread.</summary>
    internal void Adopt(EpollListener listener, IAcceptHandler handler, int descriptor, PeerAddress peer)
    {
        if (!Post(_ => Accepted(listener, handler, descriptor, in peer), null)) _ = Libc.Close(descriptor);
    }

    /// <summary>Asks for a turn after this one's events. The connection makes sure that it is in the queue once.</summary>
    internal void Enqueue(EpollConnection connection) => _ready.Enqueue(connection);

    /// <summary>Frees the slot and closes the descriptor, which also takes it out of the epoll set.</summary>
    internal void Unregister(EpollConnection connection, int descriptor)
    {
        _connections[connection.Slot] = null;
        _freeSlots.Push(connection.Slot);
        _cache.Released(connection);
        _descriptorFreed |= HasStarvedListener;
        _ = Libc.Close(descriptor);
    }

    internal void Remove(EpollListener listener) => _listeners.Remove(listener);

    /// <summary>A listener has run out of descriptors or memory and waits.</summary>
    internal void CountStarved()
    {
        CountShortage();
        Splices.Pipes.CloseIdle();
    }

    protected override int Wait(int milliseconds) => Libc.EpollWait(_epoll, _events, EventCapacity, milliseconds);

    protected override void Wake()
    {
        ulong one = 1;
        _ = Libc.Write(_wakeUp, &one, sizeof(ulong));
    }

    protected override void Dispatch(int count)
    {
        // A negative count is an interrupted call: the turn finds nothing and sleeps again.
        for (int i = 0; i < count; i++)
        {
            byte* item = _events + i * Libc.EventSize;
            uint events = *(uint*)item;
            ulong tag = Unsafe.ReadUnaligned<ulong>(item + Libc.EventDataOffset);
            uint generation = (uint)(tag >> 32);
            if (generation == 0)
            {
                if (tag != MailboxTag) AcceptFrom((uint)tag);
                continue;
            }

            // An event of a connection that was closed earlier in this batch carries an older generation than the slot's new tenant.
            EpollConnection? connection = _connections[(uint)tag];
            if (connection is null || connection.Generation != generation) continue;
            try
            {
                connection.OnEvents(events);
            }
            catch (Exception exception)
            {
                HandlerFailed(connection, exception);
            }
        }
    }

    protected override void RunReady()
    {
        if (_descriptorFreed)
        {
            _descriptorFreed = false;
            foreach (EpollListener listener in _listeners) listener.RetryAccept();
        }

        for (int count = _ready.Count; count > 0; count--)
        {
            EpollConnection connection = _ready.Dequeue();
            try
            {
                connection.OnTurn();
            }
            catch (Exception exception)
            {
                HandlerFailed(connection, exception);
            }
        }

        // Nothing of this turn can reach the closed ones any more, unless they wait for a turn of their own.
        _cache.EndTurn(static connection => !connection.IsQueued);
    }

    private EpollConnection Rent(IConnectionHandler handler)
    {
        EpollConnection connection = _cache.Rent() ?? new EpollConnection(this) { Handler = handler };
        connection.Handler = handler;
        return connection;
    }

    protected override void Release()
    {
        while (_listeners.Count > 0) _listeners[^1].Close();
        for (int i = 0; i < _usedSlots; i++) _connections[i]?.Close();
        _ready.Clear();
        Splices.Pipes.CloseIdle();
        _ = Libc.Close(_wakeUp);
        _ = Libc.Close(_epoll);
        NativeMemory.AlignedFree(Scratch);
        NativeMemory.Free(_events);
    }

    private bool HasStarvedListener
    {
        get
        {
            foreach (EpollListener listener in _listeners)
            {
                if (listener.IsStarved) return true;
            }

            return false;
        }
    }

    private void AcceptFrom(uint id)
    {
        foreach (EpollListener listener in _listeners)
        {
            if (listener.Id != id) continue;
            listener.AcceptTurn();
            return;
        }
    }

    private bool Register(EpollConnection connection, int descriptor)
    {
        int slot = _freeSlots.Count > 0 ? _freeSlots.Pop() : _usedSlots++;
        if (slot == _connections.Length) Array.Resize(ref _connections, slot * 2);
        if (++_lastGeneration == 0) _lastGeneration = 1;
        _connections[slot] = connection;
        connection.Slot = slot;
        connection.Generation = _lastGeneration;
        return Libc.EpollRegister(_epoll, descriptor, ConnectionEvents, (ulong)_lastGeneration << 32 | (uint)slot) == 0;
    }

    private void HandlerFailed(EpollConnection connection, Exception exception)
    {
        Report(exception);
        try
        {
            connection.OnHandlerFailed();
        }
        catch (Exception second)
        {
            Report(second);
        }
    }
}
