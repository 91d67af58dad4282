using System.Net.Sockets;
using System.Text;

namespace Lb.Transport.Tests;

/// <summary>Who is let in behind a proxy: the address that its PROXY header names counts.</summary>
public sealed class AnnouncedAdmissionTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "A5")]
    public async Task A_rule_goes_by_the_announced_address(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g =>
            {
                g.AcceptProxy = new AcceptProxyOptions();
                AccessRuleOptions rule = new() { Action = AccessAction.Reject };
                rule.From.Add("192.0.2.0/24");
                g.Access.Add(rule);
            });
        });
        await EndedAsync(await AnnouncedAsync(lab, "192.0.2.9"));
        await AnnouncedAsync(lab, "203.0.113.9");
        Assert.Equal("!"u8.ToArray(), await (await server.AcceptAsync()).ReadAsync(1));
        Assert.Equal((1L, 1L, 1), (((TcpGateway)lab.Gateway).Count(RelayEnd.Denied), lab.Gateway.Admission.Count(AccessAction.Reject, AdmissionReason.Rule), lab.Gateway.OpenConnections));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "L1")]
    public async Task The_limits_of_a_source_are_those_of_the_announced_one(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g => (g.AcceptProxy, g.PerSource.MaxConnections) = (new AcceptProxyOptions(), 1));
        });
        Socket first = await AnnouncedAsync(lab, "192.0.2.9");
        await (await server.AcceptAsync()).ReadAsync(1);
        await EndedAsync(await AnnouncedAsync(lab, "192.0.2.9"));
        await AnnouncedAsync(lab, "192.0.2.10");
        await (await server.AcceptAsync()).ReadAsync(1);

        // One that ends before its header has come gives nothing back that it had not taken.
        (await lab.ClientAsync()).Reset();
        first.Reset();
        await lab.OpenAsync(1);
        await AnnouncedAsync(lab, "192.0.2.9");
        await (await server.AcceptAsync()).ReadAsync(1);
        await EndedAsync(await AnnouncedAsync(lab, "192.0.2.9"));
        Assert.Equal(2, lab.Gateway.Admission.Count(AccessAction.Reject, AdmissionReason.SourceConnections));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R2")]
    public async Task A_tarpit_holds_the_announced_client(string driver)
    {
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddServer();
            l.SetGateway(static g =>
            {
                (g.AcceptProxy, g.TarpitTimeout) = (new AcceptProxyOptions(), TimeSpan.FromSeconds(5));
                g.Access.Add(new AccessRuleOptions { Action = AccessAction.Tarpit });
            });
        });
        Socket client = await AnnouncedAsync(lab, "192.0.2.9");
        await Wait.UntilAsync(() => lab.Gateway.Admission.Count(AccessAction.Tarpit, AdmissionReason.Rule) == 1, "the tarpit has it");
        await lab.AdvanceAsync(TimeSpan.FromSeconds(4.9));
        Assert.True(client.IsQuiet());
        await lab.AdvanceAsync(TimeSpan.FromSeconds(0.2));
        await EndedAsync(client);
        Assert.Equal(1, ((TcpGateway)lab.Gateway).Count(RelayEnd.Denied));
    }

    // With the header and one byte of its own.
    private static async Task<Socket> AnnouncedAsync(GatewayLab lab, string source)
    {
        Socket client = await lab.ClientAsync();
        await client.SendAllAsync(Encoding.ASCII.GetBytes($"PROXY TCP4 {source} 198.51.100.1 1234 80\r\n!"));
        return client;
    }

    private static async Task EndedAsync(Socket client)
    {
        try
        {
            await client.ShouldEndAsync();
        }
        catch (SocketException error)
        {
            Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        }
    }
}
