using System.Diagnostics;
using static Lb.Transport.ConnectionFlags;

namespace Lb.Transport;

/// <summary>
/// A connection of the drivers of Linux. This file is what handlers call; <c>NativeConnection.Events.cs</c> is what the loop calls. A driver adds how
/// the kernel is asked for events.
/// </summary>
/// <remarks>
/// Events come once, so every one must be remembered: <see cref="Readable"/> and <see cref="Writable"/> are set by an
/// event and cleared only by the kernel's own answer (EAGAIN, or a short transfer where that proves the same).
/// Reused by another client from the turn after its end on: until then a handler may still hold it.
/// </remarks>
internal abstract unsafe partial class NativeConnection(NativeLoop loop) : Connection
{
    private const int FailureShift = 24;
    private const int FailureMask = 7;

    private PeerAddress _peer;
    private protected SendBuffer _pending;
    private protected ConnectionFlags _flags;
    private protected int _descriptor = -1;

    /// <summary>Place in the loop's table, and which of its tenants this is.</summary>
    internal int Slot;
    internal uint Generation;

    /// <summary>Waits in the loop's queue.</summary>
    internal bool IsQueued => (_flags & Queued) != 0;

    public override bool IsOpen => (_flags & (Live | Connecting)) == Live;

    public override EventLoop Loop => loop;

    public override int PendingBytes => (_flags & SplicedInto) == 0 ? _pending.Length : _pending.Length + loop.Splices.To(this).Pending;

    public override SendResult Send(ReadOnlySpan<byte> data)
    {
        Debug.Assert(loop.IsOwner, "Connections belong to the loop's thread.");
        if ((_flags & (Live | Failed | ShutdownAsked)) != Live) return SendToClosed();
        if (data.IsEmpty) return PendingBytes == 0 ? SendResult.Sent : SendResult.Pending;
        if ((_flags & Writable) != 0 && PendingBytes == 0)
        {
            nint sent;
            fixed (byte* bytes = data) sent = Write(bytes, data.Length);
            if (sent == data.Length) return SendResult.Sent;
            if (sent < 0) return SendResult.Closed;
            data = data[(int)sent..];
        }

        _pending.Append(data);
        return SendResult.Pending;
    }

    public override void PauseReading() => _flags |= Paused;

    public override void DropOnReset() => _flags |= ConnectionFlags.DropOnReset;

    public override void ResumeReading()
    {
        if ((_flags & Paused) == 0) return;
        _flags &= ~Paused;
        if ((_flags & (Live | Connecting)) == Live && (_flags & (Readable | Failed | ErrorSeen)) != 0) Enqueue();
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

        // Closing over unread data makes the kernel send RST, and RST takes back what the peer has not read yet.
        if ((_flags & (Connecting | Failed | EndOfStream)) == 0) Discard();
        Release();
    }

    public override void Abort()
    {
        Debug.Assert(loop.IsOwner, "Connections belong to the loop's thread.");
        if ((_flags & Live) == 0) return;
        if (_descriptor >= 0)
        {
            ulong onWithoutTime = 1; // struct linger { int l_onoff = 1; int l_linger = 0; }, both architectures are little-endian
            _ = Libc.SetOption(_descriptor, Libc.LevelSocket, Libc.Linger, &onWithoutTime, sizeof(ulong));
        }

        Release();
    }

    public override void Vanish()
    {
        if ((_flags & (Live | Unix)) == Live && _descriptor >= 0) SilentClose.Prepare(_descriptor);
        Abort();
    }

    public override void GetPeer(out PeerAddress address) => address = _peer;

    public override void GetLocal(out PeerAddress address) => address = _descriptor >= 0 ? NativeAddress.LocalOf(_descriptor) : default;

    /// <summary>Why it is broken, in two bits beside the flags: a field of its own would cost every connection eight bytes.</summary>
    private protected CloseReason Failure
    {
        get => (CloseReason)((int)_flags >> FailureShift & FailureMask);
        set => _flags = (_flags & (ConnectionFlags)~(FailureMask << FailureShift)) | (ConnectionFlags)((int)value << FailureShift);
    }

    private SendResult SendToClosed()
    {
        if ((_flags & (Live | Failed)) == Live) throw new InvalidOperationException("Send after ShutdownSend.");
        return SendResult.Closed;
    }

    /// <summary>Writes to the kernel and keeps <see cref="Writable"/> true to the facts.</summary>
    /// <returns>Bytes taken, or -1 when the connection is broken.</returns>
    private protected nint Write(byte* bytes, int length)
    {
        while (true)
        {
            nint sent = Libc.Send(_descriptor, bytes, length, Libc.MessageNoSignal);
            if (sent == length) return sent;
            if (sent < 0)
            {
                int error = Libc.Errno;
                if (error == Errno.Interrupted) continue;
                if (error != Errno.Again)
                {
                    Fail(Errno.ToCloseReason(error));
                    return -1;
                }

                sent = 0;
            }

            // The kernel's buffer is full.
            WriteBlocked();
            return sent;
        }
    }

    private void Discard()
    {
        const int Block = 4096;
        byte* block = stackalloc byte[Block]; // not the scratch buffer: a handler may be looking at it
        if ((_flags & Unix) == 0)
        {
            // On TCP the flag means "drop it without copying", so the length may exceed the buffer: it is never written.
            _ = Libc.Receive(_descriptor, block, 16 << 20, Libc.MessageTruncate);
            return;
        }

        for (int i = 0; i < NativeLoop.ScratchSize / Block && Libc.Receive(_descriptor, block, Block, 0) > 0; i++)
        {
            // A Unix socket copies all the same.
        }
    }

    private protected void SendEndOfStream() => _ = Libc.Shutdown(_descriptor, Libc.ShutdownWrite);

    /// <summary>The connection is broken. The handler hears it in this connection's next turn, after the data that arrived before.</summary>
    private protected void Fail(CloseReason reason)
    {
        Failure = reason;
        _flags |= Failed | Readable | ReadToEnd;
        _pending.Free();
        if ((_flags & SplicedInto) != 0) EndSpliceInto();
        Enqueue();
    }

    private protected void Enqueue()
    {
        if ((_flags & Queued) != 0) return;
        _flags |= Queued;
        loop.Enqueue(this);
    }

    private void Release()
    {
        if ((_flags & Splicing) != 0) LeaveSplice(loop.Splices.From(this));
        if ((_flags & SplicedInto) != 0) EndSpliceInto();
        _flags &= Queued;
        _pending.Free();
        if (_descriptor < 0) return;
        int descriptor = _descriptor;
        _descriptor = -1;
        loop.Unregister(this, descriptor);
    }
}
