using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Lb.Health;

/// <summary>
/// Passes when a server answers a ping (keepalived <c>PING_CHECK</c>), over IPv4 or IPv6. It says that the host is there, not that anything runs on it.
/// </summary>
/// <remarks>
/// Results: L4OK; L4TOUT = no answer in time; L4CON = unreachable; SOCKERR = no permission, with what to do, or a Unix socket. An unprivileged datagram
/// socket is tried first (<c>net.ipv4.ping_group_range</c>), then a raw one (<c>CAP_NET_RAW</c>), which hears the pings of all others too. Any thread.
/// </remarks>
public sealed class IcmpChecker : IHealthChecker
{
    private readonly TimeProvider _time;
    private readonly Func<AddressFamily, SocketType, ProtocolType, Socket> _open;

    /// <summary>Makes a checker.</summary>
    /// <param name="time">Clock of the time-out; default <see cref="TimeProvider.System"/>.</param>
    public IcmpChecker(TimeProvider? time = null)
        : this(time, static (family, type, protocol) => new Socket(family, type, protocol))
    {
    }

    internal IcmpChecker(TimeProvider? time, Func<AddressFamily, SocketType, ProtocolType, Socket> open)
    {
        _time = time ?? TimeProvider.System;
        _open = open;
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        using FairTimeout limit = new(target.AnswerTimeout ?? target.Timeout, _time, ct);
        Socket? socket = null;
        try
        {
            if (await AddressAsync(target.EndPoint, limit.Token).ConfigureAwait(false) is not { } address)
                return new ProbeResult(CheckStatus.SocketError, 0, "a Unix socket can't be pinged");
            (socket, bool isRaw) = Open(address.AddressFamily);
            if (socket is null) return new ProbeResult(CheckStatus.SocketError, 0, "no permission to ping: set the sysctl net.ipv4.ping_group_range=\"0 2147483647\" or give CAP_NET_RAW");
            ProbeSocket.Bind(socket, target.Source);
            return await PingAsync(socket, isRaw, address, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new ProbeResult(CheckStatus.Layer4Timeout, 0, "no answer in time");
        }
        catch (SocketException error)
        {
            return ProbeSocket.Explain(error.SocketErrorCode, target.EndPoint);
        }
        finally
        {
            socket?.Dispose();
        }
    }

    private static async ValueTask<IPAddress?> AddressAsync(EndPoint endPoint, CancellationToken ct) => endPoint switch
    {
        IPEndPoint ip => ip.Address.IsIPv4MappedToIPv6 ? ip.Address.MapToIPv4() : ip.Address,
        DnsEndPoint name => (await Dns.GetHostAddressesAsync(name.Host, name.AddressFamily, ct).ConfigureAwait(false))[0],
        _ => null,
    };

    private static async ValueTask<ProbeResult> PingAsync(Socket socket, bool isRaw, IPAddress address, CancellationToken ct)
    {
        bool isV6 = address.AddressFamily == AddressFamily.InterNetworkV6;

        // Connected, so that the kernel leaves out other hosts and tells of their unreachability.
        await socket.ConnectAsync(new IPEndPoint(address, 0), ct).ConfigureAwait(false);
        byte[] token = RandomNumberGenerator.GetBytes(16), buffer = new byte[512];
        await socket.SendAsync(IcmpEcho.Request(isV6, (ushort)(token[0] << 8 | token[1]), token).AsMemory(), ct).ConfigureAwait(false);
        while (true)
        {
            int received = await socket.ReceiveAsync(buffer.AsMemory(), ct).ConfigureAwait(false);
            if (IcmpEcho.IsReply(buffer.AsSpan(0, received), isV6, hasIpHeader: isRaw && !isV6, token)) return new ProbeResult(CheckStatus.Layer4Ok);
        }
    }

    private (Socket? Socket, bool IsRaw) Open(AddressFamily family)
    {
        ProtocolType protocol = family == AddressFamily.InterNetworkV6 ? ProtocolType.IcmpV6 : ProtocolType.Icmp;
        foreach (SocketType type in (SocketType[])[SocketType.Dgram, SocketType.Raw])
        {
            try
            {
                return (_open(family, type, protocol), type == SocketType.Raw);
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.AccessDenied or SocketError.ProtocolNotSupported or SocketError.SocketNotSupported)
            {
                // Not for us; the other kind may be.
            }
        }

        return (null, false);
    }
}
