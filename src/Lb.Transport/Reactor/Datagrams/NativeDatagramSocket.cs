using System.Net;
using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>A UDP socket of the epoll and io_uring drivers.</summary>
internal sealed unsafe class NativeDatagramSocket : DatagramSocket, IDescriptorHandler
{
    private static readonly Action<object?> s_goOn = static state => ((NativeDatagramSocket)state!).GoOn();

    private readonly ReactorLoop _loop;
    private readonly DatagramArea _area;
    private readonly EndPoint _local;
    private DescriptorWatch? _watch;
    private uint _overflows;
    private bool _canSegment = true;
    private bool _goesOn;
    private bool _isDeaf;

    private NativeDatagramSocket(ReactorLoop loop, int descriptor, bool isV6, EndPoint? local, IDatagramHandler handler, long[] drops)
        : base(handler, drops)
    {
        _loop = loop;
        _area = loop.Datagrams;
        _local = local ?? new IPEndPoint(IPAddress.None, 0);
        Descriptor = descriptor;
        IsV6 = isV6;
        IsConnected = local is null;
    }

    public override EndPoint LocalEndPoint => _local;

    public override nint Handle => Descriptor;

    internal int Descriptor { get; private set; }

    /// <summary>Place in the list of the loop's sockets.</summary>
    internal int Slot { get; set; }

    internal bool IsV6 { get; }

    internal bool IsConnected { get; }

    /// <summary>The kernel divides one message into datagrams.</summary>
    internal bool CanSegment => _canSegment;

    public static NativeDatagramSocket OpenBound(ReactorLoop loop, IPEndPoint address, in ListenOptions options, IDatagramHandler handler, long[] drops)
    {
        byte* native = stackalloc byte[NativeAddress.Capacity];
        uint length = NativeAddress.Write(address, native, out int family);
        int descriptor = options.Inherited is { } inherited ? (int)inherited : Open(family);
        if (descriptor < 0) throw Errno.ToException(Libc.Errno, $"socket for {address}");
        bool isV6 = family == Libc.AddressFamilyV6;
        try
        {
            if (options.ReusePort) Set(Libc.LevelSocket, Libc.ReusePort, 1);
            if (isV6 && options.Inherited is null) Set(Libc.LevelV6, Libc.V6Only, options.DualMode ? 0 : 1);
            string? failed = null;
            int error = options.Tuning?.Apply(descriptor, isV6, out failed, isDatagram: true) ?? 0;
            if (error != 0) throw Errno.ToException(error, $"{failed} for {address}");

            // One address needs no telling which one it was.
            if (address.Address.Equals(IPAddress.Any)) Set(DatagramLibc.LevelIp, DatagramLibc.PacketInfoV4, 1);
            else if (address.Address.Equals(IPAddress.IPv6Any)) Set(Libc.LevelV6, DatagramLibc.ReceivePacketInfoV6, 1);
            _ = Libc.SetOption(descriptor, Libc.LevelSocket, DatagramLibc.QueueOverflow, 1);
            _ = Libc.SetOption(descriptor, DatagramLibc.LevelUdp, DatagramLibc.Coalesce, 1);
            if (Libc.SetOption(descriptor, Libc.LevelSocket, DatagramLibc.ReceiveBufferForce, ListenerBuffer) != 0)
                _ = Libc.SetOption(descriptor, Libc.LevelSocket, DatagramLibc.ReceiveBuffer, ListenerBuffer);
            if (options.Inherited is null && Libc.Bind(descriptor, native, length) != 0) throw Errno.ToException(Libc.Errno, $"bind to {address}");
            IPEndPoint local = new(address.Address, NativeAddress.LocalPortOf(descriptor));
            NativeDatagramSocket socket = new(loop, descriptor, isV6, local, handler, drops);
            socket._watch = loop.Watch(descriptor, socket, writes: false);
            socket._area.Add(socket);
            return socket;
        }
        catch
        {
            _ = Libc.Close(descriptor);
            throw;
        }

        void Set(int level, int option, int value)
        {
            if (Libc.SetOption(descriptor, level, option, value) != 0) throw Errno.ToException(Libc.Errno, $"setsockopt for {address}");
        }
    }

    public static NativeDatagramSocket? OpenConnected(
        ReactorLoop loop, IPEndPoint address, ConnectOptions? options, in PeerAddress client, IDatagramHandler handler, long[] drops)
    {
        byte* native = stackalloc byte[NativeAddress.Capacity];
        uint length = NativeAddress.Write(address, native, out int family);
        int descriptor = Open(family);
        if (descriptor < 0) return null;
        _ = Libc.SetOption(descriptor, DatagramLibc.LevelUdp, DatagramLibc.Coalesce, 1);

        // Also of hosts and networks that can't be reached, not only of closed ports.
        if (family == Libc.AddressFamilyV6) _ = Libc.SetOption(descriptor, Libc.LevelV6, DatagramLibc.ReceiveErrorsV6, 1);
        else _ = Libc.SetOption(descriptor, DatagramLibc.LevelIp, DatagramLibc.ReceiveErrorsV4, 1);
        try
        {
            bool isV6 = family == Libc.AddressFamilyV6;
            if ((options is null || DatagramSource.Prepare(descriptor, isV6, options, in client)) && Libc.Connect(descriptor, native, length) == 0)
            {
                NativeDatagramSocket socket = new(loop, descriptor, isV6, null, handler, drops);
                socket._watch = loop.Watch(descriptor, socket, writes: false);
                socket._area.Add(socket);
                return socket;
            }
        }
        catch (SocketException)
        {
            // No room to watch one more.
        }

        _ = Libc.Close(descriptor);
        return null;
    }

    public override DatagramSend Send(DatagramBatch batch, int head)
    {
        DatagramSender sender = _area.ToServers!;
        DatagramSend sent = sender.Add(this, batch, head, default, default);
        return sent.Unreachable ? sent : sender.Flush(this);
    }

    public override void Reply(DatagramBatch batch, int head, in DatagramAddress to, in DatagramAddress local)
    {
        if (Descriptor >= 0) _area.Reply(this, head, to, local);
    }

    public void OnReady(bool readable, bool writable)
    {
        // What comes while it waits for its next turn is read then, so that a flood gets one share of each turn.
        if (readable && !_goesOn) Receive();

        // Writable is told of errors only. What is left of them would fill the socket's memory.
        while (writable && Descriptor >= 0 && TakeError() != 0)
        {
        }
    }

    /// <summary>The oldest ICMP error that waits in the error queue of a connected socket; 0 = none.</summary>
    internal int TakeError()
    {
        const int Size = 128;
        if (!IsConnected) return 0;
        byte* control = stackalloc byte[Size];
        MessageHeader header = new() { Control = control, ControlLength = Size };
        if (DatagramLibc.Receive(Descriptor, &header, DatagramLibc.MessageErrorQueue | DatagramLibc.MessageDontWait) < 0) return 0;

        // struct sock_extended_err begins with the error; it is the first and only thing asked for.
        return header.ControlLength >= ControlHeader.Size + sizeof(int) ? *(int*)(control + ControlHeader.Size) : Errno.InputOutput;
    }

    public override void StopReceiving()
    {
        if (_isDeaf || Descriptor < 0) return;
        _isDeaf = true;
        _loop.Unwatch(_watch!);
    }

    public override void Close()
    {
        if (Descriptor < 0) return;
        if (!IsConnected) _area.FlushReplies();
        if (!_isDeaf) _loop.Unwatch(_watch!);
        _area.Remove(this);
        CloseDescriptor();
    }

    /// <summary>At the end of the loop, when nobody watches any more.</summary>
    internal void CloseDescriptor()
    {
        _ = Libc.Close(Descriptor);
        Descriptor = -1;
    }

    /// <summary>Whether segments have been refused for another reason than that they are segments.</summary>
    internal bool KeepsSegments(int error)
    {
        // EIO: the network card can't compute checksums. The others: this kernel knows no segments. Not for good: this way has a smaller packet size.
        if (error is Errno.InputOutput or Errno.NoProtocolOption or Errno.NotSupported) _canSegment = false;
        return error is not (Errno.InputOutput or Errno.NoProtocolOption or Errno.NotSupported or Errno.Invalid or Errno.MessageTooLong);
    }

    internal new void Drop(UdpDrop reason, int count) => base.Drop(reason, count);

    private static int Open(int family) => Libc.Socket(family, DatagramLibc.SockDatagram | Libc.SockNonBlocking | Libc.SockCloseOnExec, 0);

    private void Receive()
    {
        DatagramReceiver receiver = IsConnected ? _area.FromServers! : _area.FromClients!;
        DatagramBatch batch = IsConnected ? _area.Out : _area.In;
        for (int turn = 0; turn < BatchesPerTurn; turn++)
        {
            if (Descriptor < 0 || _isDeaf) return;
            if (IsConnected && batch.Capacity - batch.Used < BatchSize / 2) _area.Flush();
            int first = IsConnected ? batch.Used : 0, most = Math.Min(BatchSize, batch.Capacity - first);
            uint overflows = _overflows;
            int count = receiver.Receive(Descriptor, first, most, ref overflows);
            if (overflows != _overflows) Drop(UdpDrop.ReceiveQueueFull, (int)(overflows - _overflows));
            _overflows = overflows;
            if (count < 0)
            {
                int error = Libc.Errno;
                if (error == Errno.Again) return;
                if (IsConnected && DatagramSender.IsUnreachable(error)) Handler.OnUnreachable(this);

                // The error was an older one, and has been told now; behind it there may be data, of which no edge tells any more.
                continue;
            }

            if (IsConnected) batch.Used += count;
            Handler.OnReceived(this, batch, first, count);

            // The kernel had no more: what comes from now on is a new edge.
            if (count < most) return;
        }

        _goesOn = _loop.Post(s_goOn, this);
    }

    private void GoOn()
    {
        _goesOn = false;
        Receive();
    }
}
