using static Lb.Transport.ConnectionFlags;

namespace Lb.Transport;

/// <content>Small messages leave with the turn's other operations.</content>
/// <remarks>
/// <see cref="Send"/> answers <see cref="SendResult.Sent"/> before the kernel has seen them. That is no promise too much: whoever asks what is pending, ends
/// the stream or closes learns the truth first (<see cref="Resolve"/>), and what the kernel refuses waits as if it had been refused at once. Where more has
/// happened than there is room for results, the truth comes later: until then it is all pending.
/// </remarks>
internal sealed unsafe partial class UringConnection
{
    private ushort _block;

    public override int PendingBytes
    {
        get
        {
            return base.PendingBytes + Resolve();
        }
    }

    public override SendResult Send(ReadOnlySpan<byte> data)
    {
        const ConnectionFlags Relevant = Live | Connecting | Failed | ShutdownAsked | Writable | SplicedInto;
        if ((_flags & Relevant) == (Live | Writable) && data.Length <= UringSends.Size && !data.IsEmpty && TrySendLater(data)) return SendResult.Sent;
        if (Resolve() == 0 || (_flags & (Live | Failed | ShutdownAsked)) != Live) return base.Send(data);
        _pending.Append(data);
        return SendResult.Pending;
    }

    public override void ShutdownSend()
    {
        Resolve();
        base.ShutdownSend();
    }

    public override void Close()
    {
        Resolve();
        base.Close();
    }

    private bool TrySendLater(ReadOnlySpan<byte> data)
    {
        if ((_operations & UringKinds.Send) != 0)
        {
            ref UringSends.Entry sending = ref loop.Sends[_block];
            if (sending.Length + data.Length > UringSends.Size || loop.Waiting(sending.Operation) is null) return false;
        }
        else if (_pending.Length > 0 || !loop.Sends.TryRent(out _block))
        {
            return false;
        }

        ref UringSends.Entry entry = ref loop.Sends[_block];
        data.CopyTo(new Span<byte>(loop.Sends.Start(_block) + entry.Length, data.Length));
        entry.Length += data.Length;
        if ((_operations & UringKinds.Send) != 0)
        {
            loop.Waiting(entry.Operation)->Length = (uint)entry.Length;
            return true;
        }

        _operations |= UringKinds.Send;
        entry.Operation = loop.SubmitSend(this, _descriptor, loop.Sends.Start(_block), entry.Length);
        return true;
    }

    /// <summary>Whatever is on its way is sent now, or is seen to have been sent or refused.</summary>
    /// <returns>Bytes of which it is not known yet, because there was no room for the result. From then on they are pending.</returns>
    private int Resolve()
    {
        if ((_operations & UringKinds.Send) == 0 || (_flags & Live) == 0) return 0;
        ref UringSends.Entry entry = ref loop.Sends[_block];
        if ((_operations & UringKinds.Unknown) != 0) return entry.Length;
        if (loop.TryWithdraw(entry.Operation))
        {
            Settled((int)Write(loop.Sends.Start(_block), entry.Length));
        }
        else if (loop.TryTakeResult(this, UringKinds.Send, out int result))
        {
            if (Outcome(result) is int sent) Settled(sent);
        }
        else
        {
            _operations |= UringKinds.Unknown;
            return entry.Length;
        }

        return 0;
    }

    /// <summary>The kernel's answer has come in its turn.</summary>
    private void OnSent(int result)
    {
        bool wasPending = (_operations & UringKinds.Unknown) != 0;
        _operations &= ~UringKinds.Unknown;
        if (Outcome(result) is not { } sent) return;
        Settled(sent);
        if (_pending.Length > 0 ? (_flags & Writable) != 0 : wasPending && (_flags & Failed) == 0) Flush();
        else if (_pending.Length == 0 && (_flags & (ShutdownAsked | Failed)) == ShutdownAsked) SendEndOfStream();
    }

    /// <returns>Bytes taken; null when the connection is broken.</returns>
    private int? Outcome(int result)
    {
        int length = loop.Sends[_block].Length;
        if (result == length || (_flags & (Live | Failed)) != Live) return length;
        if (result is < 0 and not -Errno.Again and not -Errno.Interrupted)
        {
            Settled(length);
            Fail(Errno.ToCloseReason(-result));
            return null;
        }

        WriteBlocked();
        return Math.Max(0, result);
    }

    /// <summary>The block is done with; what was not taken waits before everything else.</summary>
    private void Settled(int sent)
    {
        _operations &= ~UringKinds.Send;
        int rest = loop.Sends[_block].Length - sent;
        if (sent >= 0 && rest > 0)
        {
            SendBuffer waiting = default;
            waiting.Append(new ReadOnlySpan<byte>(loop.Sends.Start(_block) + sent, rest));
            if (_pending.Length > 0) waiting.Append(new ReadOnlySpan<byte>(_pending.Start, _pending.Length));
            _pending.Free();
            _pending = waiting;
        }

        loop.Sends.Return(_block);
    }
}
