using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using static Lb.Transport.ConnectionFlags;

namespace Lb.Transport;

/// <summary>A connection of the managed driver. This file is what handlers call; <c>ManagedConnection.Events.cs</c> is what the loop calls.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Close and Abort dispose of them; that is the contract of a connection.")]
internal sealed partial class ManagedConnection(ManagedLoop loop) : Connection
{
    private Socket? _socket;
    private SocketOperation? _watch;
    private ManagedSender? _sender;
    private PeerAddress _peer;
    private ConnectionFlags _flags;
    private CloseReason _failure;

    /// <summary>Place in the loop's list.</summary>
    internal int Slot;

    public override bool IsOpen => (_flags & (Live | Connecting)) == Live;

    public override EventLoop Loop => loop;

    public override int PendingBytes => (_flags & (Live | Failed)) == Live ? _sender?.Length ?? 0 : 0;

    public override SendResult Send(ReadOnlySpan<byte> data)
    {
        Debug.Assert(loop.IsOwner, "Connections belong to the loop's thread.");
        if ((_flags & (Live | Failed | ShutdownAsked)) != Live) return SendToClosed();
        if (PendingBytes == 0 && (_flags & Connecting) == 0)
        {
            if (data.IsEmpty) return SendResult.Sent;
            int sent = _socket!.Send(data, SocketFlags.None, out SocketError error);
            if (sent == data.Length) return SendResult.Sent;

            // A part may have been taken although the rest would block.
            if (error is not SocketError.Success and not SocketError.WouldBlock)
            {
                Fail(SocketReasons.ToCloseReason(error));
                return SendResult.Closed;
            }

            data = data[Math.Max(0, sent)..];
        }

        _sender ??= new ManagedSender(new SocketOperation(loop, this, static connection => connection.OnSent()));
        _sender.Append(data);
        if ((_flags & Connecting) == 0) _sender.Start(_socket!);
        return SendResult.Pending;
    }

    public override void PauseReading() => _flags |= Paused;

    public override void DropOnReset() => _flags |= ConnectionFlags.DropOnReset;

    public override void ResumeReading()
    {
        if ((_flags & Paused) == 0) return;
        _flags &= ~Paused;
        if ((_flags & (Live | Connecting)) == Live && (_flags & (Readable | Failed)) != 0) Enqueue();
    }

    public override void ShutdownSend()
    {
        if ((_flags & (Live | ShutdownAsked)) != Live) return;
        _flags |= ShutdownAsked;
        if ((_flags & (Connecting | Failed)) == 0 && PendingBytes == 0) SendEndOfStream();
    }

    public override void Close()
    {
        Debug.Assert(loop.IsOwner, "Connections belong to the loop's thread.");
        if ((_flags & Live) == 0) return;
        if ((_flags & (Connecting | Failed | EndOfStream)) == 0) Discard();

        // Without it the framework would reset a connection that has an operation under way, and an idle one always has: its watch.
        if ((_flags & (Connecting | Failed)) == 0) SendEndOfStream();
        Release();
    }

    public override void Abort()
    {
        Debug.Assert(loop.IsOwner, "Connections belong to the loop's thread.");
        if ((_flags & Live) == 0) return;
        if (_socket is not null && (_flags & Unix) == 0)
        {
            try
            {
                _socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            catch (SocketException)
            {
                // It is broken already.
            }
        }

        Release();
    }

    public override void Vanish()
    {
        if ((_flags & (Live | Unix)) == Live && OperatingSystem.IsLinux() && _socket is not null) SilentClose.Prepare((int)_socket.Handle);
        Abort();
    }

    public override void GetPeer(out PeerAddress address) => address = _peer;

    public override void GetLocal(out PeerAddress address) =>
        address = _socket?.LocalEndPoint is IPEndPoint endPoint ? PeerAddress.From(endPoint) : default;

    private SendResult SendToClosed()
    {
        if ((_flags & (Live | Failed)) == Live) throw new InvalidOperationException("Send after ShutdownSend.");
        return SendResult.Closed;
    }

    private void SendEndOfStream()
    {
        try
        {
            _socket!.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The peer has reset it: reading reports that.
        }
    }

    /// <summary>Closing over unread data makes the kernel send RST, and RST takes back what the peer has not read yet.</summary>
    private void Discard()
    {
        Span<byte> block = stackalloc byte[4096]; // not the scratch buffer: a handler may be looking at it
        for (int i = 0; i < 64; i++)
        {
            if (_socket!.Receive(block, SocketFlags.None, out SocketError error) <= 0 || error != SocketError.Success) return;
        }
    }

    /// <summary>The connection is broken. The handler hears it in this connection's next turn, after the data that arrived before.</summary>
    private void Fail(CloseReason reason)
    {
        _failure = reason;
        _flags |= Failed;
        Enqueue();
    }

    private void Enqueue()
    {
        if ((_flags & Queued) != 0) return;
        _flags |= Queued;
        loop.Enqueue(this);
    }

    private void Release()
    {
        _flags = None;
        if (_socket is null) return;
        loop.Unregister(this);
        _socket.Dispose();
        _socket = null;
        _sender?.Drop();
        _watch?.Dispose(); // waits for its end by itself
    }
}
