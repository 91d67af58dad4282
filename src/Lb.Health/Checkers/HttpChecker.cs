namespace Lb.Health;

/// <summary>
/// Passes when every HTTP/1 request of the check, each on a connection of its own, gets an answer as expected (HAProxy <c>option httpchk</c>,
/// <c>http-check</c>; keepalived <c>HTTP_GET</c>, <c>SSL_GET</c>); works over Unix sockets too. With the type <c>https</c> the connections are encrypted.
/// </summary>
/// <remarks>
/// <para>Results: L7OK, L7OKC (404 with <see cref="CheckOptions.DisableOn404"/>) and L7STS carry the status code; L7STS = a status, header or body that is not expected; L7RSP = no valid HTTP, or cut off;
/// L7TOUT = no whole answer in time; L6RSP and L6TOUT as in <see cref="TlsChecker"/>; L4CON, L4TOUT and SOCKERR as in <see cref="TcpChecker"/>.</para>
/// <para>At most 64 KiB of head are read, and of the body only what the conditions need, at most 1 MiB. The body is taken for UTF-8; content codings are
/// neither asked for nor undone. Redirects are not followed. Any thread.</para>
/// </remarks>
public sealed class HttpChecker : IHealthChecker
{
    private const int MaxHead = 64 * 1024;
    private const int MaxBody = 1024 * 1024;

    private readonly TimeProvider _time;
    private readonly List<HttpPlan> _plans;
    private readonly TlsClient? _tls;
    private readonly bool _stopsOn404;

    /// <summary>Makes a checker from the http keys of <paramref name="options"/>, which are read once.</summary>
    /// <param name="options">The check; with the type <c>https</c> its <see cref="CheckOptions.Tls"/> too.</param>
    /// <param name="time">Clock of the stages' time-outs and of certificates; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">A value can't be sent or understood; the message lists every fault.</exception>
    public HttpChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<ConfigurationError> errors = [];
        _plans = HttpPlan.Read("check", options, errors);
        if (errors.Count > 0 || _plans.Exists(static p => string.IsNullOrEmpty(p.Request.Path) || string.IsNullOrEmpty(p.Request.Method) || string.IsNullOrWhiteSpace(p.Request.Expect)))
            throw new ArgumentException(string.Join(Environment.NewLine, errors.DefaultIfEmpty(new("check", null, "empty values"))), nameof(options));
        _time = time ?? TimeProvider.System;
        _stopsOn404 = options.DisableOn404;
        if (options.Type.Equals("https", StringComparison.OrdinalIgnoreCase)) _tls = new TlsClient(options.Tls ?? new CheckTlsOptions(), options.Host, _time);
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        ProbeResult result = default;
        ProbeResult? stops = null;
        foreach (HttpPlan plan in _plans)
        {
            ProbeTarget here = plan.Request.Port is { } port ? target with { EndPoint = ProbeSocket.WithPort(target.EndPoint, port) } : target;
            result = await AskAsync(plan, here, ct).ConfigureAwait(false);
            if (result.Status == CheckStatus.Layer7OkConditional) stops ??= result;
            if (result.Passed) continue;
            return _plans.Count == 1 ? result : result with { Text = $"{plan.Request.Path}: {result.Text}" };
        }

        return stops ?? result;
    }

    private async ValueTask<ProbeResult> AskAsync(HttpPlan plan, ProbeTarget target, CancellationToken ct)
    {
        (ProbeConnection? connection, ProbeResult failure) = await ProbeConnection.OpenAsync(target, _time, ct).ConfigureAwait(false);
        if (connection is null) return failure;
        using (connection)
        using (FairTimeout? limit = target.AnswerTimeout is { } answer ? new FairTimeout(answer, _time, ct) : null)
        {
            CancellationToken token = limit?.Token ?? ct;
            try
            {
                if (_tls is not null && await connection.EncryptAsync(_tls, target, token).ConfigureAwait(false) is { } refused) return refused;
                await connection.SendAsync(plan.Write(target.HostHeader), token).ConfigureAwait(false);
                return await ReadAsync(plan, _stopsOn404, connection, token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return new ProbeResult(CheckStatus.Layer7Timeout, 0, "no whole answer in time");
            }
            catch (Exception error) when (ProbeConnection.IsBroken(error))
            {
                return new ProbeResult(CheckStatus.Layer7Response, 0, "connection reset before the whole answer");
            }
        }
    }

    private static async ValueTask<ProbeResult> ReadAsync(HttpPlan plan, bool stopsOn404, ProbeConnection connection, CancellationToken ct)
    {
        byte[] buffer = new byte[4096];
        int start = 0, filled = 0, searched = 0;
        while (true)
        {
            int end = buffer.AsSpan(searched, filled - searched).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                end += searched;
                if (!HttpHead.TryParse(buffer.AsSpan(start, end - start), plan.Request.Method == "HEAD", out HttpHead head, out string error))
                    return Junk(error);
                if (head.Code is >= 100 and < 200 and not 101)
                {
                    // An interim answer; the real one follows, within the same limit of bytes.
                    start = searched = end + 4;
                    continue;
                }

                if (stopsOn404 && head.Code == 404) return new ProbeResult(CheckStatus.Layer7OkConditional, head.Code, head.Reason);
                if (plan.JudgeHead(head, buffer.AsSpan(start, end - start)) is { } fault) return new ProbeResult(CheckStatus.Layer7Status, head.Code, fault);
                if (!plan.NeedsBody) return new ProbeResult(CheckStatus.Layer7Ok, head.Code, head.Reason);
                return await ReadBodyAsync(plan, connection, head, buffer.AsMemory(end + 4, filled - end - 4), ct).ConfigureAwait(false);
            }

            // What can't become HTTP any more, a banner for instance, is told at once and not by a time-out.
            if (!CanBeHead(buffer.AsSpan(start, filled - start))) return Junk("not HTTP");
            if (filled == MaxHead) return Junk("head of more than 64 KiB");
            searched = Math.Max(start, filled - 3);
            if (filled == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
            int received = await connection.ReceiveAsync(buffer.AsMemory(filled), ct).ConfigureAwait(false);
            if (received == 0) return Junk(filled == start ? "closed without an answer" : "closed within the head");
            filled += received;
        }
    }

    private static async ValueTask<ProbeResult> ReadBodyAsync(HttpPlan plan, ProbeConnection connection, HttpHead head, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        HttpBodyJudge judge = new(plan);
        HttpBody body = new(head.Framing, head.Length);
        byte[] buffer = new byte[16 * 1024];
        int total = data.Length;
        while (true)
        {
            bool good = body.Feed(data.Span);
            switch (judge.Look(body.Bytes, out string fault))
            {
                case Expectation.Met: return new ProbeResult(CheckStatus.Layer7Ok, head.Code, head.Reason);
                case Expectation.Failed: return new ProbeResult(CheckStatus.Layer7Status, head.Code, fault);
            }

            if (!good) return Junk("bad chunk", head.Code);
            if (body.IsComplete || total >= MaxBody) return Verdict(judge.Judge(body.Bytes, body.IsComplete), head);
            int received = await connection.ReceiveAsync(buffer.AsMemory(0, Math.Min(buffer.Length, MaxBody - total)), ct).ConfigureAwait(false);
            if (received == 0)
                return head.Framing == HttpFraming.UntilClose ? Verdict(judge.Judge(body.Bytes, isWhole: true), head) : Junk("closed within the body", head.Code);
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

    private static ProbeResult Verdict(string? fault, in HttpHead head) =>
        fault is null ? new(CheckStatus.Layer7Ok, head.Code, head.Reason) : new(CheckStatus.Layer7Status, head.Code, fault);

    private static ProbeResult Junk(string text, int code = 0) => new(CheckStatus.Layer7Response, code, text);
}
