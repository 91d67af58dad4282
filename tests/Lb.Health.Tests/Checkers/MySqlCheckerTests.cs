using System.Net.Sockets;
using System.Text;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H17")]
public sealed class MySqlCheckerTests : HealthCheckerContract
{
    // MySQL, "Protocol::HandshakeV10": id 1, a challenge of 20 bytes, capabilities 0x000AA200 | 0xFFFF's upper part as MySQL 8 sends it.
    private const string Greeting = "\x0a" + "8.0.36\0" + "\x01\0\0\0" + "12345678" + "\0" + "\xff\xf7" + "\x21" + "\x02\0" + "\xff\x81" + "\x15" + "\0\0\0\0\0\0\0\0\0\0" + "123456789012\0" + "mysql_native_password\0";
    private const string Ok = "\0\0\0\x02\0\0\0";
    private const string Denied = "\xff\x15\x04#28000Access denied for user 'lb'@'localhost'";

    protected override IHealthChecker Create(TimeProvider time) => new MySqlChecker(new CheckOptions { User = "lb" }, time);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) => TalkAsync(socket, [Greeting, Ok], [], ct);

    [Theory(Timeout = Limit)]
    [InlineData(Ok, CheckStatus.Layer7Ok, 0, "8.0.36")]
    [InlineData(Denied, CheckStatus.Layer7Status, 1045, "Access denied for user 'lb'@'localhost'")]
    [InlineData("\x01\x04", CheckStatus.Layer7Status, 0, "the user needs a password")]
    [InlineData("HTTP/1.1 400", CheckStatus.Layer7Response, 0, "not MySQL")]
    [InlineData("\xff\x15", CheckStatus.Layer7Response, 0, "an error without a number")]
    public async Task Judges_by_the_answer_to_the_login(string answer, CheckStatus status, int code, string text)
    {
        Assert.Equal(new ProbeResult(status, code, text), await Scripted.CheckAsync(Create(TimeProvider.System), (s, ct) => TalkAsync(s, [Greeting, answer], [], ct), Ct));
    }

    [Theory(Timeout = Limit)]
    [InlineData(Greeting, CheckStatus.Layer7Ok, 0, "8.0.36")]
    [InlineData("\xff\x69\x04Host '10.0.0.1' is blocked because of many connection errors", CheckStatus.Layer7Status, 1129, "Host '10.0.0.1' is blocked because of many connection errors")]
    [InlineData("\xff\x10\x04#08004Too many connections", CheckStatus.Layer7Status, 1040, "Too many connections")]
    [InlineData("\x09" + "3.20\0\0\0\0\0", CheckStatus.Layer7Response, 0, "not MySQL")]
    [InlineData("\x0a", CheckStatus.Layer7Response, 0, "not MySQL")]
    public async Task Without_a_user_the_greeting_is_enough(string greeting, CheckStatus status, int code, string text)
    {
        Assert.Equal(new ProbeResult(status, code, text), await Scripted.CheckAsync(new MySqlChecker(new CheckOptions()), (s, ct) => TalkAsync(s, [greeting], [], ct), Ct));
    }

    [Theory(Timeout = Limit)]
    [InlineData("", "closed without an answer")]
    [InlineData("\x05\0\0\0ab", "closed within the answer")]
    [InlineData("\0\0\0\0", "not MySQL")]
    [InlineData("\xff\xff\xff\0", "not MySQL")]
    [InlineData("220 mx ESMTP\r\n", "not MySQL")]
    public async Task What_is_no_packet_is_no_answer(string bytes, string text) =>
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, text), await Scripted.CheckAsync(Create(TimeProvider.System), Scripted.Banner(bytes), Ct));

    [Fact(Timeout = Limit)]
    public async Task Logs_in_by_the_way_the_server_switches_to_and_says_good_bye()
    {
        List<string> said = [];
        string native = "\xfe" + "mysql_native_password\0" + "12345678901234567890\0", sha2 = "\xfe" + "caching_sha2_password\0" + "12345678901234567890\0";
        ProbeResult result = await Scripted.CheckAsync(Create(TimeProvider.System), (s, ct) => TalkAsync(s, [Greeting, native, sha2, "\x01\x03", Ok], said, ct, mute: 3), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "8.0.36"), result);

        // "Protocol::HandshakeResponse41": capabilities, largest packet, character set, 23 zeros, user, no password, way.
        string login = "\x01\x82\x08\0" + "\0\0\0\x01" + "\x21" + new string('\0', 23) + "lb\0" + "\0" + "mysql_native_password\0";
        Assert.Equal([login, "", "\0", "\x01"], said);
    }

    [Fact(Timeout = Limit)]
    public async Task A_login_without_an_end_is_bounded()
    {
        string again = "\xfe" + "mysql_native_password\0";
        ProbeResult result = await Scripted.CheckAsync(Create(TimeProvider.System), (s, ct) => TalkAsync(s, [Greeting, again, again, again, again, again], [], ct), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, "a login without an end"), result);
    }

    [Fact]
    public void Lives_through_any_bytes()
    {
        byte[] greeting = Encoding.Latin1.GetBytes(Greeting);
        foreach (byte[] junk in Scripted.Junk(4000, greeting, Encoding.Latin1.GetBytes(Denied)))
        {
            _ = MySqlWire.TryParseGreeting(junk, out _, out _);
            MySqlWire.JudgeError(junk);
            if (junk.Length > 0) MySqlWire.EmptyPassword(junk, 2);
            if (junk.Length >= 4) Assert.InRange(MySqlWire.LengthOf(junk), 0, 0xFFFFFF);
        }
    }

    [Fact]
    public void A_user_that_can_not_be_sent_is_refused() => Assert.Throws<ArgumentException>(() => new MySqlChecker(new CheckOptions { User = "a\0b" }));

    // Sends packets, and takes one in after each but the first, and but those of "mute", which the client does not answer.
    private static async Task TalkAsync(Socket socket, string[] packets, List<string> said, CancellationToken ct, int mute = -1)
    {
        byte number = 0;
        for (int i = 0; i < packets.Length; i++)
        {
            byte[] header = [(byte)packets[i].Length, (byte)(packets[i].Length >> 8), 0, number++];
            await Scripted.SendAsync(socket, Encoding.Latin1.GetString(header) + packets[i], ct);
            if (i == mute) continue;
            if (i == packets.Length - 1) socket.Shutdown(SocketShutdown.Send);
            header = await Scripted.BytesAsync(socket, 4, ct);
            if (header.Length < 4) return;
            said.Add(Encoding.Latin1.GetString(await Scripted.BytesAsync(socket, header[0], ct)));
            number = (byte)(header[3] + 1);
        }
    }
}
