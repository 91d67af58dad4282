using System.Net;
using Lb.Health;
using Lb.Interop.Tests.Health;
using Lb.Interop.Tests.Peers;
using Lb.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Interop.Tests.Transport;

/// <summary>NSD behind a UDP gateway, and behind a TCP gateway of the same port for what is too long for a datagram.</summary>
[Trait("Row", "T2")]
public sealed class NameServerGatewayTests(NsdServer nsd) : IClassFixture<NsdServer>
{
    [Fact(Timeout = Ask.Limit)]
    public async Task Questions_are_answered_one_session_each_and_long_answers_over_TCP()
    {
        const int Questions = 50;
        nsd.Demand();
        IPEndPoint at = Ports.Next();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddServerPool("dns").AddServer(nsd.EndPoint.ToString());
        builder.Services.AddUdpGateway(at.ToString(), "dns", "udp", static g => g.Responses = 1).AddTcpGateway(at.ToString(), "dns", "tcp");
        using IHost host = builder.Build();
        await host.StartAsync();

        for (int i = 0; i < Questions; i++) Assert.Equal("L7OK", Ask.Word(await AskAsync(at, new CheckDnsOptions { Name = "web.example", Type = "A", Answer = "192.0.2.2" })));
        Assert.Equal("L7STS/3", Ask.Word(await AskAsync(at, new CheckDnsOptions { Name = "nothing.example", Type = "A" })));
        Assert.Equal("L7OK", Ask.Word(await AskAsync(at, new CheckDnsOptions { Name = "many.example", Type = "A", MinAnswers = NsdServer.Many })));

        Gateways gateways = host.Services.GetRequiredService<Gateways>();
        UdpGateway udp = (UdpGateway)gateways["udp"];
        Assert.Equal((Questions + 2L, Questions + 2L, 0), (udp.TotalConnections, udp.Count(UdpEnd.Completed), udp.OpenConnections));
        Assert.Equal(1, gateways["tcp"].TotalConnections);
        await host.StopAsync();
    }

    private static Task<ProbeResult> AskAsync(IPEndPoint endPoint, CheckDnsOptions question) =>
        Ask.UsAsync(new DnsChecker(new CheckOptions { Type = "dns", Dns = question }), endPoint);
}
