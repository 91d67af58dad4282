using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Lb.Health;

/// <summary>
/// Sends a datagram and passes when the reply is as expected, or, without <see cref="CheckUdpOptions.RequireReply"/>, when the server does not refuse it
/// (keepalived <c>UDP_CHECK</c>).
/// </summary>
/// <remarks>
/// Results: L7OK = the reply expected; L4OK = no refusal; L4CON = refused (ICMP says so) or unreachable; L7TOUT = no reply in time; L7RSP = another reply;
/// SOCKERR = a local fault, or a Unix socket. Without a required reply the check takes <see cref="ProbeTarget.AnswerTimeout"/>, or half of the whole
/// time: a refusal has to have time to come. Any thread.
/// </remarks>
public sealed class UdpChecker : IHealthChecker
{
    private readonly TimeProvider _time;
    private readonly UdpRules _rules;

    /// <summary>Makes a checker from <see cref="CheckOptions.Udp"/>, which is read once.</summary>
    /// <param name="options">The check.</param>
    /// <param name="time">Clock of the time-out; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">A value can't be understood; the message lists every fault.</exception>
    public UdpChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<ConfigurationError> errors = [];
        if (!UdpRules.TryRead("check", options.Udp ?? new CheckUdpOptions(), errors, out UdpRules? rules))
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        _rules = rules;
        _time = time ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        (Socket? socket, ProbeResult failure) = await DatagramSocket.ConnectAsync(target, ct).ConfigureAwait(false);
        if (socket is null) return failure;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        using FairTimeout limit = new(target.AnswerTimeout ?? (_rules.Options.RequireReply ? target.Timeout : target.Timeout / 2), _time, ct);
        try
        {
            await socket.SendAsync(_rules.Payload.AsMemory(), limit.Token).ConfigureAwait(false);
            int received = await socket.ReceiveAsync(buffer.AsMemory(), limit.Token).ConfigureAwait(false);
            if (!_rules.Options.RequireReply) return new ProbeResult(CheckStatus.Layer4Ok);
            return _rules.Judge(buffer.AsSpan(0, received)) is { } fault ? new(CheckStatus.Layer7Response, 0, fault) : new(CheckStatus.Layer7Ok);
        }
        catch (OperationCanceledException)
        {
            // Cut short by the caller, or the time of a reply that need not come is over.
            if (_rules.Options.RequireReply) return new ProbeResult(CheckStatus.Layer7Timeout, 0, "no reply in time");
            return ct.IsCancellationRequested ? new(CheckStatus.Layer4Timeout, 0, "no time to wait for a refusal") : new(CheckStatus.Layer4Ok);
        }
        catch (SocketException error)
        {
            return DatagramSocket.Explain(error, target.EndPoint);
        }
        finally
        {
            socket.Dispose();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>Connected datagram sockets: only their peer is heard, and its refusals.</summary>
internal static class DatagramSocket
{
    /// <summary>Makes one.</summary>
    /// <returns>A socket, to be disposed by the caller, or null and the failed result.</returns>
    public static async ValueTask<(Socket? Socket, ProbeResult Failure)> ConnectAsync(ProbeTarget target, CancellationToken ct)
    {
        EndPoint endPoint = target.EndPoint;
        if (endPoint is UnixDomainSocketEndPoint) return (null, new ProbeResult(CheckStatus.SocketError, 0, "a Unix socket takes no datagrams"));
        Socket? socket = null;
        try
        {
            AddressFamily? family = (endPoint as IPEndPoint)?.AddressFamily ?? target.Source?.AddressFamily;
            socket = family is { } known ? new Socket(known, SocketType.Dgram, ProtocolType.Udp) : new Socket(SocketType.Dgram, ProtocolType.Udp);

            ProbeSocket.Bind(socket, target.Source);

            // Nothing is sent yet; only a host name takes time.
            await socket.ConnectAsync(endPoint, ct).ConfigureAwait(false);
            Socket connected = socket;
            socket = null;
            return (connected, default);
        }
        catch (OperationCanceledException)
        {
            return (null, new ProbeResult(CheckStatus.Layer4Timeout, 0, "cancelled before anything was sent"));
        }
        catch (SocketException error)
        {
            return (null, Explain(error, endPoint));
        }
        finally
        {
            socket?.Dispose();
        }
    }

    public static ProbeResult Explain(SocketException error, EndPoint endPoint) =>
        error.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset
            ? new ProbeResult(CheckStatus.Layer4Connection, 0, "port unreachable")
            : error.SocketErrorCode == SocketError.MessageSize ? new ProbeResult(CheckStatus.SocketError, 0, "payload is too long for the way there")
            : ProbeSocket.Explain(error.SocketErrorCode, endPoint);
}
