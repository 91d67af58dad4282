using System.Net;
using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>
/// The loop on <see cref="Socket"/>, for every operating system. Asynchronous operations only tell that something is possible now; the
/// bytes themselves are moved by non-blocking calls on the loop's thread, so handlers meet the same rules as on the epoll driver.
/// </summary>
/// <remarks>One truth it can't match: after the peer's FIN, its reset is noticed by the next send only.</remarks>
internal sealed class ManagedLoop : ReactorLoop
{
    private readonly AutoResetEvent _wakeUp = new(initialState: false);
    private readonly Queue<ManagedConnection> _ready = new();
    private readonly List<ManagedConnection> _connections = [];
    private readonly List<ManagedListener> _listeners = [];
    private bool _descriptorFreed;

    public ManagedLoop(string name, TimeProvider time, Action<Exception>? onHandlerError)
        : base(name, time, onHandlerError)
    {
    }

    /// <summary>Where every read of this loop lands. On the pinned heap: the socket pins it for each call.</summary>
    internal byte[] Scratch { get; } = GC.AllocateUninitializedArray<byte>(256 * 1024, pinned: true);

    protected override bool HasReady => _ready.Count > 0 || _descriptorFreed;

    public override Listener Listen(EndPoint address, in ListenOptions options, IAcceptHandler handler)
    {
        RequireAddress(address);
        ArgumentNullException.ThrowIfNull(handler);
        RequireOwner();
        ManagedListener listener = ManagedListener.Open(this, address, options, handler);
        _listeners.Add(listener);
        return listener;
    }

    public override Connection Connect(EndPoint address, IConnectionHandler handler, ConnectOptions? options = null, PeerAddress client = default)
    {
        RequireAddress(address);
        RequireOwner();
        ManagedConnection connection = new(this) { Handler = handler };
        connection.BeginConnecting(address, options, in client);
        return connection;
    }

    /// <summary>Takes an accepted socket in and shows it to the handler.</summary>
    internal void Accepted(ManagedListener listener, IAcceptHandler handler, Socket socket)
    {
        ManagedConnection connection = new(this) { Handler = Unhandled.Instance };
        try
        {
            if (!connection.TryBeginAccepted(socket, listener.NoDelay))
            {
                handler.OnLost(listener);
                return;
            }

            handler.OnAccepted(listener, connection);
            if (connection.Handler == Unhandled.Instance) connection.Close();
            else connection.BeginReading();
        }
        catch (Exception exception)
        {
            HandlerFailed(connection, exception);
        }
    }

    /// <summary>Takes a socket that another loop has accepted. Any thread.</summary>
    internal void Adopt(ManagedListener listener, IAcceptHandler handler, Socket socket)
    {
        if (!Post(_ => Accepted(listener, handler, socket), null)) socket.Dispose();
    }

    /// <summary>Asks for a turn. The connection makes sure that it is in the queue once.</summary>
    internal void Enqueue(ManagedConnection connection) => _ready.Enqueue(connection);

    internal void Register(ManagedConnection connection)
    {
        connection.Slot = _connections.Count;
        _connections.Add(connection);
    }

    internal void Unregister(ManagedConnection connection)
    {
        ManagedConnection last = _connections[^1];
        _connections[connection.Slot] = last;
        last.Slot = connection.Slot;
        _connections.RemoveAt(_connections.Count - 1);
        foreach (ManagedListener listener in _listeners) _descriptorFreed |= listener.IsStarved;
    }

    internal void Remove(ManagedListener listener) => _listeners.Remove(listener);

    /// <summary>A listener has run out of descriptors or memory and waits.</summary>
    internal void CountStarved() => CountShortage();

    /// <summary>Runs the completion of a connection's operation, on this loop's thread.</summary>
    internal void Complete(ManagedConnection connection, Action<ManagedConnection> completion)
    {
        try
        {
            completion(connection);
        }
        catch (Exception exception)
        {
            HandlerFailed(connection, exception);
        }
    }

    protected override int Wait(int milliseconds)
    {
        _wakeUp.WaitOne(milliseconds);
        return 0;
    }

    protected override void Wake() => _wakeUp.Set();

    protected override void Dispatch(int count)
    {
        // Everything comes through the mailbox.
    }

    protected override void RunReady()
    {
        if (_descriptorFreed)
        {
            _descriptorFreed = false;
            for (int i = 0; i < _listeners.Count; i++) _listeners[i].RetryAccept();
        }

        for (int count = _ready.Count; count > 0; count--)
        {
            ManagedConnection connection = _ready.Dequeue();
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

    protected override void Release()
    {
        while (_listeners.Count > 0) _listeners[^1].Close();
        while (_connections.Count > 0) _connections[^1].Close();
        _ready.Clear();
        _wakeUp.Dispose();
    }

    private static void RequireAddress(EndPoint address)
    {
        if (address is not IPEndPoint and not UnixDomainSocketEndPoint)
            throw new ArgumentException($"An IPEndPoint or a UnixDomainSocketEndPoint is needed, not {address}.", nameof(address));
    }

    private void HandlerFailed(ManagedConnection connection, Exception exception)
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
