using System.Net.Sockets;
using Lb.Contracts.Checkers;
using Lb.Testing;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H7")]
public sealed class HttpCheckerTests : HealthCheckerContract
{
    private const string Ok = "HTTP/1.1 200 OK\r\n";

    protected override IHealthChecker Create(TimeProvider time) => new HttpChecker(new CheckOptions(), time);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) => ProbeServer.Reply(Ok + "Content-Length: 2\r\n\r\nhi")(socket, ct);

    [Theory(Timeout = Limit)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", "200-399", CheckStatus.Layer7Ok, 204, "No Content")]
    [InlineData("HTTP/1.0 302 Found\r\nLocation: /x\r\n\r\n", "200-399", CheckStatus.Layer7Ok, 302, "Found")]
    [InlineData("HTTP/1.1 200\r\n\r\n", "200-399", CheckStatus.Layer7Ok, 200, "")]
    [InlineData("HTTP/1.1 404 Not Found\r\n\r\n", "200-399", CheckStatus.Layer7Status, 404, "Not Found")]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\n\r\n", "200-399", CheckStatus.Layer7Status, 503, "Service Unavailable")]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\n\r\n", "200,503", CheckStatus.Layer7Ok, 503, "Service Unavailable")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "200", CheckStatus.Layer7Ok, 200, "OK")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", "200", CheckStatus.Layer7Response, 0, "closed without an answer")]
    [InlineData("", "200-399", CheckStatus.Layer7Response, 0, "closed without an answer")]
    [InlineData("HTTP/1.1 200 OK\r\nServer: x\r\n", "200-399", CheckStatus.Layer7Response, 0, "closed within the head")]
    [InlineData("HTTP/1.1 200 OK\n\n", "200-399", CheckStatus.Layer7Response, 0, "closed within the head")]
    [InlineData("HTTP/2 200\r\n\r\n", "200-399", CheckStatus.Layer7Response, 0, "not HTTP")]
    [InlineData("HTTP/1.1 20x OK\r\n\r\n", "200-399", CheckStatus.Layer7Response, 0, "not HTTP")]
    [InlineData("HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", "200-399", CheckStatus.Layer7Response, 0, "bad header line")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "200-399", CheckStatus.Layer7Response, 0, "bad Content-Length")]
    public async Task Judges_by_the_status(string answer, string expect, CheckStatus status, int code, string text)
    {
        Assert.Equal(new ProbeResult(status, code, text), await CheckAsync(answer, o => o.Expect = expect));
    }

    [Theory(Timeout = Limit)]
    [InlineData("Content-Length: 11\r\n\r\nhello world")]
    [InlineData("Content-Length: 11\r\n\r\nhello worldworld beyond the end")]
    [InlineData("\r\nhello world")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n8;x=y\r\nlo world\r\n0\r\nTrailer: x\r\n\r\n")]
    [InlineData("Transfer-Encoding: CHUNKED\r\n\r\n00B\r\nhello world\r\n0\r\n\r\n")]
    public async Task Finds_a_text_in_any_kind_of_body(string rest)
    {
        Assert.Equal(CheckStatus.Layer7Ok, (await CheckAsync(Ok + rest, o => o.ExpectBody = "lo wor")).Status);
        ProbeResult missing = await CheckAsync(Ok + rest, o => o.ExpectBody = "beyond");
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Status, 200, "expected text is not in the body"), missing);
        Assert.Equal(CheckStatus.Layer7Status, (await CheckAsync(Ok + rest, o => o.ExpectBody = "HELLO")).Status);
    }

    [Theory(Timeout = Limit)]
    [InlineData("Content-Length: 20\r\n\r\nhello", "closed within the body")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "closed within the body")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX", "closed within the body")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX\r\n", "bad chunk")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n", "bad chunk")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\nhello\n", "bad chunk")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n", "bad chunk")]
    public async Task A_broken_body_is_no_answer(string rest, string text)
    {
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 200, text), await CheckAsync(Ok + rest, o => o.ExpectBody = "absent"));
    }

    [Theory(Timeout = Limit)]
    [InlineData("Transfer-Encoding: gzip\r\n\r\n", "unknown Transfer-Encoding")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "both Content-Length and Transfer-Encoding")]
    [InlineData("Content-Length: +3\r\n\r\nabc", "bad Content-Length")]
    [InlineData("Content-Length: 99999999999999999999\r\n\r\nabc", "bad Content-Length")]
    public async Task A_body_of_unclear_length_is_no_answer(string rest, string text)
    {
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, text), await CheckAsync(Ok + rest, o => o.ExpectBody = "a"));
    }

    [Theory(Timeout = Limit)]
    [Trait("Row", "H21")]
    [InlineData("404 Not Found", "200", CheckStatus.Layer7OkConditional, "Not Found")]
    [InlineData("404 Not Found", "200-499", CheckStatus.Layer7OkConditional, "Not Found")]
    [InlineData("403 Forbidden", "200", CheckStatus.Layer7Status, "Forbidden")]
    [InlineData("200 OK", "200", CheckStatus.Layer7Status, "expected text is not in the body")]
    public async Task With_disable_on_404_that_status_wins_over_what_is_expected(string answer, string expect, CheckStatus status, string text)
    {
        ProbeResult result = await CheckAsync($"HTTP/1.1 {answer}\r\n\r\nbye", o => (o.DisableOn404, o.Expect, o.ExpectBody) = (true, expect, "absent"));
        Assert.Equal(new ProbeResult(status, int.Parse(answer[..3]), text), result);
    }

    [Theory(Timeout = Limit)]
    [Trait("Row", "H21")]
    [InlineData("/ok /gone /ok", CheckStatus.Layer7OkConditional, 404)]
    [InlineData("/gone /bad", CheckStatus.Layer7Status, 500)]
    [InlineData("/ok", CheckStatus.Layer7Ok, 200)]
    public async Task Of_several_requests_one_404_is_enough_if_the_others_pass(string paths, CheckStatus status, int code)
    {
        CheckOptions options = new() { DisableOn404 = true };
        foreach (string path in paths.Split(' ')) options.Requests.Add(new CheckRequestOptions { Path = path });
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            string path = (await ProbeServer.ReadRequestAsync(socket, ct)).Split(' ')[1];
            await ProbeServer.SendAsync(socket, $"HTTP/1.1 {(path == "/ok" ? 200 : path == "/gone" ? 404 : 500)} x\r\n\r\n", ct);
        });
        ProbeResult result = await new HttpChecker(options).CheckAsync(Target(server.EndPoint), Ct);
        Assert.Equal((status, code), (result.Status, result.Code));
    }

    [Fact(Timeout = Limit)]
    public async Task A_text_that_comes_in_single_bytes_is_found()
    {
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            socket.NoDelay = true;
            await ProbeServer.ReadRequestAsync(socket, ct);
            foreach (char c in Ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nhéy\r\n2\r\n l\r\n0\r\n\r\n") await ProbeServer.SendAsync(socket, c.ToString(), ct);
        });
        HttpChecker checker = new(new CheckOptions { ExpectBody = "éy l" });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 200, "OK"), await checker.CheckAsync(Target(server.EndPoint), Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task A_reset_within_the_answer_is_no_answer()
    {
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            await ProbeServer.ReadRequestAsync(socket, ct);
            await ProbeServer.SendAsync(socket, Ok + "Content-Le", ct);
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
        });
        ProbeResult result = await Create(TimeProvider.System).CheckAsync(Target(server.EndPoint), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, "connection reset before the whole answer"), result);
    }

    [Fact(Timeout = Limit)]
    public async Task A_banner_is_told_at_once()
    {
        // The server waits for the client, which would wait for the rest until its time is up.
        await using ProbeServer server = ProbeServer.Start(static (socket, ct) => ProbeServer.SendAsync(socket, "SSH-2.0-x\r\n", ct));
        ProbeResult result = await Create(new ManualTimeProvider()).CheckAsync(Target(server.EndPoint), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, "not HTTP"), result);
    }

    [Theory(Timeout = Limit)]
    [InlineData("HTTP/1.1 200 OK\r\n", "X-Padding: 0123456789\r\n", null, CheckStatus.Layer7Response, 0, "head of more than 64 KiB")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", "0123456789", "absent", CheckStatus.Layer7Status, 200, "expected text is not in the first 1 MiB of the body")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", "absent", CheckStatus.Layer7Status, 200, "expected text is not in the first 1 MiB of the body")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "Trailer: x\r\n", "absent", CheckStatus.Layer7Status, 200, "expected text is not in the first 1 MiB of the body")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "000000", "absent", CheckStatus.Layer7Response, 200, "bad chunk")]
    [InlineData("", "HTTP/1.1 100 Continue\r\n\r\n", null, CheckStatus.Layer7Response, 0, "head of more than 64 KiB")]
    public async Task An_endless_answer_is_cut_off(string start, string again, string? expectBody, CheckStatus status, int code, string text)
    {
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            await ProbeServer.ReadRequestAsync(socket, ct);
            await ProbeServer.SendAsync(socket, start, ct);
            string many = string.Concat(Enumerable.Repeat(again, 500));
            while (true) await ProbeServer.SendAsync(socket, many, ct);
        });
        HttpChecker checker = new(new CheckOptions { ExpectBody = expectBody });
        Assert.Equal(new ProbeResult(status, code, text), await checker.CheckAsync(Target(server.EndPoint), Ct));
        await server.WhenLeftAsync(Ct);
    }

    [Theory(Timeout = Limit)]
    [InlineData("")]
    [InlineData("HTT")]
    [InlineData("HTTP/1.1 200 OK\r\nServer: x\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")]
    [Trait("Row", "H3")]
    public async Task Silence_within_the_answer_ends_with_the_token_and_closes(string start)
    {
        TaskCompletionSource silent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ProbeServer server = StartSilent(start, silent);
        using CancellationTokenSource limit = new();
        HttpChecker checker = new(new CheckOptions { ExpectBody = "absent" });
        Task<ProbeResult> check = checker.CheckAsync(Target(server.EndPoint), limit.Token).AsTask();
        await silent.Task;
        await limit.CancelAsync();
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Timeout, 0, "no whole answer in time"), await check);
        await server.WhenLeftAsync(Ct);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H3")]
    public async Task The_answer_has_its_own_time_after_the_connection()
    {
        TaskCompletionSource silent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ProbeServer server = StartSilent("", silent);
        ManualTimeProvider time = new();
        ProbeTarget target = Target(server.EndPoint) with { AnswerTimeout = TimeSpan.FromSeconds(3) };
        Task<ProbeResult> check = Create(time).CheckAsync(target, Ct).AsTask();
        await silent.Task;
        time.Advance(TimeSpan.FromSeconds(3) - TimeSpan.FromTicks(1));
        Assert.False(check.IsCompleted);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(CheckStatus.Layer7Timeout, (await check).Status);
        Assert.Equal(0, time.ActiveTimers);
    }

    [Fact(Timeout = Limit)]
    public async Task Asks_what_the_options_say()
    {
        string plain = await RequestAsync(new CheckOptions());
        Assert.Matches("^GET / HTTP/1\\.1\r\nHost: 127\\.0\\.0\\.1:[0-9]+\r\nUser-Agent: Lb\\.Health\r\nAccept: \\*/\\*\r\nConnection: close\r\n\r\n$", plain);
        string special = await RequestAsync(new CheckOptions { Method = "POST", Path = "/healthz?full=1", Host = "app.example" });
        Assert.StartsWith("POST /healthz?full=1 HTTP/1.1\r\nHost: app.example\r\n", special, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Length: 0\r\n", special, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task HEAD_has_no_body()
    {
        ProbeResult result = await CheckAsync(Ok + "Content-Length: 100\r\n\r\n", o => o.Method = "HEAD");
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 200, "OK"), result);
    }

    [Theory]
    [InlineData("/a\r\nEvil: 1", "GET", null)]
    [InlineData("/a b", "GET", null)]
    [InlineData("relative", "GET", null)]
    [InlineData("", "GET", null)]
    [InlineData("/", "GE T", null)]
    [InlineData("/", "GET\r\n", null)]
    [InlineData("/", "GET", "a\nb")]
    public void Refuses_what_would_not_be_one_request(string path, string method, string? host)
    {
        Assert.Throws<ArgumentException>(() => new HttpChecker(new CheckOptions { Path = path, Method = method, Host = host }));
    }

    private static ProbeServer StartSilent(string start, TaskCompletionSource silent) => ProbeServer.Start(async (socket, ct) =>
    {
        await ProbeServer.ReadRequestAsync(socket, ct);
        await ProbeServer.SendAsync(socket, start, ct);
        silent.SetResult();
    });

    private static async Task<ProbeResult> CheckAsync(string answer, Action<CheckOptions> configure)
    {
        CheckOptions options = new();
        configure(options);
        await using ProbeServer server = ProbeServer.Start(ProbeServer.Reply(answer));
        return await new HttpChecker(options).CheckAsync(Target(server.EndPoint), Ct);
    }

    private static async Task<string> RequestAsync(CheckOptions options)
    {
        string request = "";
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            request = await ProbeServer.ReadRequestAsync(socket, ct);
            await ProbeServer.SendAsync(socket, Ok + "\r\n", ct);
        });
        Assert.True((await new HttpChecker(options).CheckAsync(Target(server.EndPoint), Ct)).Passed);
        return request;
    }
}
