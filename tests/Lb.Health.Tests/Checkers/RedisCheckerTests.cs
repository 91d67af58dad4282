using System.Net.Sockets;
using System.Text;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H17")]
public sealed class RedisCheckerTests : HealthCheckerContract
{
    private const string Ping = "*1\r\n$4\r\nPING\r\n";

    protected override IHealthChecker Create(TimeProvider time) => new RedisChecker(new CheckOptions(), time);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) => AnswerAsync(socket, Ping, "+PONG\r\n", ct);

    [Theory(Timeout = Limit)]
    [InlineData("+PONG\r\n", CheckStatus.Layer7Ok, "PONG")]
    [InlineData("+QUEUED\r\n", CheckStatus.Layer7Status, "QUEUED")]
    [InlineData("-LOADING Redis is loading the dataset in memory\r\n", CheckStatus.Layer7Status, "LOADING Redis is loading the dataset in memory")]
    [InlineData("-NOAUTH Authentication required.\r\n", CheckStatus.Layer7Status, "NOAUTH Authentication required.")]
    [InlineData("-MISCONF Redis is configured to save RDB snapshots\r\n", CheckStatus.Layer7Status, "MISCONF Redis is configured to save RDB snapshots")]
    [InlineData("$4\r\nPONG\r\n", CheckStatus.Layer7Response, "not Redis")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", CheckStatus.Layer7Response, "not Redis")]
    [InlineData("+PON", CheckStatus.Layer7Response, "no whole reply")]
    [InlineData("", CheckStatus.Layer7Response, "no whole reply")]
    public async Task Judges_by_the_reply(string reply, CheckStatus status, string text)
    {
        ProbeResult result = await Scripted.CheckAsync(Create(TimeProvider.System), (s, ct) => AnswerAsync(s, Ping, reply, ct), Ct);
        Assert.Equal(new ProbeResult(status, 0, text), result);
    }

    [Fact(Timeout = Limit)]
    public async Task A_reply_without_an_end_is_bounded()
    {
        ProbeResult result = await Scripted.CheckAsync(Create(TimeProvider.System), (s, ct) => AnswerAsync(s, Ping, "+" + new string('x', 100_000), ct), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, "no whole reply"), result);
    }

    [Fact(Timeout = Limit)]
    public async Task Logs_in_with_the_password_of_a_file()
    {
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "se cret\r\n", Ct);
            const string Login = "*3\r\n$4\r\nAUTH\r\n$5\r\nalice\r\n$7\r\nse cret\r\n";
            RedisChecker checker = new(new CheckOptions { User = "alice", PasswordFile = file });
            ProbeResult result = await Scripted.CheckAsync(checker, async (s, ct) =>
            {
                await AnswerAsync(s, Login, "+OK\r\n", ct, close: false);
                await AnswerAsync(s, Ping, "+PONG\r\n", ct);
            }, Ct);
            Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "PONG"), result);

            result = await Scripted.CheckAsync(checker, (s, ct) => AnswerAsync(s, Login, "-WRONGPASS invalid\r\n", ct), Ct);
            Assert.Equal(new ProbeResult(CheckStatus.Layer7Status, 0, "WRONGPASS invalid"), result);

            File.Delete(file);
            result = await Scripted.CheckAsync(checker, (s, ct) => AnswerAsync(s, Login, "", ct), Ct);
            Assert.Equal(CheckStatus.SocketError, result.Status);
            Assert.DoesNotContain("cret", result.Text, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Logs_in_with_the_password_of_an_environment_variable()
    {
        Environment.SetEnvironmentVariable("LB_TEST_REDIS", "pw");
        RedisChecker checker = new(new CheckOptions { PasswordVariable = "LB_TEST_REDIS" });
        ProbeResult result = await Scripted.CheckAsync(checker, async (s, ct) =>
        {
            await AnswerAsync(s, "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n", "+OK\r\n", ct, close: false);
            await AnswerAsync(s, Ping, "+PONG\r\n", ct);
        }, Ct);
        Assert.True(result.Passed, $"{result}");
        checker = new RedisChecker(new CheckOptions { PasswordVariable = "LB_TEST_REDIS_NOT" });
        Assert.Equal(new ProbeResult(CheckStatus.SocketError, 0, "the environment variable LB_TEST_REDIS_NOT is not set"), await Scripted.CheckAsync(checker, (_, _) => Task.CompletedTask, Ct));
    }

    [Fact]
    public void Keys_that_contradict_each_other_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new RedisChecker(new CheckOptions { User = "alice" }));
        Assert.Throws<ArgumentException>(() => new RedisChecker(new CheckOptions { PasswordFile = "/a", PasswordVariable = "B" }));
    }

    [Fact]
    public void Lives_through_any_bytes()
    {
        foreach (byte[] junk in Scripted.Junk(2000, "+PONG"u8.ToArray(), "-ERR x"u8.ToArray()))
        {
            ProbeResult result = RedisWire.Judge(junk, "PONG");
            Assert.True(!result.Passed || junk.AsSpan().SequenceEqual("+PONG"u8));
        }
    }

    private static async Task AnswerAsync(Socket socket, string expected, string reply, CancellationToken ct, bool close = true)
    {
        string got = Encoding.UTF8.GetString(await Scripted.BytesAsync(socket, expected.Length, ct));
        await Scripted.SendAsync(socket, got == expected ? reply : $"-ERR got {got.Replace("\r\n", "|", StringComparison.Ordinal)}\r\n", ct);
        if (close) socket.Shutdown(SocketShutdown.Send);
    }
}
