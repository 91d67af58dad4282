using System.Net;
using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>What the drivers of Linux share: connections by slot and generation, their turns, listeners, watches and splices.</summary>
internal abstract unsafe class NativeLoop : ReactorLoop
{
    /// <summary>The loop's one receive buffer. 256 KiB measured better than 64 KiB for bulk, and no worse for messages.</summary>
    internal const int ScratchSize = 256 * 1024;

    /// <summary>Generations fit beside the slot and, for io_uring, the kind of the operation.</summary>
    internal const uint MostGeneration = 0xFF_FFFF;

    private readonly Stack<int> _freeSlots = new();
    private readonly Queue<NativeConnection> _ready = new();
    private readonly ConnectionCache<NativeConnection> _cache = new();
    private readonly List<NativeListener> _listeners = [];
    private NativeConnection?[] _connections = new NativeConnection?[64];
    private int _usedSlots;
    private uint _lastGeneration;
    private bool _descriptorFreed;

    protected NativeLoop(string name, TimeProvider time, Action<Exception>? onHandlerError, bool splice)
        : base(name, time, onHandlerError)
    {
        Splices = new Splices(splice);
        Scratch = (byte*)NativeMemory.AlignedAlloc(ScratchSize, 4096);
    }

    /// <summary>Where every read of this loop lands. Its content lives until the next read.</summary>
    internal byte* Scratch { get; }

    /// <summary>Transfers that do not come to user space.</summary>
    internal Splices Splices { get; }

    /// <summary>Descriptors of others.</summary>
    protected DescriptorWatches Watches { get; } = new();

    protected sealed override bool HasReady => _ready.Count > 0 || _descriptorFreed;

    public sealed override Listener Listen(EndPoint address, in ListenOptions options, IAcceptHandler handler)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(handler);
        RequireOwner();
        NativeListener listener = NativeListener.Open(this, address, options, handler);
        _listeners.Add(listener);
        return listener;
    }

    public sealed override Connection Connect(EndPoint address, IConnectionHandler handler, ConnectOptions? options = null, PeerAddress client = default)
    {
        RequireOwner();
        byte* native = stackalloc byte[NativeAddress.Capacity];
        uint length = NativeAddress.Write(address, native, out int family);
        bool isUnix = family == Libc.AddressFamilyUnix;
        PeerAddress peer = NativeAddress.Read(native);
        NativeConnection connection = Rent(handler);
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
    internal void Accepted(NativeListener listener, IAcceptHandler handler, int descriptor, in PeerAddress peer)
    {
        NativeConnection connection = Rent(Unhandled.Instance);
        connection.BeginAccepted(descriptor, peer, listener.IsUnix);
        try
        {
            if (Register(connection, descriptor)) handler.OnAccepted(listener, connection);
            else handler.OnLost(listener);
            if (connection.Handler == Unhandled.Instance) connection.Close();
            else connection.OnBegun();
        }
        catch (Exception exception)
        {
            HandlerFailed(connection, exception);
        }
    }

    /// <summary>Takes a descriptor that another loop has accepted. Any thread.</summary>
    internal void Adopt(NativeListener listener, IAcceptHandler handler, int descriptor, PeerAddress peer)
    {
        if (!Post(_ => Accepted(listener, handler, descriptor, in peer), null)) _ = Libc.Close(descriptor);
    }

    /// <summary>Asks for a turn after this one's events. The connection makes sure that it is in the queue once.</summary>
    internal void Enqueue(NativeConnection connection) => _ready.Enqueue(connection);

    /// <summary>The connection is over: closes its descriptor and frees the slot, now or when the kernel is done with it.</summary>
    internal void Unregister(NativeConnection connection, int descriptor)
    {
        _descriptorFreed |= HasStarvedListener;
        CloseDescriptor(connection, descriptor);
    }

    internal void Remove(NativeListener listener) => _listeners.Remove(listener);

    /// <summary>A listener has run out of descriptors or memory and waits.</summary>
    internal void CountStarved()
    {
        CountShortage();
        Splices.Pipes.CloseIdle();
    }

    /// <summary>An object of this driver for a listening socket.</summary>
    internal abstract NativeListener MakeListener(int descriptor, EndPoint local, IAcceptHandler handler);

    /// <summary>An object of this driver for a connection.</summary>
    protected abstract NativeConnection MakeConnection(IConnectionHandler handler);

    /// <summary>Makes the kernel report what happens to a connection that has its slot.</summary>
    /// <returns>False when it refuses.</returns>
    protected abstract bool Begin(NativeConnection connection, int descriptor);

    /// <summary>Closes a connection's descriptor and calls <see cref="FreeSlot"/>, now or when the kernel is done with it.</summary>
    protected abstract void CloseDescriptor(NativeConnection connection, int descriptor);

    /// <summary>The connection of a slot, if it still is the one that was meant.</summary>
    protected NativeConnection? Find(int slot, uint generation) =>
        _connections[slot] is { } connection && connection.Generation == generation ? connection : null;

    /// <summary>The slot may have another tenant.</summary>
    internal void FreeSlot(NativeConnection connection)
    {
        _connections[connection.Slot] = null;
        _freeSlots.Push(connection.Slot);
        _cache.Released(connection);
    }

    /// <summary>To be called when the next turn begins: nothing can reach the closed connections any more, unless they wait for a turn of their own.</summary>
    protected void EndTurn() => _cache.EndTurn(static connection => !connection.IsQueued);

    /// <summary>The listener of an event; null when it has been closed.</summary>
    protected NativeListener? FindListener(uint id)
    {
        foreach (NativeListener listener in _listeners)
        {
            if (listener.Id == id) return listener;
        }

        return null;
    }

    protected sealed override void RunReady()
    {
        if (_descriptorFreed)
        {
            _descriptorFreed = false;
            foreach (NativeListener listener in _listeners) listener.RetryAccept();
        }

        for (int count = _ready.Count; count > 0; count--)
        {
            NativeConnection connection = _ready.Dequeue();
            try
            {
                connection.OnTurn();
            }
            catch (Exception exception)
            {
                HandlerFailed(connection, exception);
            }
        }
    }

    /// <summary>Closes every listener and connection.</summary>
    protected void CloseAll()
    {
        while (_listeners.Count > 0) _listeners[^1].Close();
        for (int i = 0; i < _usedSlots; i++) _connections[i]?.Close();
        _ready.Clear();
        Splices.Pipes.CloseIdle();
    }

    protected override void Release() => NativeMemory.AlignedFree(Scratch);

    private bool HasStarvedListener
    {
        get
        {
            foreach (NativeListener listener in _listeners)
            {
                if (listener.IsStarved) return true;
            }

            return false;
        }
    }

    private NativeConnection Rent(IConnectionHandler handler)
    {
        NativeConnection connection = _cache.Rent() ?? MakeConnection(handler);
        connection.Handler = handler;
        return connection;
    }

    private bool Register(NativeConnection connection, int descriptor)
    {
        int slot = _freeSlots.Count > 0 ? _freeSlots.Pop() : _usedSlots++;
        if (slot == _connections.Length) Array.Resize(ref _connections, slot * 2);
        if (++_lastGeneration > MostGeneration) _lastGeneration = 1;
        _connections[slot] = connection;
        connection.Slot = slot;
        connection.Generation = _lastGeneration;
        return Begin(connection, descriptor);
    }

    protected void HandlerFailed(NativeConnection connection, Exception exception)
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
