using System.Net.Sockets;
using System.Text;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H14")]
public sealed class SmtpCheckerTests : HealthCheckerContract
{
    protected override IHealthChecker Create(TimeProvider time) => new SmtpChecker(new CheckOptions(), time);

    protected override async Task ServeWellAsync(Socket socket, CancellationToken ct) => await TalkAsync(socket, "220 mx ESMTP\r\n", ["250-mx\r\n250-SIZE 1000\r\n250 HELP\r\n"], [], ct);

    [Fact(Timeout = Limit)]
    public async Task Greets_with_its_name_and_takes_its_leave()
    {
        List<string> said = [];
        ProbeResult result = await Scripted.CheckAsync(
            new SmtpChecker(new CheckOptions { Hello = "lb.example" }), (s, ct) => TalkAsync(s, "220-one\r\n220 two\r\n", ["250-mx\r\n250 HELP\r\n"], said, ct), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 250, "mx"), result);
        Assert.Equal(["EHLO lb.example", "QUIT"], said);
    }

    [Fact(Timeout = Limit)]
    public async Task An_old_server_is_asked_with_HELO()
    {
        List<string> said = [];
        ProbeResult result = await Scripted.CheckAsync(
            new SmtpChecker(new CheckOptions()), (s, ct) => TalkAsync(s, "220 mx\r\n", ["502 what?\r\n", "250 hello\r\n"], said, ct), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 250, "hello"), result);
        Assert.Equal(["EHLO localhost", "HELO localhost", "QUIT"], said);
    }

    [Theory(Timeout = Limit)]
    [InlineData("421 too busy\r\n", "", CheckStatus.Layer7Status, 421, "too busy")]
    [InlineData("554 no\r\n", "", CheckStatus.Layer7Status, 554, "no")]
    [InlineData("220 mx\r\n", "550 go away\r\n", CheckStatus.Layer7Status, 550, "go away")]
    [InlineData("220 mx\r\n", "", CheckStatus.Layer7Response, 0, "no whole reply")]
    [InlineData("220 mx\r\n", "250-mx\r\n", CheckStatus.Layer7Response, 0, "closed within a reply")]
    [InlineData("220 mx\r\n", "250-mx\r\n550 x\r\n", CheckStatus.Layer7Response, 0, "a reply of several codes")]
    [InlineData("", "", CheckStatus.Layer7Response, 0, "no whole reply")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "", CheckStatus.Layer7Response, 0, "not SMTP")]
    [InlineData("220", "", CheckStatus.Layer7Response, 0, "no whole reply")]
    public async Task Judges_by_the_replies(string greeting, string reply, CheckStatus status, int code, string text)
    {
        Assert.Equal(new ProbeResult(status, code, text), await Scripted.CheckAsync(Create(TimeProvider.System), (s, ct) => TalkAsync(s, greeting, reply.Length == 0 ? [] : [reply], [], ct), Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task A_reply_without_an_end_is_bounded()
    {
        string lines = string.Concat(Enumerable.Repeat("220-more\r\n", 200));
        Assert.Equal("a reply of more than 128 lines", (await Scripted.CheckAsync(Create(TimeProvider.System), Scripted.Banner(lines), Ct)).Text);
        Assert.Equal("no whole reply", (await Scripted.CheckAsync(Create(TimeProvider.System), Scripted.Banner("220 " + new string('x', 100_000)), Ct)).Text);
    }

    [Theory]
    [InlineData("250-mx", 250, false, "mx")]
    [InlineData("250 ok", 250, true, "ok")]
    [InlineData("250", 250, true, "")]
    public void Reads_a_line(string line, int code, bool isLast, string text)
    {
        Assert.True(SmtpReply.TryParse(Encoding.ASCII.GetBytes(line), out SmtpReply reply));
        Assert.Equal(new SmtpReply(code, isLast, text), reply);
    }

    [Theory]
    [InlineData("")]
    [InlineData("25")]
    [InlineData("150 x")]
    [InlineData("650 x")]
    [InlineData("25x x")]
    [InlineData("250x")]
    public void Refuses_what_is_no_reply(string line) => Assert.False(SmtpReply.TryParse(Encoding.ASCII.GetBytes(line), out _));

    [Fact]
    public void Lives_through_any_bytes()
    {
        foreach (byte[] junk in Scripted.Junk(2000, "250-mx"u8.ToArray())) _ = SmtpReply.TryParse(junk, out _);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a\r\nDATA")]
    [InlineData("ä")]
    public void A_name_that_is_no_name_is_refused(string name) => Assert.Contains("Hello", Assert.Throws<ArgumentException>(() => new SmtpChecker(new CheckOptions { Hello = name })).Message, StringComparison.Ordinal);

    private static async Task TalkAsync(Socket socket, string greeting, string[] replies, List<string> said, CancellationToken ct)
    {
        await Scripted.SendAsync(socket, greeting, ct);
        foreach (string reply in replies)
        {
            said.Add(await Scripted.LineAsync(socket, ct));
            await Scripted.SendAsync(socket, reply, ct);
        }

        socket.Shutdown(SocketShutdown.Send);
        string last = await Scripted.LineAsync(socket, ct);
        if (last.Length > 0) said.Add(last);
    }
}
