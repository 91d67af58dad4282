using System.Net;
using System.Net.Sockets;
using static Lb.Transport.ConnectionFlags;

namespace Lb.Transport;

internal sealed partial class ManagedConnection
{
    /// <summary>Full buffers one connection may read in a turn before the others are asked: 1 MiB.</summary>
    private const int ReadsPerTurn = 4;

    /// <summary>Takes an accepted socket over.</summary>
    /// <returns>False when it is dead already.</returns>
    internal bool TryBeginAccepted(Socket socket, bool noDelay)
    {
        try
        {
            Adopt(socket, socket.AddressFamily == AddressFamily.Unix);
            if ((_flags & Unix) == 0) socket.NoDelay = noDelay;
            if (socket.RemoteEndPoint is IPEndPoint peer) _peer = PeerAddress.From(peer);
            _flags |= Live;
            return true;
        }
        catch (SocketException)
        {
            // Reset between the accept and now.
            _flags |= Live;
            Release();
            return false;
        }
    }

    /// <summary>Begins a connect; the handler hears its result in a later turn, whatever it is.</summary>
    internal void BeginConnecting(EndPoint address, ConnectOptions? options, in PeerAddress client)
    {
        if (address is IPEndPoint ip) _peer = PeerAddress.From(ip);
        _flags = Live | Connecting;
        bool isUnix = address is UnixDomainSocketEndPoint;
        for (int tries = isUnix || options is null ? 1 : options.Tries; ; tries--)
        {
            SocketError error = TryConnect(address, isUnix, options, in client);
            if (error == SocketError.Success) return;

            // Bound by somebody else, or in use towards this very server: the next port.
            bool isPort = !isUnix && error is SocketError.AddressAlreadyInUse or SocketError.AddressNotAvailable;
            if (isPort && tries > 1) continue;
            Fail(SocketReasons.OfConnect(error, isUnix));
            return;
        }
    }

    /// <summary>One attempt; an error that is known at once, else success, whatever the answer will be.</summary>
    private SocketError TryConnect(EndPoint address, bool isUnix, ConnectOptions? options, in PeerAddress client)
    {
        Socket? socket = null;
        SocketError error;
        try
        {
            socket = isUnix
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (!isUnix) (options?.Tuning ?? SocketTuning.Default).Apply(socket);
            if (!isUnix) options?.Bind(socket, in client);
            SocketOperation connect = new(loop, this, static connection => connection.OnConnectAnswered()) { RemoteEndPoint = address };
            bool isPending = socket.ConnectAsync(connect);
            error = connect.SocketError;
            if (isPending || options is null || error is not SocketError.AddressNotAvailable)
            {
                Adopt(socket, isUnix);
                _watch = connect;
                if (!isPending) connect.CompleteLater();
                return SocketError.Success;
            }

            connect.Dispose();
        }
        catch (SocketException exception)
        {
            // The source address is not here, and no other port of it will be.
            error = !isUnix && exception.SocketErrorCode == SocketError.AddressNotAvailable ? SocketError.SocketError : exception.SocketErrorCode;
        }

        socket?.Dispose();
        return error;
    }

    /// <summary>The accept handler has seen the connection.</summary>
    internal void BeginReading()
    {
        if ((_flags & Live) != 0) Watch();
    }

    /// <summary>The turn that <see cref="Enqueue"/> asked for.</summary>
    internal void OnTurn()
    {
        _flags &= ~Queued;
        if ((_flags & Live) == 0) return;
        if ((_flags & Connecting) != 0)
        {
            if ((_flags & Failed) != 0) End(_failure);
            return;
        }

        ContinueReading();
    }

    /// <summary>A handler has thrown: it is in no known state, so the peer is told that the stream is broken, and the handler that it is over.</summary>
    internal void OnHandlerFailed()
    {
        if ((_flags & Live) == 0) return;
        Abort();
        Handler.OnClosed(this, CloseReason.LocalError);
    }

    private void Adopt(Socket socket, bool isUnix)
    {
        _socket = socket;
        loop.Register(this);
        if (isUnix) _flags |= Unix;
        socket.Blocking = false;
    }

    private void OnConnectAnswered()
    {
        if ((_flags & Live) == 0) return;
        SocketError error = _watch!.SocketError;
        _watch.Dispose();
        _watch = null;
        if (error != SocketError.Success)
        {
            End(SocketReasons.OfConnect(error, (_flags & Unix) != 0));
            return;
        }

        _flags &= ~Connecting;
        if ((_flags & ShutdownAsked) != 0 && PendingBytes == 0) SendEndOfStream();
        Handler.OnConnected(this);
        if ((_flags & Live) == 0) return;
        _sender?.Start(_socket!);
        Watch();
    }

    private void OnSent()
    {
        SocketError error = _sender!.Error;
        _sender.Landed();
        if ((_flags & (Live | Failed)) != Live) return;
        if (error != SocketError.Success)
        {
            Fail(SocketReasons.ToCloseReason(error));
            return;
        }

        _sender.Start(_socket!);
        if (_sender.Length > 0) return;
        if ((_flags & ShutdownAsked) != 0) SendEndOfStream();
        Handler.OnDrained(this);
    }

    /// <summary>Asks to be told when there is something to read, by a read of nothing: an idle connection lends no buffer.</summary>
    private void Watch()
    {
        if ((_flags & (Watching | Readable | EndOfStream)) != 0) return;
        _flags |= Watching;
        if (_watch is null)
        {
            _watch = new SocketOperation(loop, this, static connection => connection.OnWatched());
            _watch.SetBuffer(loop.Scratch, 0, 0);
        }

        if (_socket!.ReceiveAsync(_watch)) return;
        TakeWatch();
        Enqueue();
    }

    private void OnWatched()
    {
        if ((_flags & Live) == 0) return;
        TakeWatch();
        ContinueReading();
    }

    /// <summary>Remembers what the watch has found: data, the end, or an error, which is found only when nothing waits before it.</summary>
    private void TakeWatch()
    {
        _flags = (_flags & ~Watching) | Readable;
        SocketError error = _watch!.SocketError;

        // A watch may end without saying why. Reading would tell, but a paused connection does not read: look.
        if (error == SocketError.Success && (_flags & Paused) != 0) _socket!.Receive(stackalloc byte[1], SocketFlags.Peek, out error);
        if (error is SocketError.Success or SocketError.WouldBlock || (_flags & Failed) != 0) return;
        _flags |= Failed;
        _failure = SocketReasons.ToCloseReason(error);
    }

    private void ContinueReading()
    {
        ReadTurn();
        if ((_flags & (Live | Failed)) == (Live | Failed)) SettleError();
    }

    /// <summary>Moves what waits from the kernel to the handler, a bounded amount.</summary>
    private void ReadTurn()
    {
        byte[] scratch = loop.Scratch;
        for (int i = 0; i < ReadsPerTurn; i++)
        {
            if ((_flags & (Live | Readable | Paused | EndOfStream)) != (Live | Readable)) break;
            int received = _socket!.Receive(scratch, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock)
            {
                _flags &= ~Readable;
                break;
            }

            if (error != SocketError.Success)
            {
                End((_flags & Failed) != 0 ? _failure : SocketReasons.ToCloseReason(error));
                return;
            }

            if (received == 0)
            {
                OnReadEnd();
                return;
            }

            // The watch looks again at once, so a short read may be taken for the last one.
            if (received < scratch.Length) _flags &= ~Readable;
            Handler.OnData(this, new ReadOnlySpan<byte>(scratch, 0, received));
        }

        if ((_flags & Live) == 0) return;
        if ((_flags & Readable) == 0) Watch();
        else if ((_flags & (Paused | EndOfStream)) == 0) Enqueue();
    }

    private void OnReadEnd()
    {
        // After an error was taken by a failed send, the kernel says "end" to what was cut off.
        if ((_flags & Failed) != 0)
        {
            End(_failure);
            return;
        }

        _flags |= EndOfStream;
        Handler.OnEndOfStream(this);
    }

    /// <summary>The connection is broken: tells the handler once nothing is left to read.</summary>
    private void SettleError()
    {
        bool mayRead = (_flags & EndOfStream) == 0;
        if (mayRead && (_flags & (Readable | Paused)) == Readable) return; // ReadTurn has asked for another turn
        if (mayRead && (_flags & ConnectionFlags.DropOnReset) == 0 && DataWaits()) return; // it comes by the watch, or after ResumeReading
        End(_failure);
    }

    private bool DataWaits()
    {
        try
        {
            return _socket!.Available > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void End(CloseReason reason)
    {
        Release();
        Handler.OnClosed(this, reason);
    }
}
