using System.Net;
using System.Net.Sockets;
using Lb.Testing;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H12")]
public sealed class UdpCheckerTests
{
    private const int Limit = 60_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [InlineData(null, 0, 65535, CheckStatus.Layer7Ok, "")]
    [InlineData("50 4f 4e 47", 4, 4, CheckStatus.Layer7Ok, "")]
    [InlineData("504?????", 0, 65535, CheckStatus.Layer7Ok, "")]
    [InlineData("504e", 0, 65535, CheckStatus.Layer7Response, "reply differs at byte 1")]
    [InlineData("504f4e4700", 0, 65535, CheckStatus.Layer7Response, "reply differs at byte 4")]
    [InlineData(null, 5, 65535, CheckStatus.Layer7Response, "reply of 4 bytes, less than 5")]
    [InlineData(null, 0, 3, CheckStatus.Layer7Response, "reply of more than 3 bytes")]
    public async Task A_required_reply_is_judged(string? reply, int min, int max, CheckStatus status, string text)
    {
        await using DatagramServer server = DatagramServer.Start(static _ => [[.. "PONG"u8]]);
        CheckUdpOptions udp = new() { Payload = "PING\\x00", RequireReply = true, Reply = reply, MinReplyLength = min, MaxReplyLength = max };
        Assert.Equal(new ProbeResult(status, 0, text), await Checker(udp).CheckAsync(Target(server.EndPoint), Ct));
        Assert.Equal("PING\0"u8, Assert.Single(server.Received));
    }

    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Row", "H28")]
    public async Task A_port_that_nobody_has_is_down(bool requireReply)
    {
        ProbeResult result = await Checker(new() { PayloadHex = "00", RequireReply = requireReply }).CheckAsync(Target(DatagramServer.Nobody()), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Connection, 0, "port unreachable"), result);
    }

    [Theory(Timeout = Limit)]
    [InlineData(false, CheckStatus.Layer4Ok, "")]
    [InlineData(true, CheckStatus.Layer7Timeout, "no reply in time")]
    [Trait("Row", "H3")]
    public async Task Silence_is_well_unless_there_must_be_a_reply(bool requireReply, CheckStatus status, string text)
    {
        await using DatagramServer server = DatagramServer.Start(static _ => []);
        ManualTimeProvider time = new();
        UdpChecker checker = new(new CheckOptions { Udp = new() { RequireReply = requireReply } }, time);
        Task<ProbeResult> check = checker.CheckAsync(Target(server.EndPoint) with { AnswerTimeout = TimeSpan.FromSeconds(3) }, Ct).AsTask();
        await server.WhenAnsweredAsync(Ct);
        time.Advance(TimeSpan.FromSeconds(3) - TimeSpan.FromTicks(1));
        Assert.False(check.IsCompleted);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(new ProbeResult(status, 0, text), await check);
        Assert.Equal(0, time.ActiveTimers);
    }

    [Fact(Timeout = Limit)]
    public async Task A_check_that_is_cancelled_has_not_passed()
    {
        await using DatagramServer server = DatagramServer.Start(static _ => []);
        using CancellationTokenSource stop = new();
        Task<ProbeResult> check = Checker(new()).CheckAsync(Target(server.EndPoint), stop.Token).AsTask();
        await server.WhenAnsweredAsync(Ct);
        await stop.CancelAsync();
        Assert.Equal(CheckStatus.Layer4Timeout, (await check).Status);
        Assert.Equal(CheckStatus.Layer4Timeout, (await Checker(new()).CheckAsync(Target(server.EndPoint), new CancellationToken(true))).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task A_Unix_socket_is_our_own_fault()
    {
        ProbeResult result = await Checker(new()).CheckAsync(Target(new UnixDomainSocketEndPoint("/tmp/x")), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.SocketError, 0, "a Unix socket takes no datagrams"), result);
    }

    private static UdpChecker Checker(CheckUdpOptions udp) => new(new CheckOptions { Type = "udp", Udp = udp });

    private static ProbeTarget Target(EndPoint endPoint) => new("s1", endPoint, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
}
