using static Lb.Transport.ConnectionFlags;

namespace Lb.Transport;

/// <summary>
/// A connection of the io_uring driver. While little comes, one operation receives again and again into the loop's buffers. A connection that is sent much,
/// or whose handler pauses it, is read by plain calls in its turns instead, as on epoll, and so is spliced: then nothing is received that nobody asked for,
/// and the shared buffers are left to others.
/// </summary>
/// <remarks>
/// The flag <see cref="Readable"/> means "read by plain calls now"; while an operation receives, nobody else may read, or bytes would change places.
/// When neither, <see cref="Settle"/> sees to it that some operation will tell what happens next.
/// </remarks>
internal sealed unsafe partial class UringConnection(UringLoop loop) : NativeConnection(loop)
{
    /// <summary>After so many full buffers in a row it is bulk.</summary>
    private const int FullReads = 4;

    /// <summary>Then it waits so many times for a big read before it counts as one that is sent little again.</summary>
    private const int Patience = 8;

    private const UringKinds Any = UringKinds.Receive | UringKinds.PollIn | UringKinds.Connect | UringKinds.Watch | UringKinds.Send;

    private UringKinds _operations;

    /// <summary>While an operation receives: full buffers in a row. Otherwise: waits that are left for a big read.</summary>
    private byte _fullReads;

    // At once, not when something comes: the less waits here, the better.
    public override void PauseReading()
    {
        base.PauseReading();
        CancelReceive();
    }

    public override void ResumeReading()
    {
        base.ResumeReading();
        Settle();
    }

    /// <summary>It has a slot: accepted, or the connect is under way.</summary>
    internal void Begin()
    {
        if ((_flags & Connecting) != 0) Poll(UringKinds.Connect, Libc.EpollOut);
    }

    internal override void OnBegun() => Settle();

    internal override void OnTurn()
    {
        base.OnTurn();
        Settle();
    }

    /// <summary>An operation has a result.</summary>
    /// <param name="kind">Which one.</param>
    /// <param name="result">What it says: bytes, events or a negative error number.</param>
    /// <param name="data">What was received.</param>
    /// <param name="more">The operation goes on.</param>
    internal void OnCompletion(UringKinds kind, int result, byte* data, bool more)
    {
        if (!more) _operations &= ~kind;
        if ((_flags & Live) == 0)
        {
            if (kind == UringKinds.Send) loop.Sends.Return(_block);
            if ((_operations & Any) != 0) return;
            _operations = UringKinds.None;
            loop.FreeSlot(this);
            return;
        }

        switch (kind)
        {
            case UringKinds.Receive:
                if (data != null && result > 0) OnReceived(new ReadOnlySpan<byte>(data, result));
                if (!more && (_flags & Live) != 0) OnReceiveEnded(result);
                break;
            case UringKinds.Send:
                OnSent(result);
                break;
            case UringKinds.Watch when (_operations & UringKinds.Receive) != 0:
                // What there is to read, or to fail at, comes from the receiving operation and in its order.
                if (result > 0 && (result & (int)(Libc.EpollOut | Libc.EpollError | Libc.EpollHangUp)) != 0) OnEvents(Libc.EpollOut);
                break;
            default:
                if (result >= 0) OnEvents((uint)result);
                break;
        }

        if ((_flags & (Live | Connecting | Writable)) == Live) Poll(UringKinds.Watch, Libc.EpollOut);
        Settle();
    }

    /// <summary>
    /// An operation that was to end was not found: it is over, and that will be told; or it was about to go on after a long run of bytes, where the kernel
    /// doesn't see it. Then again.
    /// </summary>
    internal void OnCancelFailed()
    {
        _operations &= ~UringKinds.Cancelling;
        if ((_flags & Live) != 0 && (_flags & (Paused | Readable | Failed)) == 0 && _fullReads < FullReads) return;
        CancelReceive();
    }

    /// <summary>The connection is over: ends its operations.</summary>
    /// <returns>True when there are none.</returns>
    internal bool CancelAll()
    {
        if ((_operations & UringKinds.Backlogged) != 0) loop.Backlogs.Drop(this);
        for (UringKinds kind = UringKinds.Receive; kind <= UringKinds.Watch; kind = (UringKinds)((int)kind << 1))
        {
            if ((_operations & kind) != 0) loop.Cancel(this, kind);
        }

        _operations &= Any;
        _fullReads = 0;
        return _operations == 0;
    }

    private protected override void ReadTurn()
    {
        if ((_operations & UringKinds.Receive) != 0)
        {
            if ((_flags & Readable) != 0) CancelReceive();
            return;
        }

        if ((_operations & UringKinds.Backlogged) != 0)
        {
            if ((_flags & (Live | Paused)) != Live) return;
            _operations &= ~UringKinds.Backlogged;
            loop.Backlogs.Deliver(this);
        }

        base.ReadTurn();
    }

    private protected override bool DataWaits() => (_operations & UringKinds.Backlogged) != 0 || base.DataWaits();

    private protected override void WriteBlocked()
    {
        base.WriteBlocked();
        Poll(UringKinds.Watch, Libc.EpollOut);
    }

    private void OnReceived(ReadOnlySpan<byte> data)
    {
        if ((_flags & Paused) != 0 || (_operations & UringKinds.Backlogged) != 0)
        {
            // Kept apart, because the buffer goes back at once. Nothing more is received until the handler wants it.
            loop.Backlogs.Append(this, data);
            _operations |= UringKinds.Backlogged;
            _flags |= Readable;
            CancelReceive();
            return;
        }

        if (data.Length < UringBuffers.Size) _fullReads = 0;
        else if (_fullReads >= FullReads || ++_fullReads >= FullReads) CancelReceive();
        Handler.OnData(this, data);
    }

    private void OnReceiveEnded(int result)
    {
        _operations &= ~UringKinds.Cancelling;
        _fullReads = _fullReads < FullReads ? (byte)0 : (byte)Patience;
        bool later = (_flags & Paused) != 0 || (_operations & UringKinds.Backlogged) != 0;
        switch (result)
        {
            case 0 when !later:
                OnReadEnd();
                break;

            // The loop's buffers are used up for this turn, or it was cancelled, or the end comes again: plain reads find out.
            case >= 0 or -Errno.NoBuffers or -Errno.Cancelled or -Errno.Again or -Errno.Interrupted:
                _flags |= Readable;
                if ((_flags & Paused) == 0) Enqueue();
                break;
            default:
                CloseReason reason = (_flags & Failed) != 0 ? Failure : Errno.ToCloseReason(-result);
                if (later) Fail(reason);
                else End(reason);
                break;
        }
    }

    /// <summary>Makes sure that whatever happens next is told.</summary>
    private void Settle()
    {
        if ((_flags & (Live | Connecting)) != Live || (_operations & (UringKinds.Receive | UringKinds.PollIn)) != 0) return;
        if ((_flags & (Readable | Paused | EndOfStream | Failed)) == 0)
        {
            // Much has come lately: what comes next may be for splice(2), or for the large buffer.
            if ((_flags & (BigRead | Splicing)) != 0) _fullReads = Patience;
            if (_fullReads > 0)
            {
                _fullReads--;
                Poll(UringKinds.PollIn, Libc.EpollIn | Libc.EpollPriority | Libc.EpollReadHangUp);
                return;
            }

            _operations |= UringKinds.Receive;
            loop.SubmitReceive(this, _descriptor);
        }
        else if ((_flags & (Queued | Failed | ErrorSeen)) == 0)
        {
            Poll(UringKinds.Watch, Libc.EpollOut); // nobody reads: a reset is to be heard all the same
        }
    }

    private void Poll(UringKinds kind, uint events)
    {
        if ((_operations & kind) != 0) return;
        _operations |= kind;
        loop.SubmitPoll(this, kind, _descriptor, events);
    }

    private void CancelReceive()
    {
        if ((_operations & (UringKinds.Receive | UringKinds.Cancelling)) != UringKinds.Receive) return;
        _operations |= UringKinds.Cancelling;
        loop.Cancel(this, UringKinds.Receive);
    }
}

/// <summary>Operations of a connection that are in the ring, and what the driver remembers about it.</summary>
[Flags]
internal enum UringKinds : byte
{
    None = 0,

    /// <summary>Receives again and again.</summary>
    Receive = 1,

    /// <summary>Waits for bytes to read by a plain call.</summary>
    PollIn = 1 << 1,

    /// <summary>Waits for the answer to a connect.</summary>
    Connect = 1 << 2,

    /// <summary>
    /// Tells every time that the kernel takes bytes again after a refusal, and that the connection is reset. Every edge and not once, because the kernel
    /// answers each poll of a stream that the peer has ended at once.
    /// </summary>
    Watch = 1 << 3,

    /// <summary>Sends a small message.</summary>
    Send = 1 << 4,

    /// <summary><see cref="Receive"/> has been told to end.</summary>
    Cancelling = 1 << 5,

    /// <summary>Bytes wait in <see cref="UringBacklogs"/>.</summary>
    Backlogged = 1 << 6,

    /// <summary>Of <see cref="Send"/>: somebody was told that its bytes are pending.</summary>
    Unknown = 1 << 7,
}
