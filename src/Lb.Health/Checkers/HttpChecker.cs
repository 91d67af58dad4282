using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Health;

/// <summary>
/// Passes when an HTTP/1.1 request on a connection of its own gets an expected status and, if asked for, a text in the body (HAProxy
/// <c>option httpchk</c>, keepalived <c>HTTP_GET</c>); works over Unix sockets too.
/// </summary>
/// <remarks>
/// <para>Results: L7OK and L7STS carry the status code; L7STS = a status or body that is not expected; L7RSP = no valid HTTP, or cut off; L7TOUT = no
/// whole answer in time; L4CON, L4TOUT and SOCKERR as in <see cref="TcpChecker"/>.</para>
/// <para>At most 64 KiB of head are read, and of the body only what <see cref="CheckOptions.ExpectBody"/> needs, at most 1 MiB. The text is searched
/// byte by byte as UTF-8; content codings are neither asked for nor undone. Redirects are not followed. Any thread.</para>
/// </remarks>
public sealed class HttpChecker : IHealthChecker
{
    private const int MaxHead = 64 * 1024;
    private const int MaxBody = 1024 * 1024;

    private readonly TimeProvider _time;
    private readonly string _method;
    private readonly string _path;
    private readonly string? _host;
    private readonly StatusRanges _expected;
    private readonly byte[]? _expectedBody;

    /// <summary>Makes a checker from the http keys of <paramref name="options"/>, which are read once.</summary>
    /// <param name="options">Path, Method, Host, Expect and ExpectBody.</param>
    /// <param name="time">Clock of the stages' time-outs; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">A value can't be sent or understood; the message lists every fault.</exception>
    public HttpChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<ConfigurationError> errors = [];
        HttpCheckRules.Validate("check", options, errors);
        if (!StatusRanges.TryParse(options.Expect, out StatusRanges? expected, out _) || errors.Count > 0 || options.Path.Length == 0 || options.Method.Length == 0)
            throw new ArgumentException(string.Join(Environment.NewLine, errors.DefaultIfEmpty(new("check", null, "empty values"))), nameof(options));
        _time = time ?? TimeProvider.System;
        _method = options.Method;
        _path = options.Path;
        _host = options.Host;
        _expected = expected;
        _expectedBody = options.ExpectBody is null ? null : Encoding.UTF8.GetBytes(options.ExpectBody);
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        (Socket? socket, ProbeResult failure) = await ProbeSocket.ConnectAsync(target, _time, ct).ConfigureAwait(false);
        if (socket is null) return failure;
        using (socket)
        using (FairTimeout? limit = target.AnswerTimeout is { } answer ? new FairTimeout(answer, _time, ct) : null)
        {
            CancellationToken token = limit?.Token ?? ct;
            try
            {
                await SendAsync(socket, Encoding.ASCII.GetBytes(Request(target.EndPoint)), token).ConfigureAwait(false);
                return await ReadAsync(socket, token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return new ProbeResult(CheckStatus.Layer7Timeout, 0, "no whole answer in time");
            }
            catch (SocketException)
            {
                return new ProbeResult(CheckStatus.Layer7Response, 0, "connection reset before the whole answer");
            }
        }
    }

    private string Request(EndPoint endPoint)
    {
        string host = _host ?? endPoint switch
        {
            IPEndPoint ip => ip.ToString(),
            DnsEndPoint name => $"{name.Host}:{name.Port}",
            _ => "localhost",
        };

        // RFC 9110, 8.6: methods that usually have a body say that there is none.
        string length = _method is "POST" or "PUT" or "PATCH" ? "Content-Length: 0\r\n" : "";
        return $"{_method} {_path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Lb.Health\r\nAccept: */*\r\n{length}Connection: close\r\n\r\n";
    }

    private static async ValueTask SendAsync(Socket socket, ReadOnlyMemory<byte> request, CancellationToken ct)
    {
        while (!request.IsEmpty) request = request[await socket.SendAsync(request, ct).ConfigureAwait(false)..];
    }

    private async ValueTask<ProbeResult> ReadAsync(Socket socket, CancellationToken ct)
    {
        byte[] buffer = new byte[4096];
        int start = 0, filled = 0, searched = 0;
        while (true)
        {
            int end = buffer.AsSpan(searched, filled - searched).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                end += searched;
                if (!HttpHead.TryParse(buffer.AsSpan(start, end - start), _method == "HEAD", out HttpHead head, out string error))
                    return Junk(error);
                if (head.Code is >= 100 and < 200 and not 101)
                {
                    // An interim answer; the real one follows, within the same limit of bytes.
                    start = searched = end + 4;
                    continue;
                }

                if (!_expected.Contains(head.Code)) return new ProbeResult(CheckStatus.Layer7Status, head.Code, head.Reason);
                if (_expectedBody is null) return new ProbeResult(CheckStatus.Layer7Ok, head.Code, head.Reason);
                return await FindAsync(socket, head, buffer.AsMemory(end + 4, filled - end - 4), ct).ConfigureAwait(false);
            }

            // What can't become HTTP any more, a banner for instance, is told at once and not by a time-out.
            if (!CanBeHead(buffer.AsSpan(start, filled - start))) return Junk("not HTTP");
            if (filled == MaxHead) return Junk("head of more than 64 KiB");
            searched = Math.Max(start, filled - 3);
            if (filled == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
            int received = await socket.ReceiveAsync(buffer.AsMemory(filled), ct).ConfigureAwait(false);
            if (received == 0) return Junk(filled == start ? "closed without an answer" : "closed within the head");
            filled += received;
        }
    }

    private async ValueTask<ProbeResult> FindAsync(Socket socket, HttpHead head, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        byte[] wanted = _expectedBody!;
        HttpBody body = new(head.Framing, head.Length);
        byte[] buffer = new byte[16 * 1024];
        int total = data.Length, searched = 0;
        while (true)
        {
            bool good = body.Feed(data.Span);
            if (body.Bytes[searched..].IndexOf(wanted) >= 0) return new ProbeResult(CheckStatus.Layer7Ok, head.Code, head.Reason);
            if (!good) return Junk("bad chunk", head.Code);
            if (body.IsComplete) return NotFound(head, "in the body");
            if (total >= MaxBody) return NotFound(head, "in the first 1 MiB of the body");

            searched = Math.Max(0, body.Bytes.Length - wanted.Length + 1);
            int received = await socket.ReceiveAsync(buffer.AsMemory(0, Math.Min(buffer.Length, MaxBody - total)), ct).ConfigureAwait(false);
            if (received == 0) return head.Framing == HttpFraming.UntilClose ? NotFound(head, "in the body") : Junk("closed within the body", head.Code);
            total += received;
            data = buffer.AsMemory(0, received);
        }
    }

    private static bool CanBeHead(ReadOnlySpan<byte> head)
    {
        ReadOnlySpan<byte> prefix = "HTTP/1."u8;
        int end = head.IndexOf("\r\n"u8);
        if (end >= 0) return HttpHead.TryParseStatusLine(head[..end], out _, out _);
        int length = Math.Min(head.Length, prefix.Length);
        return head[..length].SequenceEqual(prefix[..length]);
    }

    private static ProbeResult NotFound(in HttpHead head, string where) => new(CheckStatus.Layer7Status, head.Code, $"expected text is not {where}");

    private static ProbeResult Junk(string text, int code = 0) => new(CheckStatus.Layer7Response, code, text);
}
