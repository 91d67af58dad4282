using System.Net;
using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>A listening socket of a driver of Linux: its address, its pauses and what happens when descriptors run out.</summary>
internal abstract unsafe class NativeListener : Listener
{
    /// <summary>Connections taken in one turn before the others are asked.</summary>
    private const int AcceptsPerTurn = 64;

    private static uint s_lastId;

    private readonly NativeLoop _loop;
    private readonly string? _path;
    private RetryTimer? _retry;

    protected NativeListener(NativeLoop loop, int descriptor, EndPoint local, IAcceptHandler handler)
    {
        _loop = loop;
        Descriptor = descriptor;
        LocalEndPoint = local;
        Handler = handler;
        _path = local is UnixDomainSocketEndPoint unix ? UnixSocketFile.PathOf(unix) : null;
    }

    public override EndPoint LocalEndPoint { get; }

    public override nint Handle => Descriptor;

    public override IAcceptHandler Handler { get; }

    /// <summary>Tells listeners apart in events; never used twice, so a stale event finds nobody.</summary>
    internal uint Id { get; } = Interlocked.Increment(ref s_lastId);

    internal bool IsUnix => LocalEndPoint is UnixDomainSocketEndPoint;

    /// <summary>True while accepting waits for descriptors or memory.</summary>
    internal bool IsStarved { get; private set; }

    /// <summary>The listening socket; -1 after <see cref="Close"/>.</summary>
    protected int Descriptor { get; private set; }

    /// <summary>True between <see cref="Pause"/> and <see cref="Resume"/>.</summary>
    protected bool IsPaused { get; private set; }

    /// <summary>True while the kernel is asked for connections.</summary>
    protected abstract bool IsArmed { get; }

    /// <summary>Begins to accept; nothing to do when it does or when it is closed.</summary>
    /// <returns>False when the kernel has no room for it.</returns>
    protected abstract bool Arm();

    /// <summary>Stops accepting. Idempotent.</summary>
    protected abstract void Disarm();

    /// <summary>The descriptor is closed next, and the address is to be free then.</summary>
    protected virtual void LetGo()
    {
    }

    /// <summary>Binds and listens.</summary>
    /// <exception cref="SocketException">The address can't be bound.</exception>
    internal static NativeListener Open(NativeLoop loop, EndPoint address, in ListenOptions options, IAcceptHandler handler)
    {
        int descriptor = ListenSocket.Open(address, options, out EndPoint local);
        try
        {
            NativeListener listener = loop.MakeListener(descriptor, local, handler);
            listener.IsShared = options.Inherited is not null;
            if (!listener.Arm()) throw Errno.ToException(Libc.Errno, $"accepting on {address}");
            return listener;
        }
        catch
        {
            _ = Libc.Close(descriptor);
            throw;
        }
    }

    public override void Pause()
    {
        IsPaused = true;
        Disarm();
    }

    public override void Resume()
    {
        if (!IsPaused) return;
        IsPaused = false;
        if (!IsStarved && !Arm()) Starve();
    }

    public override void Close()
    {
        if (Descriptor < 0) return;
        Disarm();
        LetGo();
        int descriptor = Descriptor;
        Descriptor = -1;
        IsStarved = false;
        if (_retry is not null) _loop.Cancel(_retry);
        _loop.Remove(this);

        // First the name, then the socket: the other way round a new owner's file could be removed.
        if (_path is not null && !IsShared) UnixSocketFile.Remove(_path);
        _ = Libc.Close(descriptor);
    }

    /// <summary>Accepts a batch. Ends early when the handler pauses or closes this listener.</summary>
    internal void AcceptTurn()
    {
        byte* native = stackalloc byte[NativeAddress.Capacity];
        for (int i = 0; i < AcceptsPerTurn && IsArmed; i++)
        {
            uint length = NativeAddress.Capacity;
            int accepted = IsUnix
                ? Libc.Accept(Descriptor, null, null, Libc.SockNonBlocking | Libc.SockCloseOnExec)
                : Libc.Accept(Descriptor, native, &length, Libc.SockNonBlocking | Libc.SockCloseOnExec);
            if (accepted >= 0)
            {
                PeerAddress peer = IsUnix ? default : NativeAddress.Read(native);
                if (Handler.Relief() is { } other) ((NativeLoop)other.Home!).Adopt(this, other, accepted, peer);
                else _loop.Accepted(this, Handler, accepted, in peer);
                continue;
            }

            int error = Libc.Errno;
            if (error == Errno.Again) return;
            if (!Errno.ConcernsOneConnection(error)) Starve();
        }
    }

    /// <summary>Tries again after a shortage: some time has passed, or a connection has been closed.</summary>
    internal void RetryAccept()
    {
        if (!IsStarved) return;
        IsStarved = false;
        _loop.Cancel(_retry!);
        if (!IsPaused && !Arm()) Starve();
    }

    /// <summary>
    /// No descriptor or no memory is left: accepting pauses, because the waiting connection would wake the loop again and again without any progress.
    /// </summary>
    protected void Starve()
    {
        Disarm();
        IsStarved = true;
        _loop.CountStarved();
        _retry ??= new RetryTimer(this);
        _loop.Schedule(_retry, RetryTimer.Delay);
    }

    private sealed class RetryTimer(NativeListener listener) : LoopTimer
    {
        public static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(100);

        protected internal override void OnTimer() => listener.RetryAccept();
    }
}
