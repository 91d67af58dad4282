using System.Net;
using Lb.Health;
using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Health;

/// <summary>NSD with a good zone and one whose file is not there.</summary>
public sealed class NsdServer() : PeerFixture(NameServers.NeedsNsd)
{
    // Ten addresses more than a datagram of 512 bytes holds.
    public const int Many = 40;

    public IPEndPoint EndPoint { get; } = Ports.Next();

    protected override async Task StartAsync(CancellationToken ct) => Keep(await NameServers.StartNsdAsync(
        Home,
        EndPoint,
        $"""
        web A 192.0.2.1
        web A 192.0.2.2
        six AAAA 2001:db8::1
        www CNAME web
        @ MX 10 mail
        text TXT "all is" " well"
        _sip._tcp SRV 1 2 5060 web
        {string.Join('\n', Enumerable.Range(1, Many).Select(static i => $"many A 192.0.2.{i}"))}
        """));
}

[Trait("Row", "H13")]
public sealed class NameServerTests(NsdServer nsd) : IClassFixture<NsdServer>
{
    [Theory(Timeout = Ask.Limit)]
    [InlineData("example", "SOA", "NOERROR", null, 1, "L7OK", "")]
    [InlineData("example", "SOA", "NOERROR", "ns.example", 0, "L7OK", "")]
    [InlineData("example", "NS", "NOERROR", "ns.example", 0, "L7OK", "")]
    [InlineData("example", "MX", "NOERROR", "mail.example", 0, "L7OK", "")]
    [InlineData("web.example", "A", "NOERROR", "192.0.2.2", 2, "L7OK", "")]
    [InlineData("WEB.Example.", "A", "NOERROR", "192.0.2.1", 0, "L7OK", "")]
    [InlineData("web.example", "A", "NOERROR", "192.0.2.3", 0, "L7STS", "no record is the one expected")]
    [InlineData("web.example", "A", "NOERROR", null, 3, "L7STS", "2 records, fewer than 3")]
    [InlineData("six.example", "AAAA", "NOERROR", "2001:db8:0:0::1", 0, "L7OK", "")]
    [InlineData("www.example", "CNAME", "NOERROR", "web.example", 0, "L7OK", "")]
    [InlineData("www.example", "A", "NOERROR", "192.0.2.1", 0, "L7OK", "")]
    [InlineData("text.example", "TXT", "NOERROR", "all is well", 0, "L7OK", "")]
    [InlineData("_sip._tcp.example", "SRV", "NOERROR", "web.example", 0, "L7OK", "")]
    [InlineData("web.example", "AAAA", "NOERROR", null, 1, "L7STS", "0 records, fewer than 1")]
    [InlineData("nothing.example", "A", "NOERROR", null, 0, "L7STS/3", "NXDOMAIN, not NOERROR")]
    [InlineData("nothing.example", "A", "NXDOMAIN", null, 0, "L7OK/3", "NXDOMAIN")]
    [InlineData("broken", "SOA", "NOERROR", null, 0, "L7STS/2", "SERVFAIL, not NOERROR")]
    [InlineData("elsewhere", "SOA", "NOERROR", null, 0, "L7STS/5", "REFUSED, not NOERROR")]
    public async Task Nsd(string name, string type, string rcode, string? answer, int fewest, string word, string text)
    {
        nsd.Demand();
        ProbeResult result = await AskAsync(nsd.EndPoint, new CheckDnsOptions { Name = name, Type = type, Rcode = rcode, Answer = answer, MinAnswers = fewest });
        Assert.Equal(word, Ask.Word(result));
        if (text.Length > 0) Assert.Equal(text, result.Text);
    }

    [Theory(Timeout = Ask.Limit)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_that_does_not_fit_is_asked_for_over_tcp(bool tcpAtOnce)
    {
        nsd.Demand();
        ProbeResult result = await AskAsync(nsd.EndPoint, new CheckDnsOptions { Name = "many.example", Type = "A", MinAnswers = NsdServer.Many, Tcp = tcpAtOnce });
        Assert.Equal("L7OK", Ask.Word(result));
        result = await AskAsync(nsd.EndPoint, new CheckDnsOptions { Name = "many.example", Type = "A", MinAnswers = NsdServer.Many + 1, Tcp = tcpAtOnce });
        Assert.Equal($"{NsdServer.Many} records, fewer than {NsdServer.Many + 1}", result.Text);
    }

    [Theory(Timeout = Ask.Limit)]
    [InlineData("web.lan", "A", "192.0.2.7", "L7OK", "")]
    [InlineData("web.lan", "AAAA", null, "L7OK", "")]
    [InlineData("nothing.lan", "A", null, "L7STS/3", "NXDOMAIN, not NOERROR")]
    [InlineData("elsewhere", "A", null, "L7STS/5", "REFUSED, not NOERROR")]
    public async Task Dnsmasq(string name, string type, string? answer, string word, string text)
    {
        Peer.Demand(NameServers.NeedsDnsmasq);
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer dnsmasq = await NameServers.StartDnsmasqAsync(home, endPoint, "--host-record=web.lan,192.0.2.7", "--local=/lan/");
        ProbeResult result = await AskAsync(endPoint, new CheckDnsOptions { Name = name, Type = type, Answer = answer });
        Assert.Equal(word, Ask.Word(result));
        if (text.Length > 0) Assert.Equal(text, result.Text);
    }

    [Fact(Timeout = Ask.Limit)]
    public async Task One_that_has_ended_is_told_as_such()
    {
        Peer.Demand(NameServers.NeedsDnsmasq);
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        Peer dnsmasq = await NameServers.StartDnsmasqAsync(home, endPoint, "--host-record=web.lan,192.0.2.7");
        CheckDnsOptions question = new() { Name = "web.lan", Type = "A" };
        Assert.True((await AskAsync(endPoint, question)).Passed);
        await dnsmasq.DisposeAsync();
        Assert.Equal("L4CON", Ask.Word(await AskAsync(endPoint, question)));
    }

    private static Task<ProbeResult> AskAsync(IPEndPoint endPoint, CheckDnsOptions question) => Ask.UsAsync(new DnsChecker(new CheckOptions { Type = "dns", Dns = question }), endPoint);
}
