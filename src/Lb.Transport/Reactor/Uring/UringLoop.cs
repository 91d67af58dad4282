using System.Net;

namespace Lb.Transport;

/// <summary>The loop on io_uring(7). Everything that waits is an operation in the ring, and one call a turn hands over the new ones and waits.</summary>
/// <remarks>
/// Ordinary descriptors, not registered ones: a table of these is bounded by the limit of open files. No operation that the kernel gives to a worker thread
/// (shutdown, splice): those are plain calls.
/// </remarks>
internal sealed unsafe class UringLoop : NativeLoop
{
    private const uint Entries = 2048;
    private const uint Completions = 16_384;

    // User data: the kind of the operation, 24 bits of generation, 32 of slot (or of the listener's number).
    private const int KindShift = 56;
    private const byte KindNone = 0;
    private const byte KindMailbox = 0x80;
    private const byte KindListener = 0x81;
    private const byte KindWatch = 0x82;
    private const byte KindCancel = 0x83;

    private readonly UringRing _ring;
    private readonly UringBuffers _buffers;
    private readonly int _wakeUp;
    private int _inFlight;

    public UringLoop(string name, TimeProvider time, Action<Exception>? onHandlerError, bool splice)
        : base(name, time, onHandlerError, splice)
    {
        _ring = new UringRing(Entries, Completions);
        try
        {
            _buffers = new UringBuffers(_ring);
        }
        catch
        {
            _ring.Dispose();
            base.Release();
            throw;
        }

        _wakeUp = Libc.EventDescriptor(0, Libc.SockNonBlocking | Libc.SockCloseOnExec);
        if (_wakeUp < 0)
        {
            int error = Libc.Errno;
            _ring.Dispose();
            _buffers.Dispose();
            base.Release();
            throw new UringException("eventfd", error);
        }

        SubmitMailbox();
    }

    /// <summary>Small messages on their way out.</summary>
    internal UringSends Sends { get; } = new();

    /// <summary>What a connection was given while it was not read.</summary>
    internal UringBacklogs Backlogs { get; } = new();

    /// <summary>User data of a listener's operation.</summary>
    internal static ulong ListenerData(uint id) => (ulong)KindListener << KindShift | id;

    public override DescriptorWatch Watch(int descriptor, IDescriptorHandler handler, bool writes = true)
    {
        const int GetFlags = 1; // F_GETFD: is it a descriptor at all?
        ArgumentNullException.ThrowIfNull(handler);
        RequireOwner();
        if (Libc.FileControl(descriptor, GetFlags, 0) < 0) throw Errno.ToException(Libc.Errno, "fcntl");
        DescriptorWatch watch = Watches.Add(descriptor, handler, writes);
        SubmitWatch(watch);
        return watch;
    }

    public override void Unwatch(DescriptorWatch watch)
    {
        RequireOwner();
        ulong data = WatchData(watch);
        if (!Watches.Remove(watch)) return;
        Cancel(data);
        Flush();
    }

    internal override NativeListener MakeListener(int descriptor, EndPoint local, IAcceptHandler handler) => new UringListener(this, descriptor, local, handler);

    /// <summary>Waits once for clients.</summary>
    internal void SubmitListener(uint id, int descriptor) => Submit(UringOperation.PollAdd, descriptor, ListenerData(id))->Options = Libc.EpollIn;

    /// <summary>Waits for something to happen to a connection: once, or every edge.</summary>
    internal void SubmitPoll(UringConnection connection, UringKinds kind, int descriptor, uint events)
    {
        UringOperation* operation = Submit(UringOperation.PollAdd, descriptor, DataOf(connection, kind));
        operation->Length = kind == UringKinds.Watch ? UringOperation.PollMultishot : 0;
        operation->Options = events;
    }

    /// <summary>Receives from now on.</summary>
    internal void SubmitReceive(UringConnection connection, int descriptor)
    {
        UringOperation* operation = Submit(UringOperation.Receive, descriptor, DataOf(connection, UringKinds.Receive));
        operation->Flags = UringOperation.SelectBuffer;
        operation->Priority = UringOperation.ReceiveMultishot;
    }

    /// <summary>Sends what the kernel takes at once.</summary>
    /// <returns>The number of the operation.</returns>
    internal uint SubmitSend(UringConnection connection, int descriptor, byte* start, int length)
    {
        UringOperation* operation = Submit(UringOperation.Send, descriptor, DataOf(connection, UringKinds.Send));
        operation->Address = (ulong)start;
        operation->Length = (uint)length;
        operation->Options = Libc.MessageNoSignal | Libc.MessageDontWait;
        return _ring.Last;
    }

    /// <summary>An operation that is not handed over yet; else null.</summary>
    internal UringOperation* Waiting(uint operation) => _ring.Waiting(operation);

    /// <summary>Takes an operation back that is not handed over yet.</summary>
    internal bool TryWithdraw(uint number)
    {
        UringOperation* operation = _ring.Waiting(number);
        if (operation is null) return false;
        *operation = new UringOperation { Code = UringOperation.Nop, Flags = UringOperation.SkipSuccess, Descriptor = -1 };
        _inFlight--;
        return true;
    }

    /// <summary>Reads the result of an operation before its turn.</summary>
    internal bool TryTakeResult(UringConnection connection, UringKinds kind, out int result)
    {
        ulong data = DataOf(connection, kind);
        uint tail = _ring.Tail;
        for (uint at = _ring.Head; at != tail; at++)
        {
            UringCompletion* completion = _ring[at];
            if (completion->UserData != data) continue;
            result = completion->Result;
            completion->UserData = KindNone;
            _inFlight--;
            return true;
        }

        result = 0;
        return false;
    }

    /// <summary>Ends an operation; its last result says when it has.</summary>
    internal void Cancel(UringConnection connection, UringKinds kind) =>
        Cancel(DataOf(connection, kind), (ulong)KindCancel << KindShift | (DataOf(connection, kind) & (1ul << KindShift) - 1));

    internal void Cancel(ulong userData, ulong own = KindNone)
    {
        UringOperation* operation = _ring.Next(UringOperation.Cancel, -1, own);
        operation->Flags = UringOperation.SkipSuccess;
        operation->Address = userData;
    }

    /// <summary>Hands over what has been written and lets the kernel work it off; its results are read in their turn.</summary>
    internal void Flush()
    {
        if (_ring.IsEnabled) _ring.Enter(0, 0);
    }

    protected override NativeConnection MakeConnection(IConnectionHandler handler) => new UringConnection(this) { Handler = handler };

    protected override bool Begin(NativeConnection connection, int descriptor)
    {
        ((UringConnection)connection).Begin();
        return true;
    }

    // In this order, in one call with whatever else the turn brings: its operations were written before and let go of the socket first.
    protected override void CloseDescriptor(NativeConnection connection, int descriptor)
    {
        if (((UringConnection)connection).CancelAll()) FreeSlot(connection);
        if (_ring.IsEnabled) _ring.Next(UringOperation.Close, descriptor, KindNone)->Flags = UringOperation.SkipSuccess;
        else _ = Libc.Close(descriptor);
    }

    protected override int Wait(int milliseconds)
    {
        if (!_ring.IsEnabled) _ring.Enable();
        _ring.Enter(milliseconds == 0 ? 0u : 1u, milliseconds);
        return 0;
    }

    protected override void Wake()
    {
        ulong one = 1;
        _ = Libc.Write(_wakeUp, &one, sizeof(ulong));
    }

    protected override void Dispatch(int count)
    {
        EndTurn();
        uint tail = _ring.Tail;
        for (uint head = _ring.Head; head != tail;)
        {
            UringCompletion completion = *_ring[head++];
            _ring.Head = head;
            if ((completion.Flags & UringOperation.HasMore) == 0 && (byte)(completion.UserData >> KindShift) is not (KindNone or KindCancel)) _inFlight--;
            Complete(completion);
            if ((completion.Flags & UringOperation.HasBuffer) != 0) _buffers.GiveBack((int)(completion.Flags >> 16));
        }
    }

    protected override void Release()
    {
        CloseAll();
        if (_ring.IsEnabled)
        {
            // A ring that is closed lets go of its sockets some time later: they are to be closed when this returns.
            _ring.Next(UringOperation.Cancel, -1, KindNone)->Options = UringOperation.CancelAll;
            for (int attempt = 0; attempt == 0 || (_inFlight > 0 && attempt < 50); attempt++)
            {
                _ring.Enter(attempt == 0 ? 0u : 1u, 20);
                Dispatch(0);
            }
        }

        _ring.Dispose();
        _buffers.Dispose();
        Sends.Dispose();
        Backlogs.Dispose();
        _ = Libc.Close(_wakeUp);
        base.Release();
    }

    private static ulong DataOf(NativeConnection connection, UringKinds kind) =>
        (ulong)(byte)kind << KindShift | (ulong)connection.Generation << 32 | (uint)connection.Slot;

    private static ulong WatchData(DescriptorWatch watch) =>
        (ulong)KindWatch << KindShift | (ulong)watch.Generation << 32 | (uint)watch.Slot;

    private void Complete(in UringCompletion completion)
    {
        byte kind = (byte)(completion.UserData >> KindShift);
        uint generation = (uint)(completion.UserData >> 32) & MostGeneration;
        bool more = (completion.Flags & UringOperation.HasMore) != 0;
        switch (kind)
        {
            case KindNone:
                return;
            case KindMailbox:
                if (!more && completion.Result >= 0) SubmitMailbox();
                return;
            case KindListener:
                (FindListener((uint)completion.UserData) as UringListener)?.OnReady(completion.Result);
                return;
            case KindWatch:
                if (Watches.Find((int)completion.UserData, generation) is { } watch) OnWatch(watch, completion.Result, more);
                return;
        }

        if (Find((int)completion.UserData, generation) is not UringConnection connection) return;
        if (kind == KindCancel)
        {
            connection.OnCancelFailed();
            return;
        }

        try
        {
            byte* data = (completion.Flags & UringOperation.HasBuffer) != 0 ? _buffers[(int)(completion.Flags >> 16)] : null;
            connection.OnCompletion((UringKinds)kind, completion.Result, data, more);
        }
        catch (Exception exception)
        {
            HandlerFailed(connection, exception);
        }
    }

    private void OnWatch(DescriptorWatch watch, int result, bool more)
    {
        if (result == -Errno.Cancelled) return;
        if (!more && result >= 0) SubmitWatch(watch);
        uint events = result < 0 ? Libc.EpollError : (uint)result;
        bool both = (events & (Libc.EpollError | Libc.EpollHangUp)) != 0;
        Ready(watch, both || (events & (Libc.EpollIn | Libc.EpollReadHangUp)) != 0, both || (events & Libc.EpollOut) != 0);
    }

    private void SubmitMailbox()
    {
        // Every write is an edge, so the counter is never read back.
        UringOperation* operation = Submit(UringOperation.PollAdd, _wakeUp, (ulong)KindMailbox << KindShift);
        operation->Length = UringOperation.PollMultishot;
        operation->Options = Libc.EpollIn;
    }

    private void SubmitWatch(DescriptorWatch watch)
    {
        UringOperation* operation = Submit(UringOperation.PollAdd, watch.Descriptor, WatchData(watch));
        operation->Length = UringOperation.PollMultishot;
        operation->Options = Libc.EpollIn | (watch.Writes ? Libc.EpollOut : 0) | Libc.EpollReadHangUp;
    }

    private UringOperation* Submit(byte code, int descriptor, ulong userData)
    {
        _inFlight++;
        return _ring.Next(code, descriptor, userData);
    }
}
