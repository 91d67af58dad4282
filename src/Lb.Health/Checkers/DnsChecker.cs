using System.Buffers;
using System.Net.Sockets;

namespace Lb.Health;

/// <summary>Passes when a name server answers a question over UDP as expected (keepalived <c>DNS_CHECK</c>).</summary>
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
        _time = time ?? TimeProvider.System;
        _random = random ?? Random.Shared;
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        (Socket? socket, ProbeResult failure) = await DatagramSocket.ConnectAsync(target.EndPoint, ct).ConfigureAwait(false);
        if (socket is null) return failure;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        ushort id = (ushort)_random.Next(ushort.MaxValue + 1);
        byte[] query = _question.Write(id);
        TimeSpan each = (target.AnswerTimeout ?? target.Timeout) / _attempts;
        try
        {
            // The same id and port each time: a late answer to an earlier attempt is as good.
            for (int i = 0; i < _attempts && !ct.IsCancellationRequested; i++)
            {
                using FairTimeout limit = new(each, _time, ct);
                if (await AskAsync(socket, id, query, buffer, limit.Token).ConfigureAwait(false) is { } result) return result;
            }

            return new ProbeResult(CheckStatus.Layer7Timeout, 0, "no answer in time");
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

    private async ValueTask<ProbeResult?> AskAsync(Socket socket, ushort id, byte[] query, byte[] buffer, CancellationToken ct)
    {
        try
        {
            await socket.SendAsync(query.AsMemory(), ct).ConfigureAwait(false);
            while (true)
            {
                int received = await socket.ReceiveAsync(buffer.AsMemory(), ct).ConfigureAwait(false);
                ReadOnlySpan<byte> packet = buffer.AsSpan(0, received);
                if (!DnsReply.IsFor(id, packet)) continue;
                if (!DnsReply.TryRead(_question, packet, out DnsReply reply, out string error)) return new ProbeResult(CheckStatus.Layer7Response, 0, error);
                return reply.Judge(_question) is { } fault
                    ? new ProbeResult(CheckStatus.Layer7Status, reply.Rcode, fault)
                    : new ProbeResult(CheckStatus.Layer7Ok, reply.Rcode, DnsQuestion.RcodeName(reply.Rcode));
            }
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
