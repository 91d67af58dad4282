using System.Net.Sockets;
using System.Text;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H18")]
public sealed class GrpcCheckerTests : HealthCheckerContract
{
    // Frames by RFC 9113, headers by RFC 7541 without Huffman: written here by hand, so that client and server share no code.
    private const byte Data = 0, Headers = 1, Settings = 4, GoAway = 7;
    private const byte EndStream = 1, Acknowledged = 1, EndHeaders = 4;

    protected override IHealthChecker Create(TimeProvider time) => new GrpcChecker(new CheckOptions(), time);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) => AnswerAsync(socket, "\0\0\0\0\x02\x08\x01", "0", "", [], ct);

    [Theory(Timeout = Limit)]
    [InlineData("\0\0\0\0\x02\x08\x01", CheckStatus.Layer7Ok, "SERVING")]
    [InlineData("\0\0\0\0\x02\x08\x02", CheckStatus.Layer7Status, "NOT_SERVING")]
    [InlineData("\0\0\0\0\x02\x08\x03", CheckStatus.Layer7Status, "SERVICE_UNKNOWN")]
    [InlineData("\0\0\0\0\0", CheckStatus.Layer7Status, "UNKNOWN")]
    [InlineData("\0\0\0\0\x02\x08\x09", CheckStatus.Layer7Status, "state 9")]
    [InlineData("", CheckStatus.Layer7Response, "no message")]
    [InlineData("\x01\0\0\0\x02\x08\x01", CheckStatus.Layer7Response, "not one whole message")]
    [InlineData("\0\0\0\0\x03\x08\x01", CheckStatus.Layer7Response, "not one whole message")]
    [InlineData("\0\0\0\0\x01\x08", CheckStatus.Layer7Response, "a message that can't be read")]
    public async Task Judges_by_the_message(string message, CheckStatus status, string text)
    {
        Assert.Equal(new ProbeResult(status, 0, text), await Scripted.CheckAsync(Create(TimeProvider.System), (s, ct) => AnswerAsync(s, message, "0", "", [], ct), Ct));
    }

    [Theory(Timeout = Limit)]
    [InlineData("12", "", 12, "UNIMPLEMENTED: there is no health service")]
    [InlineData("5", "", 5, "NOT_FOUND: the service is not known")]
    [InlineData("14", "come%20back", 14, "UNAVAILABLE: come back")]
    [InlineData("99", "", 99, "an unknown code")]
    public async Task Judges_by_the_status(string grpcStatus, string grpcMessage, int code, string text)
    {
        ProbeResult result = await Scripted.CheckAsync(Create(TimeProvider.System), (s, ct) => AnswerAsync(s, null, grpcStatus, grpcMessage, [], ct), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Status, code, text), result);
    }

    [Fact(Timeout = Limit)]
    public async Task Asks_for_the_service_at_its_path()
    {
        List<string> asked = [];
        ProbeResult result = await Scripted.CheckAsync(
            new GrpcChecker(new CheckOptions { Service = "shop.Cart", Host = "shop.example" }), (s, ct) => AnswerAsync(s, "\0\0\0\0\x02\x08\x01", "0", "", asked, ct), Ct);
        Assert.True(result.Passed, $"{result}");
        Assert.Equal("\0\0\0\0\x0b\x0a\x09shop.Cart", string.Concat(asked.Skip(1)));
    }

    [Theory(Timeout = Limit)]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("")]
    public async Task What_is_no_HTTP_2_is_no_answer(string banner) =>
        Assert.Equal(CheckStatus.Layer7Response, (await Scripted.CheckAsync(Create(TimeProvider.System), Scripted.Banner(banner), Ct)).Status);

    [Fact(Timeout = Limit)]
    public async Task A_server_that_goes_away_is_asked_once_only()
    {
        int connections = 0;
        ProbeResult result = await Scripted.CheckAsync(Create(TimeProvider.System), async (socket, ct) =>
        {
            Interlocked.Increment(ref connections);
            await FrameAsync(socket, Settings, 0, 0, "", ct);
            await FrameAsync(socket, GoAway, 0, 0, "\0\0\0\0\0\0\0\0", ct);
        }, Ct);
        Assert.Equal(CheckStatus.Layer7Response, result.Status);
        Assert.Equal(1, connections);
    }

    [Fact(Timeout = Limit)]
    public async Task A_server_that_says_nothing_ends_with_the_answers_time_out()
    {
        await using ProbeServer server = ProbeServer.Start((_, ct) => Task.Delay(Timeout.Infinite, ct));
        using CancellationTokenSource limit = new();
        Task<ProbeResult> check = Create(TimeProvider.System).CheckAsync(Target(server.EndPoint), limit.Token).AsTask();
        await server.WhenAcceptedAsync(Ct);
        await limit.CancelAsync();
        Assert.Contains((await check).Status, (CheckStatus[])[CheckStatus.Layer7Timeout, CheckStatus.Layer4Timeout]);
    }

    // Protocol Buffers, "Encoding": 0x0A is field 1 with a length, lengths of 128 and more have several bytes.
    [Fact]
    public void Writes_the_service_as_field_1()
    {
        Assert.Equal([0, 0, 0, 0, 0], GrpcHealth.Request(""));
        Assert.Equal([0, 0, 0, 0, 3, 0x0A, 1, (byte)'a'], GrpcHealth.Request("a"));
        Assert.Equal([0, 0, 0, 0x01, 0x2F, 0x0A, 0xAC, 0x02], GrpcHealth.Request(new string('a', 300))[..8]);
    }

    [Fact]
    public void Fields_of_later_versions_are_skipped()
    {
        byte[] message = [0, 0, 0, 0, 18, 0x10, 0x96, 0x01, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x22, 1, 9, 0x08, 1, 0];
        message[4] = (byte)(message.Length - 6);
        Assert.Equal("SERVING", GrpcHealth.Judge(message.AsSpan(0, message.Length - 1)).Text);
    }

    [Fact]
    public void Lives_through_any_bytes()
    {
        foreach (byte[] junk in Scripted.Junk(4000))
        {
            byte[] framed = [0, 0, 0, 0, (byte)junk.Length, .. junk];
            GrpcHealth.Judge(junk);
            GrpcHealth.Judge(framed);
            GrpcHealth.JudgeStatus(Encoding.Latin1.GetString(junk), Encoding.Latin1.GetString(junk));
        }
    }

    private static async Task AnswerAsync(Socket socket, string? message, string status, string text, List<string> asked, CancellationToken ct)
    {
        Assert.Equal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), await Scripted.BytesAsync(socket, 24, ct));
        await FrameAsync(socket, Settings, 0, 0, "", ct);
        while (true)
        {
            byte[] head = await Scripted.BytesAsync(socket, 9, ct);
            if (head.Length < 9) return;
            byte[] body = await Scripted.BytesAsync(socket, (head[0] << 16) | (head[1] << 8) | head[2], ct);
            if (head[3] == Settings && head[4] == 0) await FrameAsync(socket, Settings, Acknowledged, 0, "", ct);
            if (head[3] is Data or Headers) asked.Add(Encoding.Latin1.GetString(body));
            if (head[3] is Data or Headers && (head[4] & EndStream) != 0) break;
        }

        string ending = Header("grpc-status", status) + (text.Length > 0 ? Header("grpc-message", text) : "");
        string head200 = "\x88" + Header("content-type", "application/grpc+proto");
        if (message is null)
        {
            await FrameAsync(socket, Headers, EndHeaders | EndStream, 1, head200 + ending, ct);
            return;
        }

        await FrameAsync(socket, Headers, EndHeaders, 1, head200, ct);
        if (message.Length > 0) await FrameAsync(socket, Data, 0, 1, message, ct);
        await FrameAsync(socket, Headers, EndHeaders | EndStream, 1, ending, ct);
    }

    private static string Header(string name, string value) => $"\0{(char)name.Length}{name}{(char)value.Length}{value}";

    private static Task FrameAsync(Socket socket, byte type, byte flags, int stream, string body, CancellationToken ct) =>
        Scripted.SendAsync(socket, $"\0{(char)(body.Length >> 8)}{(char)(body.Length & 0xFF)}{(char)type}{(char)flags}\0\0\0{(char)stream}{body}", ct);
}
