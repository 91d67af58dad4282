using System.Net;
using Lb.Testing;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H13")]
public sealed class DnsCheckerTests
{
    private const int Limit = 60_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    public async Task An_answer_as_expected_passes_and_strangers_are_not_heard()
    {
        await using DatagramServer server = DatagramServer.Start(static query => [[(byte)~query[0], .. query[1..]], [1], [], Answer(query, 0, "c00c 0001 0001 0000003c 0004 c0000201")]);
        ProbeResult result = await Checker(new() { Name = "www.example", Type = "A", Answer = "192.0.2.1" }).CheckAsync(Target(server.EndPoint), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "NOERROR"), result);
        Assert.Equal("01000001000000000000 03777777 076578616d706c65 00 0001 0001".Replace(" ", "", StringComparison.Ordinal), Convert.ToHexStringLower(server.Received[0])[4..]);
    }

    [Theory(Timeout = Limit)]
    [InlineData("NOERROR", 2, CheckStatus.Layer7Status, "SERVFAIL, not NOERROR")]
    [InlineData("NXDOMAIN", 3, CheckStatus.Layer7Ok, "NXDOMAIN")]
    [InlineData("REFUSED", 0, CheckStatus.Layer7Status, "NOERROR, not REFUSED")]
    [InlineData("NOERROR", 9, CheckStatus.Layer7Status, "code 9, not NOERROR")]
    [Trait("Row", "H28")]
    public async Task The_code_decides(string expected, int rcode, CheckStatus status, string text)
    {
        await using DatagramServer server = DatagramServer.Start(query => [Answer(query, rcode)]);
        Assert.Equal(new ProbeResult(status, rcode, text), await Checker(new() { Rcode = expected }).CheckAsync(Target(server.EndPoint), Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task What_can_not_be_understood_is_L7RSP()
    {
        await using DatagramServer server = DatagramServer.Start(static query => [query]);
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Response, 0, "not an answer"), await Checker(new()).CheckAsync(Target(server.EndPoint), Ct));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H3")]
    public async Task A_question_that_is_not_answered_is_asked_again_with_the_same_id()
    {
        int asked = 0;
        await using DatagramServer server = DatagramServer.Start(query => ++asked == 3 ? [Answer(query, 0)] : []);
        ManualTimeProvider time = new();
        DnsChecker checker = new(new CheckOptions(), time, new Random(7));
        Task<ProbeResult> check = checker.CheckAsync(Target(server.EndPoint) with { AnswerTimeout = TimeSpan.FromSeconds(3) }, Ct).AsTask();
        for (int i = 0; i < 2; i++)
        {
            await server.WhenAnsweredAsync(Ct);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.True((await check).Passed);
        Assert.Equal(server.Received[0], server.Received[2]);
        Assert.Equal(0, time.ActiveTimers);
    }

    [Fact(Timeout = Limit)]
    public async Task Silence_is_L7TOUT_and_a_port_that_nobody_has_L4CON()
    {
        await using DatagramServer server = DatagramServer.Start(static _ => []);
        ManualTimeProvider time = new();
        Task<ProbeResult> check = new DnsChecker(new CheckOptions { Dns = new() { Attempts = 1 } }, time).CheckAsync(Target(server.EndPoint), Ct).AsTask();
        await server.WhenAnsweredAsync(Ct);
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Timeout, 0, "no answer in time"), await check);
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Connection, 0, "port unreachable"), await Checker(new()).CheckAsync(Target(DatagramServer.Nobody()), Ct));
        Assert.False((await Checker(new()).CheckAsync(Target(server.EndPoint), new CancellationToken(true))).Passed);
    }

    private static DnsChecker Checker(CheckDnsOptions dns) => new(new CheckOptions { Type = "dns", Dns = dns });

    private static byte[] Answer(byte[] query, int rcode, params string[] records) =>
        [query[0], query[1], 0x81, (byte)(0x80 | rcode), 0, 1, 0, (byte)records.Length, 0, 0, 0, 0, .. query[12..], .. records.SelectMany(static r => Convert.FromHexString(r.Replace(" ", "", StringComparison.Ordinal)))];

    private static ProbeTarget Target(EndPoint endPoint) => new("s1", endPoint, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
}
