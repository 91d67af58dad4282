using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>A listening socket of the managed driver. One accept is always under way; what it brings during a pause is kept for later.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Close disposes of them; the contract of a listener is Close.")]
internal sealed class ManagedListener : Listener
{
    /// <summary>Connections taken in one turn before the others are asked.</summary>
    private const int AcceptsPerTurn = 64;

    private readonly ManagedLoop _loop;
    private readonly Socket _socket;
    private readonly string? _path;
    private readonly AcceptOperation _accept;
    private Socket? _kept;
    private RetryTimer? _retry;
    private bool _accepting;
    private bool _paused;
    private bool _closed;

    private ManagedListener(ManagedLoop loop, Socket socket, EndPoint local, IAcceptHandler handler)
    {
        _loop = loop;
        _socket = socket;
        LocalEndPoint = local;
        Handler = handler;
        _path = local is UnixDomainSocketEndPoint unix ? UnixSocketFile.PathOf(unix) : null;
        _accept = new AcceptOperation(this);
    }

    public override EndPoint LocalEndPoint { get; }

    public override nint Handle => _closed ? -1 : _socket.Handle;

    public override IAcceptHandler Handler { get; }

    /// <summary>Accepted connections send small writes at once. Not everywhere inherited.</summary>
    internal bool NoDelay { get; private init; }

    /// <summary>True while accepting waits for descriptors or memory.</summary>
    internal bool IsStarved { get; private set; }

    /// <summary>Binds, listens and begins to accept once the loop runs.</summary>
    /// <exception cref="SocketException">The address can't be bound.</exception>
    internal static ManagedListener Open(ManagedLoop loop, EndPoint address, in ListenOptions options, IAcceptHandler handler)
    {
        bool isUnix = address is UnixDomainSocketEndPoint;

        // A Unix socket that the framework has bound takes its file with it when it is disposed of, also when another process has it.
        bool isNative = options.Inherited is not null || (isUnix && OperatingSystem.IsLinux());
        Socket socket = isNative
            ? new(new SafeSocketHandle(ListenSocket.Open(address, options, out _), ownsHandle: true))
            : new(address.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            if (!isNative)
            {
                if (!isUnix) SetOptions(socket, options);
                if (!isUnix) (options.Tuning ?? SocketTuning.Default).Apply(socket);
                Bind(socket, address);
                socket.Listen(options.Backlog);
            }

            EndPoint local = address is IPEndPoint ip ? new IPEndPoint(ip.Address, ((IPEndPoint)socket.LocalEndPoint!).Port) : address;
            ManagedListener listener = new(loop, socket, local, handler) { NoDelay = (options.Tuning ?? SocketTuning.Default).NoDelay, IsShared = options.Inherited is not null };
            listener.TurnLater();
            return listener;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override void Pause() => _paused = true;

    public override void Resume()
    {
        if (!_paused) return;
        _paused = false;
        TurnLater();
    }

    public override void Close()
    {
        if (_closed) return;
        _closed = true;
        IsStarved = false;
        if (_retry is not null) _loop.Cancel(_retry);
        _loop.Remove(this);
        if (_path is not null && !IsShared) UnixSocketFile.Remove(_path);
        _socket.Dispose();
        Socket? kept = _kept;
        _kept = null;
        _accept.Dispose();
        if (kept is null) return;
        if (IsShared) Take(kept);
        else kept.Dispose();
    }

    /// <summary>Tries again after a shortage: some time has passed, or a connection has been closed.</summary>
    internal void RetryAccept()
    {
        if (!IsStarved) return;
        IsStarved = false;
        _loop.Cancel(_retry!);
        TurnLater();
    }

    private static void Bind(Socket socket, EndPoint address)
    {
        try
        {
            socket.Bind(address);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse
            && address is UnixDomainSocketEndPoint unix && UnixSocketFile.TryRemoveStale(unix))
        {
            socket.Bind(address);
        }
    }

    /// <summary>Lets a socket share its address or its port, before it is bound.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="address">SO_REUSEADDR.</param>
    /// <param name="port">SO_REUSEPORT.</param>
    internal static void AllowReuse(Socket socket, bool address, bool port)
    {
        // The ReuseAddress of the framework would set SO_REUSEPORT as well, so that two programs could share the port unawares.
        bool isMac = OperatingSystem.IsMacOS();
        if (address && OperatingSystem.IsWindows()) socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        else if (address) SetRaw(isMac ? 4 : 2);
        if (!port) return;
        if (!EventLoops.SupportsReusePort) throw new PlatformNotSupportedException("This system can't share a port between loops.");
        SetRaw(isMac ? 0x200 : 15);

        void SetRaw(int option)
        {
            int on = 1;
            socket.SetRawSocketOption(isMac ? 0xFFFF : 1, option, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in on)));
        }
    }

    private static void SetOptions(Socket socket, in ListenOptions options)
    {
        AllowReuse(socket, address: !OperatingSystem.IsWindows(), options.ReusePort);
        if (socket.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = options.DualMode;
    }

    private void TurnLater() => _ = _loop.Post(static state => ((ManagedListener)state!).Turn(), this);

    /// <summary>Accepts until nothing more waits, a bounded number.</summary>
    private void Turn()
    {
        for (int i = 0; i < AcceptsPerTurn; i++)
        {
            if (_closed || _paused || _accepting || IsStarved) return;
            if (_kept is not null)
            {
                Socket kept = _kept;
                _kept = null;
                Take(kept);
                continue;
            }

            _accepting = true;
            _accept.AcceptSocket = null;
            if (_socket.AcceptAsync(_accept)) return;
            TakeAccepted();
        }

        TurnLater();
    }

    private void Take(Socket accepted)
    {
        if (Handler.Relief() is { } other) ((ManagedLoop)other.Home!).Adopt(this, other, accepted);
        else _loop.Accepted(this, Handler, accepted);
    }

    private void OnAccepted()
    {
        TakeAccepted();
        Turn();
    }

    private void TakeAccepted()
    {
        _accepting = false;
        Socket? accepted = _accept.AcceptSocket;
        SocketError error = _accept.SocketError;
        if (_closed && !IsShared)
        {
            accepted?.Dispose();
        }
        else if (error == SocketError.Success)
        {
            if (_paused) _kept = accepted;
            else Take(accepted!);
        }
        else if (!SocketReasons.ConcernsOneConnection(error))
        {
            IsStarved = true;
            _loop.CountStarved();
            _retry ??= new RetryTimer(this);
            _loop.Schedule(_retry, RetryTimer.Delay);
        }
    }

    private sealed class AcceptOperation(ManagedListener listener) : SocketAsyncEventArgs(true)
    {
        // A thread of the pool: no handler may run here. After the loop's end there is nobody to take the connection.
        protected override void OnCompleted(SocketAsyncEventArgs e)
        {
            if (!listener._loop.Post(static state => ((ManagedListener)state!).OnAccepted(), listener)) AcceptSocket?.Dispose();
        }
    }

    private sealed class RetryTimer(ManagedListener listener) : LoopTimer
    {
        public static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(100);

        protected internal override void OnTimer() => listener.RetryAccept();
    }
}
