using System.Net;
using Lb.Health;
using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Health;

/// <summary>Mail and gRPC servers.</summary>
public sealed class TalkerTests
{
    private const string Friendly = "class Handler:\n    pass";
    private const string Refusing = "class Handler:\n    async def handle_EHLO(self, server, session, envelope, hostname, responses):\n        return ['550 not you']";

    [Theory(Timeout = Ask.Limit)]
    [Trait("Row", "H14")]
    [InlineData(Friendly, "L7OK/250", "mail.example")]
    [InlineData(Refusing, "L7STS/550", "not you")]
    public async Task Smtp(string handler, string word, string text)
    {
        Peer.Demand(Python.NeedsSmtp);
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer server = await Python.StartSmtpAsync(home, endPoint, handler);
        ProbeResult result = await Ask.UsAsync(new SmtpChecker(new CheckOptions { Hello = "lb.example" }), endPoint);
        Assert.Equal((word, text), (Ask.Word(result), result.Text));
    }

    [Fact(Timeout = Ask.Limit)]
    [Trait("Row", "H14")]
    public async Task Smtp_as_HAProxy_finds_it()
    {
        Peer.Demand([.. Python.NeedsSmtp, Haproxy.Need]);
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer server = await Python.StartSmtpAsync(home, endPoint, Friendly);

        // It tells the code of the answer to QUIT.
        Assert.Equal("L7OK/221", await Ask.HaproxyAsync(endPoint, "option smtpchk EHLO lb.example"));
    }

    [Theory(Timeout = Ask.Limit)]
    [Trait("Row", "H18")]
    [InlineData("", "L7OK", "SERVING")]
    [InlineData("well", "L7OK", "SERVING")]
    [InlineData("ill", "L7STS", "NOT_SERVING")]
    [InlineData("other", "L7STS/5", "NOT_FOUND: unknown service")]
    public async Task Grpc(string service, string word, string text)
    {
        Peer.Demand(Python.NeedsGrpc);
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer server = await Python.StartGrpcAsync(home, endPoint);
        ProbeResult result = await Ask.UsAsync(new GrpcChecker(new CheckOptions { Service = service }), endPoint);
        Assert.Equal((word, text), (Ask.Word(result), result.Text));
    }

    [Fact(Timeout = Ask.Limit)]
    [Trait("Row", "H18")]
    public async Task Grpc_without_a_health_service()
    {
        Peer.Demand(Python.NeedsGrpc);
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer server = await Python.StartGrpcAsync(home, endPoint, "Other");
        ProbeResult result = await Ask.UsAsync(new GrpcChecker(new CheckOptions()), endPoint);
        Assert.Equal("L7STS/12", Ask.Word(result));
    }
}
