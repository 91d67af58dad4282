using System.Net;
using System.Net.Sockets;

namespace Lb.Vrrp;

/// <summary>
/// A UDP socket that carries VRRP messages between nodes of Lb where protocol 112 may not be used: no capability is needed, and any system will do. One for
/// all routers with the same address and port; they send by <see cref="UdpUnicastTransport"/>.
/// </summary>
internal sealed class UdpEndpoint : IVrrpReceiver
{
    private readonly ushort _port;
    private readonly DatagramReader? _reader = OperatingSystem.IsLinux() ? new() : null;
    private readonly SocketAddress _from = new(AddressFamily.InterNetworkV6);
    private Socket? _socket;
    private long _dropped;
    private int _scope;

    /// <summary>Makes an endpoint that is closed until <see cref="TryBind"/>.</summary>
    /// <param name="port">Port on this node and on the peers, 1 to 65535.</param>
    public UdpEndpoint(int port) => _port = checked((ushort)port);

    /// <summary>What to poll on Linux; -1 elsewhere: there <see cref="Socket"/> is waited for.</summary>
    public int Descriptor { get; private set; } = -1;

    /// <summary>Number put into <see cref="VrrpDatagram.Link"/>.</summary>
    public int Link { get; init; }

    /// <summary>Address it is bound to, port 0; empty while it is closed.</summary>
    public PeerAddress Source { get; private set; }

    /// <summary>Datagrams that were too long.</summary>
    public long Dropped => _dropped + (_reader?.Dropped ?? 0);

    /// <summary>The socket; null while it is closed.</summary>
    internal Socket? Socket => _socket;

    /// <summary>Opens it, or opens it anew for another address.</summary>
    /// <param name="source">Address on this node; empty = there is none now.</param>
    /// <param name="scope">Index of the interface of a link-local address, else 0.</param>
    /// <param name="error">Why it stays closed, for people.</param>
    public bool TryBind(in PeerAddress source, int scope, out string? error)
    {
        Close();
        if (source.IsEmpty)
        {
            error = "There is no address to send adverts from.";
            return false;
        }

        Socket? socket = null;
        try
        {
            IPAddress address = WithScope(source, scope);
            socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
            socket.Bind(new IPEndPoint(address, _port));
            if (_reader is not null) AskForDetails((int)socket.Handle, source.IsV6);
        }
        catch (SocketException exception)
        {
            socket?.Dispose();
            error = $"UDP port {_port} on {source.ToIPEndPoint().Address}: {exception.Message}";
            return false;
        }

        _socket = socket;
        Descriptor = _reader is not null ? (int)socket.Handle : -1;
        (Source, _scope) = (source, scope);
        error = null;
        return true;
    }

    /// <summary>Whether it is open for this address. A link-local one belongs to an interface: made anew, that has another index.</summary>
    /// <param name="source">Address on this node.</param>
    /// <param name="scope">Index of the interface of a link-local address, else 0.</param>
    public bool IsBoundTo(in PeerAddress source, int scope) => _socket is not null && Source == source && _scope == scope;

    public bool TryReceive(Span<byte> buffer, out int length, out VrrpDatagram datagram)
    {
        while (_socket is not null && Next(buffer, out length, out datagram))
        {
            if (length >= 0) return true;
            _dropped++;
        }

        length = 0;
        datagram = default;
        return false;
    }

    /// <summary>Sends one message; only <see cref="UdpUnicastTransport"/> calls it.</summary>
    /// <param name="message">The message.</param>
    /// <param name="peer">Address and port.</param>
    internal VrrpSendResult SendTo(ReadOnlySpan<byte> message, SocketAddress peer)
    {
        if (_socket is null) return VrrpSendResult.LinkDown;
        try
        {
            _socket.SendTo(message, SocketFlags.None, peer);
            return VrrpSendResult.Sent;
        }
        catch (SocketException exception)
        {
            return ToSendResult(exception.SocketErrorCode);
        }
    }

    /// <summary>The address of a peer as the system wants it.</summary>
    internal SocketAddress ToNative(in PeerAddress peer, int scope) => new IPEndPoint(WithScope(peer, scope), _port).Serialize();

    /// <summary>Closes it; <see cref="TryBind"/> opens it again.</summary>
    public void Close()
    {
        _socket?.Dispose();
        _socket = null;
        Descriptor = -1;
        Source = default;
    }

    public void Dispose()
    {
        Close();
        _reader?.Dispose();
    }

    private static IPAddress WithScope(in PeerAddress address, int scope)
    {
        IPAddress result = address.ToIPEndPoint().Address;
        if (result.IsIPv6LinkLocal) result.ScopeId = scope;
        return result;
    }

    /// <summary>Time stamp, destination and hop limit; without them the messages are as good, only less is known.</summary>
    private static void AskForDetails(int descriptor, bool isV6)
    {
        _ = Libc.SetOption(descriptor, Libc.LevelSocket, Libc.TimestampNs, 1);
        _ = isV6 ? Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6ReceivePacketInfo, 1) : Libc.SetOption(descriptor, Libc.LevelV4, Libc.V4PacketInfo, 1);
        _ = isV6 ? Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6ReceiveHopLimit, 1) : Libc.SetOption(descriptor, Libc.LevelV4, Libc.V4ReceiveTtl, 1);
    }

    private static VrrpSendResult ToSendResult(SocketError error) => error switch
    {
        SocketError.NetworkDown or SocketError.NetworkUnreachable or SocketError.AddressNotAvailable or SocketError.InvalidArgument => VrrpSendResult.LinkDown,
        SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable or SocketError.HostUnreachable or SocketError.HostDown
            or SocketError.ConnectionReset or SocketError.ConnectionRefused => VrrpSendResult.Busy,
        _ => VrrpSendResult.Refused,
    };

    // False when nothing waits; length -1 when what came is of no use.
    private bool Next(Span<byte> buffer, out int length, out VrrpDatagram datagram)
    {
        length = -1;
        datagram = default;
        if (_reader is not null)
        {
            if (!_reader.TryRead(Descriptor, out ReadOnlySpan<byte> bytes, out datagram)) return false;
            if (bytes.TryCopyTo(buffer)) length = bytes.Length;
            datagram = datagram with { Link = Link };
            return true;
        }

        try
        {
            // Asking first: a socket without data answers by an exception.
            if (!_socket!.Poll(0, SelectMode.SelectRead)) return false;
            length = _socket.ReceiveFrom(buffer, SocketFlags.None, _from);
        }
        catch (SocketException)
        {
            // Too long, or news of an earlier send (Windows: ConnectionReset for a port that is closed).
            return true;
        }

        // Family and port have 4 bytes on every system; over IPv6 the flow label follows.
        ReadOnlySpan<byte> address = _from.Buffer.Span;
        address = Source.IsV6 ? address.Slice(8, 16) : address.Slice(4, 4);
        datagram = new VrrpDatagram
        {
            Source = PeerAddress.FromBytes(address, 0),
            Destination = Source,
            TimeToLive = -1,
            ArrivedAt = Clocks.Monotonic(),
            Link = Link,
        };
        return true;
    }
}
