using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>
/// A UDP socket of the managed driver. An asynchronous peek tells that something waits; the datagrams themselves are moved on the loop's thread.
/// </summary>
/// <remarks>
/// The framework tells where a datagram was sent to, but can't choose where an answer leaves from. So a wildcard socket opens one more socket for each local
/// address that is hit; from then on clients of that address are served by it, both ways.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Close disposes of them; the contract of a datagram socket is Close.")]
internal sealed class ManagedDatagramSocket : DatagramSocket
{
    /// <summary>Local addresses that get a socket of their own; a machine with more answers the others from its default address.</summary>
    private const int MostPinned = 256;

    private readonly ReactorLoop _loop;
    private readonly Socket _socket;
    private readonly ReadyOperation _ready;
    private readonly ManagedDatagramSocket? _parent;
    private readonly DatagramAddress _pinned;
    private readonly Dictionary<DatagramAddress, ManagedDatagramSocket?>? _children;
    private readonly EndPoint _local;
    // The framework forgets it after the first error.
    private readonly bool _isConnected;
    private bool _reusePort;
    private bool _closed;
    private bool _isDeaf;

    private ManagedDatagramSocket(ReactorLoop loop, Socket socket, IDatagramHandler handler, long[] drops, ManagedDatagramSocket? parent = null)
        : base(handler, drops)
    {
        _loop = loop;
        _socket = socket;
        _parent = parent;
        _local = socket.LocalEndPoint!;
        _isConnected = socket.Connected;
        IPAddress address = ((IPEndPoint)_local).Address;
        if (parent is not null) _pinned = DatagramAddress.From(address, 0);
        else if (!_isConnected && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))) _children = [];
        _ready = new ReadyOperation(this) { SocketFlags = SocketFlags.Peek };
        _ready.SetBuffer(Array.Empty<byte>(), 0, 0);
        TurnLater();
    }

    public override EndPoint LocalEndPoint => _local;

    public override nint Handle => _closed ? -1 : _socket.Handle;

    private bool IsV6 => _socket.AddressFamily == AddressFamily.InterNetworkV6;

    public static ManagedDatagramSocket OpenBound(ReactorLoop loop, IPEndPoint address, in ListenOptions options, IDatagramHandler handler, long[] drops)
    {
        bool isAny = address.Address.Equals(IPAddress.Any) || address.Address.Equals(IPAddress.IPv6Any);
        Socket socket = options.Inherited is { } inherited ? new(new SafeSocketHandle(inherited, ownsHandle: true)) { Blocking = false } : Open(address.AddressFamily);
        try
        {
            if (options.Inherited is null)
            {
                ManagedListener.AllowReuse(socket, address: isAny, options.ReusePort);
                if (address.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = options.DualMode;
            }

            if (OperatingSystem.IsLinux()) options.Tuning?.Apply(socket);
            if (isAny) AskForLocal(socket);
            socket.ReceiveBufferSize = ListenerBuffer;
            if (options.Inherited is null) socket.Bind(address);
            return new ManagedDatagramSocket(loop, socket, handler, drops) { _reusePort = options.ReusePort };
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public static ManagedDatagramSocket? OpenConnected(
        ReactorLoop loop, IPEndPoint address, ConnectOptions? options, in PeerAddress client, IDatagramHandler handler, long[] drops)
    {
        Socket? socket = null;
        try
        {
            socket = Open(address.AddressFamily);
            if (options is not null && !DatagramSource.Prepare(socket, options, in client)) throw new SocketException((int)SocketError.AddressNotAvailable);
            socket.Connect(address);
            return new ManagedDatagramSocket(loop, socket, handler, drops);
        }
        catch (SocketException)
        {
            socket?.Dispose();
            return null;
        }
    }

    public override DatagramSend Send(DatagramBatch batch, int head)
    {
        for (int i = head; i >= 0; i = batch[i].Next)
        {
            _socket.Send(batch.Slot(i)[..batch[i].Length], SocketFlags.None, out SocketError error);
            if (IsUnreachable(error)) return new DatagramSend(true, i);
            if (error != SocketError.Success) Drop(ReasonOf(error), 1);
        }

        return DatagramSend.Done;
    }

    public override void Reply(DatagramBatch batch, int head, in DatagramAddress to, in DatagramAddress local)
    {
        if (_closed) return;
        ManagedDatagramSocket? child = local.IsEmpty ? null : _children?.GetValueOrDefault(local);
        SocketAddress address = to.ToEndPoint(IsV6).Serialize();
        for (int i = head; i >= 0; i = batch[i].Next)
        {
            ReadOnlySpan<byte> data = batch.Slot(i)[..batch[i].Length];
            SocketError error = SendTo((child ?? this)._socket, data, address);

            // Where the client sent to is no address to send from: a broadcast.
            if (error != SocketError.Success && child is not null) error = SendTo(_socket, data, address);
            if (error != SocketError.Success) Drop(ReasonOf(error), 1);
        }
    }

    public override void StopReceiving()
    {
        _isDeaf = true;
        CloseChildren();
    }

    public override void Close()
    {
        if (_closed) return;
        _closed = true;
        CloseChildren();
        _socket.Dispose();
        _ready.Dispose();
    }

    // What arrives at their addresses comes to the wildcard socket then.
    private void CloseChildren()
    {
        if (_children is null) return;
        foreach (ManagedDatagramSocket? child in _children.Values) child?.Close();
        _children.Clear();
    }

    private static Socket Open(AddressFamily family) => new(family, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };

    private static void AskForLocal(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.InterNetworkV6) socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.PacketInformation, true);
        if (socket.AddressFamily == AddressFamily.InterNetwork || socket.DualMode)
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
    }

    private static SocketError SendTo(Socket socket, ReadOnlySpan<byte> data, SocketAddress address)
    {
        try
        {
            socket.SendTo(data, SocketFlags.None, address);
            return SocketError.Success;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode;
        }
    }

    // Windows says "reset" for a port that nobody listens on.
    private static bool IsUnreachable(SocketError error) => error is SocketError.ConnectionRefused or SocketError.ConnectionReset
        or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.NetworkDown;

    private static UdpDrop ReasonOf(SocketError error) => error switch
    {
        SocketError.MessageSize => UdpDrop.TooLarge,
        SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable => UdpDrop.SendQueueFull,
        _ => UdpDrop.SendFailed,
    };

    private void TurnLater() => _ = _loop.Post(static state => ((ManagedDatagramSocket)state!).Turn(), this);

    private void Turn()
    {
        DatagramBatch batch = _isConnected ? _loop.Datagrams.Out : _loop.Datagrams.In;
        for (int turn = 0; turn < BatchesPerTurn; turn++)
        {
            if (_closed || _isDeaf) return;
            int count = 0;
            bool unreachable = IsUnreachable(_ready.TakeError()) && _isConnected;
            while (count < BatchSize && !unreachable && _socket.Poll(0, SelectMode.SelectRead))
            {
                SocketError error = Receive(batch, count);
                if (error == SocketError.Success) count++;
                else if (error == SocketError.MessageSize) Drop(UdpDrop.Truncated, 1);
                else if (IsUnreachable(error)) unreachable = _isConnected;
                else break;
            }

            for (int i = 0; i < count; i++) batch[i].Next = i + 1 < count ? i + 1 : -1;
            if (count > 0) Handler.OnReceived(_parent ?? this, batch, 0, count);
            if (unreachable && !_closed) Handler.OnUnreachable(this);
            if (count < BatchSize && !unreachable)
            {
                Watch();
                return;
            }
        }

        TurnLater();
    }

    private SocketError Receive(DatagramBatch batch, int index)
    {
        ref Datagram item = ref batch[index];
        item.Segment = 0;
        item.Local = _pinned;
        try
        {
            if (_isConnected)
            {
                item.Length = _socket.Receive(batch.Slot(index), SocketFlags.None, out SocketError error);
                return error;
            }

            EndPoint from = new IPEndPoint(IsV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
            if (_children is null)
            {
                item.Length = _socket.ReceiveFrom(batch.Slot(index), ref from);
            }
            else
            {
                SocketFlags flags = SocketFlags.None;
                item.Length = _socket.ReceiveMessageFrom(batch.Slot(index), ref flags, ref from, out IPPacketInformation information);
                item.Local = Pin(information.Address);
            }

            item.From = DatagramAddress.From(((IPEndPoint)from).Address, ((IPEndPoint)from).Port);
            return SocketError.Success;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode;
        }
    }

    /// <summary>Sees to it that answers can leave from this address.</summary>
    private DatagramAddress Pin(IPAddress? address)
    {
        if (address is null || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) return default;
        DatagramAddress local = DatagramAddress.From(address, 0);
        if (_children!.ContainsKey(local) || _children.Count >= MostPinned) return local;
        Socket? socket = null;
        try
        {
            socket = Open(_socket.AddressFamily);
            ManagedListener.AllowReuse(socket, address: true, _reusePort);
            if (IsV6) socket.DualMode = _socket.DualMode;
            socket.Bind(new IPEndPoint(IsV6 ? address.MapToIPv6() : address, ((IPEndPoint)_local).Port));
            _children[local] = new ManagedDatagramSocket(_loop, socket, Handler, Drops, this);
        }
        catch (SocketException)
        {
            // No address of ours, for example a broadcast: the wildcard socket answers.
            socket?.Dispose();
            _children[local] = null;
        }

        return local;
    }

    private void Watch()
    {
        try
        {
            if (!_socket.ReceiveAsync(_ready)) TurnLater();
        }
        catch (SocketException error)
        {
            _ready.SocketError = error.SocketErrorCode;
            TurnLater();
        }
    }

    // Without the execution context (the argument to the base): it would be captured for every operation.
    private sealed class ReadyOperation(ManagedDatagramSocket socket) : SocketAsyncEventArgs(true)
    {
        // A thread of the pool: no handler may run here.
        protected override void OnCompleted(SocketAsyncEventArgs e) => socket.TurnLater();

        /// <summary>An ICMP error that the peek was told instead of the next call.</summary>
        public SocketError TakeError()
        {
            SocketError error = SocketError;
            SocketError = SocketError.Success;
            return error;
        }
    }
}
