using static Lb.Transport.ConnectionFlags;

namespace Lb.Transport;

internal abstract unsafe partial class NativeConnection
{
    /// <summary>Full buffers one connection may read in a turn before the others are asked: 1 MiB.</summary>
    private const int ReadsPerTurn = 4;

    private const uint NoFurtherEdge = Libc.EpollReadHangUp | Libc.EpollHangUp | Libc.EpollError | Libc.EpollPriority;

    /// <summary>An accepted descriptor, about to be registered.</summary>
    internal void BeginAccepted(int descriptor, in PeerAddress peer, bool isUnix)
    {
        _descriptor = descriptor;
        _peer = peer;
        _flags = Live | Writable | Family(isUnix);
    }

    /// <summary>A descriptor whose connect is under way, about to be registered.</summary>
    internal void BeginConnecting(int descriptor, in PeerAddress peer, bool isUnix)
    {
        _descriptor = descriptor;
        _peer = peer;
        _flags = Live | Connecting | Family(isUnix);
    }

    /// <summary>A connect that failed at once: the handler hears it in a later turn.</summary>
    internal void BeginFailed(in PeerAddress peer, CloseReason reason)
    {
        _peer = peer;
        _flags = Live | Connecting;
        Fail(reason);
    }

    /// <summary>The accept handler has taken it: reading starts.</summary>
    internal virtual void OnBegun()
    {
    }

    /// <summary>The kernel reports edges.</summary>
    internal void OnEvents(uint events)
    {
        if ((events & (Libc.EpollIn | NoFurtherEdge)) != 0)
        {
            _flags |= Readable;

            // After a hang-up no edge follows, so the end must be read now; and a read stops short at urgent data.
            if ((events & NoFurtherEdge) != 0) _flags |= ReadToEnd;
            if ((events & Libc.EpollError) != 0) _flags |= ErrorSeen;
        }

        if ((_flags & Connecting) != 0 && !FinishConnect(events)) return;
        if ((events & Libc.EpollOut) != 0)
        {
            _flags |= Writable;
            if (PendingBytes > 0) Flush();
        }

        ReadTurn();
        if ((_flags & (Failed | ErrorSeen)) != 0) SettleError();
    }

    /// <summary>The turn that <see cref="Enqueue"/> asked for.</summary>
    internal virtual void OnTurn()
    {
        _flags &= ~Queued;
        if ((_flags & Live) == 0) return;
        if ((_flags & Connecting) != 0)
        {
            if ((_flags & Failed) != 0) End(Failure);
            return;
        }

        ReadTurn();
        if ((_flags & (Failed | ErrorSeen)) != 0) SettleError();
    }

    /// <summary>A handler has thrown: it is in no known state, so the peer is told that the stream is broken, and the handler that it is over.</summary>
    internal void OnHandlerFailed()
    {
        if ((_flags & Live) == 0) return;
        Abort();
        Handler.OnClosed(this, CloseReason.LocalError);
    }

    private static ConnectionFlags Family(bool isUnix) =>
        // Reading a Unix socket stops short where a peer passes descriptors; on TCP only urgent data and hang-ups do, and those are reported.
        isUnix ? Unix | ReadToEnd : None;

    /// <returns>False when the connection is not established, or not any more.</returns>
    private bool FinishConnect(uint events)
    {
        if ((events & (Libc.EpollError | Libc.EpollHangUp)) != 0)
        {
            int error = Libc.TakeError(_descriptor);
            if (error != 0)
            {
                End(Errno.ToCloseReason(error));
                return false;
            }

            _flags &= ~ErrorSeen;
        }
        else if ((events & Libc.EpollOut) == 0)
        {
            return false;
        }

        _flags = (_flags & ~Connecting) | Writable;
        if ((_flags & ShutdownAsked) != 0 && _pending.Length == 0) SendEndOfStream();
        Handler.OnConnected(this);
        return (_flags & Live) != 0;
    }

    private protected void Flush()
    {
        if ((_flags & SplicedInto) != 0 && !FlushPipe()) return;
        while (_pending.Length > 0)
        {
            nint sent = Write(_pending.Start, _pending.Length);
            if (sent < 0) return;
            _pending.Consume((int)sent);
            if ((_flags & Writable) == 0) return;
        }

        if ((_flags & ShutdownAsked) != 0) SendEndOfStream();
        if ((_flags & SplicedInto) != 0) SpliceOn();
        Handler.OnDrained(this);
    }

    /// <summary>
    /// Moves what waits from the kernel to the handler, a bounded amount. The one place that reads: splicing takes over here
    /// after two big reads, and a completion driver calls <see cref="IConnectionHandler.OnData"/> with the kernel's own buffer instead.
    /// </summary>
    private protected virtual void ReadTurn()
    {
        for (int i = 0; i < ReadsPerTurn; i++)
        {
            // The handler may have closed or paused it, also in OnDrained or OnConnected before.
            if ((_flags & (Live | Readable | Paused | EndOfStream)) != (Live | Readable)) return;
            if ((_flags & Splicing) != 0)
            {
                SpliceStep step = SpliceOnce();
                if (step == SpliceStep.Moved) continue;
                if (step == SpliceStep.Blocked) return;
            }

            nint received = Libc.Receive(_descriptor, loop.Scratch, NativeLoop.ScratchSize, 0);
            if (received <= 0)
            {
                if (received == 0) OnReadEnd();
                else OnReadError(Libc.Errno);
                return;
            }

            if (received < NativeLoop.ScratchSize && (_flags & ReadToEnd) == 0) _flags &= ~Readable;
            if (received < BigReadSize) _flags &= ~(BigRead | Bulk);
            else _flags |= BigRead | (ConnectionFlags)((int)(_flags & BigRead) << 1);
            Handler.OnData(this, new ReadOnlySpan<byte>(loop.Scratch, (int)received));
        }

        if ((_flags & (Live | Readable | Paused)) == (Live | Readable)) Enqueue();
    }

    private protected void OnReadEnd()
    {
        // After an error was taken by a failed send, the kernel says "end" to what was cut off.
        if ((_flags & Failed) != 0)
        {
            End(Failure);
            return;
        }

        _flags |= EndOfStream;
        Handler.OnEndOfStream(this);
    }

    private void OnReadError(int error)
    {
        switch (error)
        {
            case Errno.Again:
                _flags &= ~Readable;
                return;
            case Errno.Interrupted:
                Enqueue();
                return;
            default:
                End((_flags & Failed) != 0 ? Failure : Errno.ToCloseReason(error));
                return;
        }
    }

    /// <summary>The kernel takes no more for now. It has promised an event for when it does again, or is asked for one here.</summary>
    private protected virtual void WriteBlocked() => _flags &= ~Writable;

    /// <summary>The connection is broken: tells the handler once nothing is left to read.</summary>
    private protected void SettleError()
    {
        if ((_flags & Live) == 0) return;

        // More to read: ReadTurn has asked for another turn.
        if ((_flags & (Readable | Paused | EndOfStream)) == Readable) return;
        if ((_flags & (Paused | EndOfStream | ConnectionFlags.DropOnReset)) == Paused && DataWaits()) return;
        if ((_flags & Failed) == 0)
        {
            _flags &= ~ErrorSeen;
            int error = Libc.TakeError(_descriptor);
            if (error == 0) return;
            Failure = Errno.ToCloseReason(error);
        }

        End(Failure);
    }

    /// <summary>True when a paused connection has data the handler will want; false when its end or its error is next.</summary>
    private protected virtual bool DataWaits()
    {
        byte first;
        nint waiting = Libc.Receive(_descriptor, &first, 1, Libc.MessagePeek);
        if (waiting >= 0) return waiting > 0;
        if (Libc.Errno is not Errno.Again and not Errno.Interrupted && (_flags & Failed) == 0)
        {
            // Peeking has taken the error out of the socket.
            _flags |= Failed;
            Failure = Errno.ToCloseReason(Libc.Errno);
        }

        return false;
    }

    private protected void End(CloseReason reason)
    {
        Release();
        Handler.OnClosed(this, reason);
    }
}
