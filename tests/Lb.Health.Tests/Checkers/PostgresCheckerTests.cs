using System.Net.Sockets;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H17")]
public sealed class PostgresCheckerTests : HealthCheckerContract
{
    // PostgreSQL, "Message Formats": StartupMessage, version 3.0, of user "lb".
    private static readonly byte[] StartUp = [0, 0, 0, 17, 0, 3, 0, 0, .. "user\0lb\0\0"u8];

    protected override IHealthChecker Create(TimeProvider time) => new PostgresChecker(new CheckOptions { User = "lb" }, time);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) => AnswerAsync(socket, "R\0\0\0\x0c\0\0\0\x05salt", ct);

    [Theory(Timeout = Limit)]
    [InlineData("R\0\0\0\x08\0\0\0\x03", CheckStatus.Layer7Ok, "clear-text password")]
    [InlineData("R\0\0\0\x0c\0\0\0\x05salt", CheckStatus.Layer7Ok, "MD5 password")]
    [InlineData("R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", CheckStatus.Layer7Ok, "SASL")]
    [InlineData("R\0\0\0\x08\0\0\0\0", CheckStatus.Layer7Ok, "no password needed")]
    [InlineData("R\0\0\0\x08\0\0\0\x63", CheckStatus.Layer7Response, "unknown way to log in 99")]
    [InlineData("E\0\0\0\x1eSFATAL\0C57P03\0Mstarting\0\0\0", CheckStatus.Layer7Status, "57P03: starting")]
    [InlineData("E\0\0\0\x08\0\0\0\0", CheckStatus.Layer7Status, "an error without a text")]
    [InlineData("R\0\0\0\x08\0\0", CheckStatus.Layer7Response, "closed within the answer")]
    [InlineData("R\0\0", CheckStatus.Layer7Response, "closed without an answer")]
    [InlineData("", CheckStatus.Layer7Response, "closed without an answer")]
    [InlineData("R\x7f\0\0\x08\0\0\0\0", CheckStatus.Layer7Response, "not PostgreSQL")]
    [InlineData("R\0\0\0\x04", CheckStatus.Layer7Response, "not PostgreSQL")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", CheckStatus.Layer7Response, "not PostgreSQL")]
    public async Task Judges_by_the_first_message(string answer, CheckStatus status, string text)
    {
        Assert.Equal(new ProbeResult(status, 0, text), await Scripted.CheckAsync(Create(TimeProvider.System), (s, ct) => AnswerAsync(s, answer, ct), Ct));
    }

    [Fact]
    public void Needs_a_user() => Assert.Contains("User", Assert.Throws<ArgumentException>(() => new PostgresChecker(new CheckOptions())).Message, StringComparison.Ordinal);

    [Fact]
    public void Lives_through_any_bytes()
    {
        foreach (byte[] junk in Scripted.Junk(4000, "SFATAL\0C57P03\0Mx\0\0"u8.ToArray(), [(byte)'R', 0, 0, 0, 8, 0, 0, 0, 0]))
        {
            PostgresWire.JudgeError(junk);
            if (junk.Length >= 5) _ = PostgresWire.TryParseHeader(junk, out _, out _);
            if (junk.Length >= 4) PostgresWire.JudgeLogin(junk);
        }
    }

    private static async Task AnswerAsync(Socket socket, string answer, CancellationToken ct)
    {
        byte[] got = await Scripted.BytesAsync(socket, StartUp.Length, ct);
        if (got.AsSpan().SequenceEqual(StartUp)) await Scripted.SendAsync(socket, answer, ct);
        socket.Shutdown(SocketShutdown.Send);
    }
}
