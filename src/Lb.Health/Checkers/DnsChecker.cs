using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;

namespace Lb.Health;

/// <summary>Passes when a name server answers a question as expected (keepalived <c>DNS_CHECK</c>), over UDP or TCP.</summary>
/// <remarks>
/// Results: L7OK; L7STS = an answer with another code or other records, and <see cref="ProbeResult.Code"/> is its code; L7RSP = an answer that can't be
/// understood; L7TOUT = none in time; L4CON = refused (ICMP says so) or unreachable; SOCKERR = a local fault, or a Unix socket. Datagrams that carry
/// another id are not looked at. Any thread.
/// </remarks>
public sealed class DnsChecker : IHealthChecker
{
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly DnsQuestion _question;
    private readonly int _attempts;
    private readonly bool _tcp;

    /// <summary>Makes a checker from <see cref="CheckOptions.Dns"/>, which is read once.</summary>
    /// <param name="options">The check.</param>
    /// <param name="time">Clock of the time-out; default <see cref="TimeProvider.System"/>.</param>
    /// <param name="random">Source of ids; default <see cref="Random.Shared"/>. Used by any thread.</param>
    /// <exception cref="ArgumentException">A value can't be understood; the message lists every fault.</exception>
    public DnsChecker(CheckOptions options, TimeProvider? time = null, Random? random = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<ConfigurationError> errors = [];
        CheckDnsOptions dns = options.Dns ?? new CheckDnsOptions();
        if (!DnsQuestion.TryRead("check", dns, errors, out DnsQuestion? question))
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        _question = question;
        _attempts = dns.Attempts;
        _tcp = dns.Tcp;
        _time = time ?? TimeProvider.System;
        _random = random ?? Random.Shared;
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        ushort id = (ushort)_random.Next(ushort.MaxValue + 1);
        byte[] query = _question.Write(id);
        if (_tcp) return await AskOverTcpAsync(target, id, query, ct).ConfigureAwait(false);
        (ProbeResult result, bool isCut) = await AskOverUdpAsync(target, id, query, ct).ConfigureAwait(false);
        if (!isCut) return result;

        // Servers that don't listen there are told by what they said before.
        ProbeResult whole = await AskOverTcpAsync(target, id, query, ct).ConfigureAwait(false);
        return whole.Status is CheckStatus.Layer7Ok or CheckStatus.Layer7Status ? whole : result;
    }

    private async ValueTask<(ProbeResult Result, bool IsCut)> AskOverUdpAsync(ProbeTarget target, ushort id, byte[] query, CancellationToken ct)
    {
        (Socket? socket, ProbeResult failure) = await DatagramSocket.ConnectAsync(target, ct).ConfigureAwait(false);
        if (socket is null) return (failure, false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        TimeSpan each = (target.AnswerTimeout ?? target.Timeout) / _attempts;
        try
        {
            // The same id and port each time: a late answer to an earlier attempt is as good.
            for (int i = 0; i < _attempts && !ct.IsCancellationRequested; i++)
            {
                using FairTimeout limit = new(each, _time, ct);
                if (await AskAsync(socket, id, query, buffer, limit.Token).ConfigureAwait(false) is { } result) return result;
            }

            return (new ProbeResult(CheckStatus.Layer7Timeout, 0, "no answer in time"), false);
        }
        catch (SocketException error)
        {
            return (DatagramSocket.Explain(error, target.EndPoint), false);
        }
        finally
        {
            socket.Dispose();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<(ProbeResult Result, bool IsCut)?> AskAsync(Socket socket, ushort id, byte[] query, byte[] buffer, CancellationToken ct)
    {
        try
        {
            await socket.SendAsync(query.AsMemory(), ct).ConfigureAwait(false);
            while (true)
            {
                int received = await socket.ReceiveAsync(buffer.AsMemory(), ct).ConfigureAwait(false);
                ReadOnlySpan<byte> packet = buffer.AsSpan(0, received);
                if (!DnsReply.IsFor(id, packet)) continue;
                return Judge(packet);
            }
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    // RFC 1035, 4.2.2: a length of two bytes, then the message.
    private ValueTask<ProbeResult> AskOverTcpAsync(ProbeTarget target, ushort id, byte[] query, CancellationToken ct) => ProbeExchange.RunAsync(
        target,
        _time,
        async (stream, token) =>
        {
            byte[] length = new byte[2];
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)query.Length);
            await stream.SendAsync((byte[])[.. length, .. query], token).ConfigureAwait(false);
            if (await stream.ReadAsync(2, token).ConfigureAwait(false) is not { } head) return ProbeExchange.Junk("no whole answer");
            int expected = BinaryPrimitives.ReadUInt16BigEndian(head.Span);
            if (await stream.ReadAsync(expected, token).ConfigureAwait(false) is not { } packet) return ProbeExchange.Junk("no whole answer");
            return DnsReply.IsFor(id, packet.Span) ? Judge(packet.Span).Result : ProbeExchange.Junk("answer to another question");
        },
        ct);

    private (ProbeResult Result, bool IsCut) Judge(ReadOnlySpan<byte> packet)
    {
        if (!DnsReply.TryRead(_question, packet, out DnsReply reply, out string error)) return (ProbeExchange.Junk(error), false);
        return reply.Judge(_question) is { } fault
            ? (new ProbeResult(CheckStatus.Layer7Status, reply.Rcode, fault), reply.IsTruncated)
            : (new ProbeResult(CheckStatus.Layer7Ok, reply.Rcode, DnsQuestion.RcodeName(reply.Rcode)), false);
    }
}
