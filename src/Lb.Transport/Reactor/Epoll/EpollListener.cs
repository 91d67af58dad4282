using System.Net;
using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>A listening socket of the epoll driver. Level-triggered: what one turn leaves in the queue, the next finds.</summary>
internal sealed unsafe class EpollListener : Listener
{
    /// <summary>Connections taken in one turn before the others are asked.</summary>
    private const int AcceptsPerTurn = 64;

    private static uint s_lastId;

    private readonly EpollLoop _loop;
    private readonly string? _path;
    private RetryTimer? _retry;
    private int _descriptor;
    private bool _armed;
    private bool _paused;

    private EpollListener(EpollLoop loop, int descriptor, EndPoint local, IAcceptHandler handler)
    {
        _loop = loop;
        _descriptor = descriptor;
        LocalEndPoint = local;
        Handler = handler;
        _path = local is UnixDomainSocketEndPoint unix ? UnixSocketFile.PathOf(unix) : null;
    }

    public override EndPoint LocalEndPoint { get; }

    public override nint Handle => _descriptor;

    public override IAcceptHandler Handler { get; }

    /// <summary>Tells listeners apart in events; never used twice, so a stale event finds nobody.</summary>
    internal uint Id { get; } = Interlocked.Increment(ref s_lastId);

    internal bool IsUnix => LocalEndPoint is UnixDomainSocketEndPoint;

    /// <summary>True while accepting waits for descriptors or memory.</summary>
    internal bool IsStarved { get; private set; }

    /// <summary>Binds and listens.</summary>
    /// <exception cref="SocketException">The address can't be bound.</exception>
    internal static EpollListener Open(EpollLoop loop, EndPoint address, in ListenOptions options, IAcceptHandler handler)
    {
        int descriptor = ListenSocket.Open(address, options, out EndPoint local);
        try
        {
            EpollListener listener = new(loop, descriptor, local, handler) { IsShared = options.Inherited is not null };
            if (!listener.Arm()) throw Errno.ToException(Libc.Errno, $"epoll_ctl for {address}");
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
        _paused = true;
        Disarm();
    }

    public override void Resume()
    {
        if (!_paused) return;
        _paused = false;
        if (!IsStarved && !Arm()) Starve();
    }

    public override void Close()
    {
        if (_descriptor < 0) return;
        Disarm();
        int descriptor = _descriptor;
        _descriptor = -1;
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
        for (int i = 0; i < AcceptsPerTurn && _armed; i++)
        {
            uint length = NativeAddress.Capacity;
            int accepted = IsUnix
                ? Libc.Accept(_descriptor, null, null, Libc.SockNonBlocking | Libc.SockCloseOnExec)
                : Libc.Accept(_descriptor, native, &length, Libc.SockNonBlocking | Libc.SockCloseOnExec);
            if (accepted >= 0)
            {
                PeerAddress peer = IsUnix ? default : NativeAddress.Read(native);
                if (Handler.Relief() is { } other) ((EpollLoop)other.Home!).Adopt(this, other, accepted, peer);
                else _loop.Accepted(this, Handler, accepted, in peer);
                continue;
            }

            int error = Libc.Errno;
            if (error == Errno.Again) return;
            if (Errno.ConcernsOneConnection(error)) continue;

            // No descriptor, no memory: the waiting connection would wake the loop again and again without any progress.
            Disarm();
            Starve();
        }
    }

    /// <summary>Tries again after a shortage: some time has passed, or a connection has been closed.</summary>
    internal void RetryAccept()
    {
        if (!IsStarved) return;
        IsStarved = false;
        _loop.Cancel(_retry!);
        if (!_paused && !Arm()) Starve();
    }

    private bool Arm()
    {
        if (_armed || _descriptor < 0) return true;
        _armed = Libc.EpollRegister(_loop.Epoll, _descriptor, Libc.EpollIn, Id) == 0;
        return _armed;
    }

    private void Disarm()
    {
        if (!_armed) return;
        _armed = false;
        byte* unused = stackalloc byte[16];
        _ = Libc.EpollControl(_loop.Epoll, Libc.EpollDelete, _descriptor, unused);
    }

    private void Starve()
    {
        IsStarved = true;
        _loop.CountStarved();
        _retry ??= new RetryTimer(this);
        _loop.Schedule(_retry, RetryTimer.Delay);
    }

    private sealed class RetryTimer(EpollListener listener) : LoopTimer
    {
        public static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(100);

        protected internal override void OnTimer() => listener.RetryAccept();
    }
}
