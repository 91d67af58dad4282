using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>The loop on epoll(7): Linux's default and the reference for other drivers.</summary>
internal sealed unsafe class EpollLoop : NativeLoop
{
    private const int EventCapacity = 256;
    private const uint ConnectionEvents = Libc.EpollIn | Libc.EpollOut | Libc.EpollReadHangUp | Libc.EpollPriority | Libc.EpollEdge;

    // User data of an event: generation in the high half, slot in the low one. Generation 0 is not a connection.
    private const ulong MailboxTag = uint.MaxValue;

    // The slot is one of the watches, not of the connections.
    private const uint WatchBit = 1u << 31;

    private readonly int _epoll;
    private readonly int _wakeUp;
    private readonly byte* _events;

    public EpollLoop(string name, TimeProvider time, Action<Exception>? onHandlerError, bool splice)
        : base(name, time, onHandlerError, splice)
    {
        _epoll = Libc.EpollCreate(Libc.SockCloseOnExec);
        if (_epoll < 0) throw Errno.ToException(Libc.Errno, "epoll_create1");
        _wakeUp = Libc.EventDescriptor(0, Libc.SockNonBlocking | Libc.SockCloseOnExec);

        // Edge-triggered: every write is an edge, so the counter is never read back.
        if (_wakeUp < 0 || Libc.EpollRegister(_epoll, _wakeUp, Libc.EpollIn | Libc.EpollEdge, MailboxTag) != 0)
        {
            int error = Libc.Errno;
            if (_wakeUp >= 0) _ = Libc.Close(_wakeUp);
            _ = Libc.Close(_epoll);
            throw Errno.ToException(error, "eventfd");
        }

        _events = (byte*)NativeMemory.Alloc(EventCapacity, 16);
    }

    internal int Epoll => _epoll;

    public override DescriptorWatch Watch(int descriptor, IDescriptorHandler handler, bool writes = true)
    {
        ArgumentNullException.ThrowIfNull(handler);
        RequireOwner();
        DescriptorWatch watch = Watches.Add(descriptor, handler, writes);
        uint events = Libc.EpollIn | (writes ? Libc.EpollOut : 0) | Libc.EpollReadHangUp | Libc.EpollEdge;
        if (Libc.EpollRegister(_epoll, descriptor, events, (ulong)watch.Generation << 32 | WatchBit | (uint)watch.Slot) == 0) return watch;
        int error = Libc.Errno;
        Watches.Remove(watch);
        throw Errno.ToException(error, "epoll_ctl");
    }

    public override void Unwatch(DescriptorWatch watch)
    {
        RequireOwner();
        if (!Watches.Remove(watch)) return;
        byte* unused = stackalloc byte[16];
        _ = Libc.EpollControl(_epoll, Libc.EpollDelete, watch.Descriptor, unused);
    }

    internal override NativeListener MakeListener(int descriptor, EndPoint local, IAcceptHandler handler) => new EpollListener(this, descriptor, local, handler);

    protected override NativeConnection MakeConnection(IConnectionHandler handler) => new EpollConnection(this) { Handler = handler };

    protected override bool Begin(NativeConnection connection, int descriptor) =>
        Libc.EpollRegister(_epoll, descriptor, ConnectionEvents, (ulong)connection.Generation << 32 | (uint)connection.Slot) == 0;

    // Closing also takes it out of the epoll set.
    protected override void CloseDescriptor(NativeConnection connection, int descriptor)
    {
        FreeSlot(connection);
        _ = Libc.Close(descriptor);
    }

    protected override int Wait(int milliseconds) => Libc.EpollWait(_epoll, _events, EventCapacity, milliseconds);

    protected override void Wake()
    {
        ulong one = 1;
        _ = Libc.Write(_wakeUp, &one, sizeof(ulong));
    }

    protected override void Dispatch(int count)
    {
        EndTurn();

        // A negative count is an interrupted call: the turn finds nothing and sleeps again.
        for (int i = 0; i < count; i++)
        {
            byte* item = _events + i * Libc.EventSize;
            uint events = *(uint*)item;
            ulong tag = Unsafe.ReadUnaligned<ulong>(item + Libc.EventDataOffset);
            uint generation = (uint)(tag >> 32);
            if (generation == 0)
            {
                if (tag != MailboxTag) FindListener((uint)tag)?.AcceptTurn();
                continue;
            }

            if (((uint)tag & WatchBit) != 0)
            {
                if (Watches.Find((int)((uint)tag & ~WatchBit), generation) is { } watch) Ready(watch, events);
                continue;
            }

            // An event of a connection that was closed earlier in this batch carries an older generation than the slot's new tenant.
            if (Find((int)tag, generation) is not { } connection) continue;
            try
            {
                connection.OnEvents(events);
            }
            catch (Exception exception)
            {
                HandlerFailed(connection, exception);
            }
        }
    }

    protected override void Release()
    {
        CloseAll();
        _ = Libc.Close(_wakeUp);
        _ = Libc.Close(_epoll);
        NativeMemory.Free(_events);
        base.Release();
    }

    private void Ready(DescriptorWatch watch, uint events)
    {
        bool both = (events & (Libc.EpollError | Libc.EpollHangUp)) != 0;
        Ready(watch, both || (events & (Libc.EpollIn | Libc.EpollReadHangUp)) != 0, both || (events & Libc.EpollOut) != 0);
    }
}
