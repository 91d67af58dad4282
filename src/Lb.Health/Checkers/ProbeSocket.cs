using System.Net;
using System.Net.Sockets;

namespace Lb.Health;

/// <summary>The first stage of every check over a stream: a connection, or the reason why there is none.</summary>
internal static class ProbeSocket
{
    /// <summary>Connects within the target's connect time-out.</summary>
    /// <returns>A connected socket, to be disposed by the caller, or null and the failed result.</returns>
    public static async ValueTask<(Socket? Socket, ProbeResult Failure)> ConnectAsync(ProbeTarget target, TimeProvider time, CancellationToken ct)
    {
        Socket? socket = null;
        EndPoint first = target.Socks4 ?? target.EndPoint;
        try
        {
            socket = Create(first, target.Source);
            Bind(socket, target.Source);
            using FairTimeout limit = new(target.ConnectTimeout, time, ct);
            await socket.ConnectAsync(first, limit.Token).ConfigureAwait(false);
            if (target.Socks4 is not null && await AskProxyAsync(socket, target.EndPoint, limit.Token).ConfigureAwait(false) is { } refused) return (null, refused);
            await SendAsync(socket, target.Preamble, limit.Token).ConfigureAwait(false);
            Socket connected = socket;
            socket = null;
            return (connected, default);
        }
        catch (OperationCanceledException)
        {
            return (null, new ProbeResult(CheckStatus.Layer4Timeout, 0, "no connection in time"));
        }
        catch (SocketException error)
        {
            return (null, Explain(error.SocketErrorCode, first));
        }
        finally
        {
            socket?.Dispose();
        }
    }

    /// <summary>Tells the server's faults from our own. The words are our own too: the system's depend on its language.</summary>
    internal static ProbeResult Explain(SocketError error, EndPoint endPoint)
    {
        bool isUnix = endPoint is UnixDomainSocketEndPoint;
        return error switch
        {
            SocketError.ConnectionRefused => new(CheckStatus.Layer4Connection, 0, "connection refused"),
            SocketError.HostUnreachable or SocketError.HostDown => new(CheckStatus.Layer4Connection, 0, "host unreachable"),
            SocketError.NetworkUnreachable or SocketError.NetworkDown => new(CheckStatus.Layer4Connection, 0, "network unreachable"),
            SocketError.ConnectionReset or SocketError.ConnectionAborted => new(CheckStatus.Layer4Connection, 0, "connection reset"),
            SocketError.TimedOut => new(CheckStatus.Layer4Timeout, 0, "no connection in time"),

            // A Unix socket answers at once: no such file, or the listen queue is full.
            SocketError.AddressNotAvailable or SocketError.InvalidArgument when isUnix => new(CheckStatus.Layer4Connection, 0, "no such socket"),
            SocketError.WouldBlock when isUnix => new(CheckStatus.Layer4Connection, 0, "listen queue full"),
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => new(CheckStatus.Layer4Connection, 0, "host name can't be looked up"),
            SocketError.AddressNotAvailable => new(CheckStatus.SocketError, 0, "no free local port or address"),
            SocketError.TooManyOpenSockets => new(CheckStatus.SocketError, 0, "too many open files"),
            SocketError.AccessDenied => new(CheckStatus.SocketError, 0, "permission denied"),
            SocketError.NoBufferSpaceAvailable => new(CheckStatus.SocketError, 0, "no memory for a socket"),
            SocketError.ProtocolNotSupported or SocketError.AddressFamilyNotSupported or SocketError.OperationNotSupported => new(CheckStatus.SocketError, 0, $"socket error {error}"),
            _ => new(CheckStatus.Layer4Connection, 0, $"socket error {error}"),
        };
    }

    /// <summary>The same address with another port; a Unix socket has none and stays as it is.</summary>
    internal static EndPoint WithPort(EndPoint endPoint, int port) => endPoint switch
    {
        IPEndPoint ip => new IPEndPoint(ip.Address, port),
        DnsEndPoint name => new DnsEndPoint(name.Host, port, name.AddressFamily),
        _ => endPoint,
    };

    private static async ValueTask SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, ct).ConfigureAwait(false)..];
    }

    // Null when the proxy has connected.
    private static async ValueTask<ProbeResult?> AskProxyAsync(Socket socket, EndPoint endPoint, CancellationToken ct)
    {
        if (endPoint is not IPEndPoint { AddressFamily: AddressFamily.InterNetwork } target)
            return new ProbeResult(CheckStatus.SocketError, 0, "a SOCKS4 proxy takes only IPv4 addresses");
        await SendAsync(socket, Socks4Wire.Request(target), ct).ConfigureAwait(false);
        byte[] reply = new byte[Socks4Wire.ReplyLength];
        for (int got = 0, received; got < reply.Length; got += received)
        {
            received = await socket.ReceiveAsync(reply.AsMemory(got), ct).ConfigureAwait(false);
            if (received == 0) return new ProbeResult(CheckStatus.Layer4Connection, 0, "the SOCKS proxy closed without an answer");
        }

        return Socks4Wire.Judge(reply) is { } fault ? new ProbeResult(CheckStatus.Layer4Connection, 0, fault) : null;
    }

    /// <summary>Has a socket come from an address of this node. The port is chosen by the connection, so that checks of many servers may share one.</summary>
    internal static void Bind(Socket socket, IPAddress? source)
    {
        if (source is null || socket.AddressFamily == AddressFamily.Unix) return;

        // Not for datagrams: a port that is not chosen yet hears nobody.
        if (OperatingSystem.IsLinux() && socket.SocketType == SocketType.Stream) socket.SetRawSocketOption(SolIp, IpBindAddressNoPort, [1, 0, 0, 0]);
        socket.Bind(new IPEndPoint(source, 0));
    }

    // <netinet/in.h>; IPv6 sockets take it at the same level.
    private const int SolIp = 0, IpBindAddressNoPort = 24;

    private static Socket Create(EndPoint endPoint, IPAddress? source) => endPoint switch
    {
        UnixDomainSocketEndPoint => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
        IPEndPoint ip => new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },

        // A host name may have addresses of both kinds; where we come from leaves one of them.
        _ when source is not null => new Socket(source.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
        _ => new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
    };
}
