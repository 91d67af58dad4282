using static Lb.Transport.ConnectionFlags;

namespace Lb.Transport;

/// <content>Bulk by splice(2): from socket to pipe to socket, without a copy. Both ends are connections of this driver.</content>
internal abstract unsafe partial class NativeConnection
{
    /// <summary>
    /// A read of so many bytes is a big one, and a source that gives fewer between two pauses is not worth a pipe. Less than the buffer that is read into:
    /// the kernel's receive buffer may hold no more to begin with.
    /// </summary>
    private const int BigReadSize = 64 * 1024;

    /// <summary>What became of an attempt to splice.</summary>
    private enum SpliceStep
    {
        /// <summary>Bytes went through; the handler may have changed everything.</summary>
        Moved,

        /// <summary>Nothing to do in this turn.</summary>
        Blocked,

        /// <summary>The transfer is over: read.</summary>
        Over,
    }

    public override bool TrySpliceTo(Connection destination, long limit = long.MaxValue)
    {
        if ((_flags & (Live | Bulk | Splicing | Failed | EndOfStream | Unix)) != (Live | Bulk)) return false;
        if (destination is not NativeConnection to || !to.MayBeSplicedInto(loop)) return false;

        // Whether or not there is a pipe: the next question comes after two more big reads.
        _flags &= ~(BigRead | Bulk);
        if (!loop.Splices.TryBegin(this, to, limit)) return false;
        _flags |= Splicing;
        to._flags |= SplicedInto;
        return true;
    }

    private bool MayBeSplicedInto(NativeLoop sources) =>
        ReferenceEquals(sources, loop) && PendingBytes == 0 && (_flags & (Live | Connecting | Failed | ShutdownAsked | Unix | SplicedInto)) == Live;

    /// <summary>Takes one pipeful from the source and gives it to the destination.</summary>
    private SpliceStep SpliceOnce()
    {
        Splice splice = loop.Splices.From(this);
        NativeConnection to = (NativeConnection)splice.To;
        if (to.PendingBytes > 0) return SpliceStep.Blocked; // it gives us a turn when that is gone
        splice.Pipe ??= loop.Splices.Pipes.Rent();
        if (splice.Pipe is null || (to._flags & (Live | Failed | ShutdownAsked)) != Live)
        {
            LeaveSplice(splice);
            return SpliceStep.Over;
        }

        int moved = splice.Pipe.Fill(_descriptor, splice.Left);
        if (moved <= 0) return moved == 0 ? EndSplice(splice) : OnSpliceError(splice, Libc.Errno);
        bool isLast = loop.Splices.Took(splice, moved);
        to.DrainPipe(splice.Pipe);

        // A broken destination has ended the transfer.
        if (isLast && (_flags & Splicing) != 0) LeaveSplice(splice);
        Handler.OnSpliced(this, moved);
        return SpliceStep.Moved;
    }

    private SpliceStep EndSplice(Splice splice)
    {
        LeaveSplice(splice);
        return SpliceStep.Over;
    }

    private SpliceStep OnSpliceError(Splice splice, int error)
    {
        switch (error)
        {
            case Errno.Again when (_flags & ReadToEnd) == 0:
                _flags &= ~Readable;
                if (splice.Moved >= BigReadSize) loop.Splices.Rest(splice);
                else LeaveSplice(splice);
                return SpliceStep.Blocked;
            case Errno.Invalid or Errno.NotPermitted or Errno.NoSystemCall:
                loop.Splices.Pipes.Disable();
                return EndSplice(splice);
            case Errno.Again or Errno.NoMemory or Errno.NoBuffers:
                // Splicing stops before urgent data, as if there were nothing more: reading goes on behind it.
                return EndSplice(splice);
            default:
                // The error is taken out of the socket: a read would say "end of stream" now.
                LeaveSplice(splice);
                OnReadError(error);
                return SpliceStep.Blocked;
        }
    }

    /// <summary>This connection, the destination, takes what it can out of the pipe.</summary>
    /// <returns>True when nothing is left.</returns>
    private bool DrainPipe(SplicePipe pipe)
    {
        if (pipe.Drain(_descriptor)) return true;
        int error = Libc.Errno;
        if (error == Errno.Again) WriteBlocked();
        else Fail(Errno.ToCloseReason(error));
        return false;
    }

    /// <summary>The destination can take more.</summary>
    /// <returns>True when nothing is left in the pipe.</returns>
    private bool FlushPipe()
    {
        Splice splice = loop.Splices.To(this);
        if (splice.Pending == 0) return true;
        if (!DrainPipe(splice.Pipe!)) return false;
        if (splice.From is null) EndSpliceInto();
        return true;
    }

    /// <summary>Nothing is pending here any more, neither spliced bytes nor others: the source, which waited for that, goes on.</summary>
    private void SpliceOn() => (loop.Splices.To(this).From as NativeConnection)?.ReadOn();

    /// <summary>Back to reading: what is in the pipe still goes out.</summary>
    private void LeaveSplice(Splice splice)
    {
        NativeConnection to = (NativeConnection)splice.To;
        _flags &= ~Splicing;
        if (loop.Splices.Leave(splice)) to._flags &= ~SplicedInto;
    }

    /// <summary>This connection, the destination, takes no more; what is in the pipe is lost.</summary>
    private void EndSpliceInto()
    {
        _flags &= ~SplicedInto;
        Splice splice = loop.Splices.To(this);
        NativeConnection? from = (NativeConnection?)splice.From;
        loop.Splices.End(splice);
        if (from is null) return;
        from._flags &= ~Splicing;
        from.ReadOn();
    }

    private void ReadOn()
    {
        if ((_flags & (Live | Readable | Paused | EndOfStream)) == (Live | Readable)) Enqueue();
    }
}
