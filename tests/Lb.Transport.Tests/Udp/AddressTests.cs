using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests.Udp;

/// <summary>Answers leave from the address that was hit, also where the gateway listens on all addresses.</summary>
[Trait("Row", "T2")]
public sealed class AddressTests : UdpGatewayTests
{
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task On_all_IPv4_addresses_the_one_that_was_hit_answers(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.Listen[0] = "0.0.0.0:0";
        });
        UdpPeer client = lab.Client(new IPEndPoint(IPAddress.Parse("127.0.0.1"), 0));
        HashSet<IPEndPoint> sockets = [];
        for (int round = 0; round < 3; round++)
        {
            foreach (string hit in (string[])["127.0.0.2", "127.0.0.1", "127.0.0.3"])
            {
                IPEndPoint gateway = new(IPAddress.Parse(hit), lab.At().Port);
                client.Send(gateway, hit);
                IPEndPoint from = await server.ShouldGetAsync(hit);
                sockets.Add(from);
                server.Send(from, "answer");
                Assert.Equal(gateway, await client.ShouldGetAsync("answer"));
            }
        }

        // What the client takes for three servers are three sessions.
        Assert.Equal(3, sockets.Count);
        Assert.Equal(3, lab.Udp().TotalConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task On_all_IPv6_and_IPv4_addresses_too(string driver)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.Listen[0] = "[::]:0";
        });
        foreach ((string own, string hit) in ((string, string)[])[("::1", "::1"), ("127.0.0.1", "127.0.0.2"), ("127.0.0.1", "127.0.0.1")])
        {
            UdpPeer client = lab.Client(new IPEndPoint(IPAddress.Parse(own), 0));
            IPEndPoint gateway = new(IPAddress.Parse(hit), lab.At().Port);
            for (int round = 0; round < 2; round++)
            {
                client.Send(gateway, hit);
                IPEndPoint from = await server.ShouldGetAsync(hit);
                server.Send(from, "answer");
                Assert.Equal(gateway, await client.ShouldGetAsync("answer"));
            }
        }

        Assert.Equal(3, lab.Udp().TotalConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task IPv6_clients_are_served_by_IPv4_servers_and_the_other_way_round(string driver)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        UdpPeer v4 = null!, v6 = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            v4 = l.AddUdpServer();
            v6 = l.AddUdpServer(at: new IPEndPoint(IPAddress.IPv6Loopback, 0));
            l.Listen[0] = "[::1]:0";
            l.Listen.Add("127.0.0.1:0");
        });
        EndPoint atV4 = lab.Udp().EndPoints[1];
        await lab.Client(new IPEndPoint(IPAddress.IPv6Loopback, 0)).AskAsync(lab.At(), v4);
        await lab.Client(new IPEndPoint(IPAddress.IPv6Loopback, 0)).AskAsync(lab.At(), v6);
        await lab.Client().AskAsync(atV4, v4);
        await lab.Client().AskAsync(atV4, v6);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T5")]
    public async Task Several_addresses_and_ranges_are_listened_on(string driver)
    {
        int port;
        using (UdpPeer probe = new(new IPEndPoint(IPAddress.Parse("127.0.9.8"), 0))) port = probe.EndPoint.Port;
        UdpPeer server = null!;
        GatewayLab lab = Make(driver, Udp(l =>
        {
            server = l.AddUdpServer();
            l.Listen[0] = $"127.0.9.8:{port}-{port}";
            l.Listen.Add("127.0.0.2:0");
        }));
        await lab.StartAsync();
        UdpPeer client = lab.Client();
        foreach (EndPoint gateway in lab.Udp().EndPoints) await client.AskAsync(gateway, server);

        Assert.Equal(2, lab.Udp().TotalConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_port_that_is_taken_is_told_with_its_path(string driver)
    {
        using UdpPeer taken = new();
        GatewayLab lab = Make(driver, Udp(l =>
        {
            l.AddUdpServer();
            l.Listen[0] = taken.EndPoint.ToString();
        }));

        LbConfigurationException error = await Assert.ThrowsAsync<LbConfigurationException>(lab.StartAsync);

        Assert.Contains("Lb:Gateways:gate:Listen:0", error.Message, StringComparison.Ordinal);
        Assert.Contains("is in use", error.Message, StringComparison.Ordinal);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Datagrams_leave_from_the_source_address_of_the_server(string driver)
    {
        UdpPeer first = null!, second = null!;
        int port;
        using (UdpPeer probe = new(new IPEndPoint(IPAddress.Parse("127.0.9.5"), 0))) port = probe.EndPoint.Port;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            first = l.Own(new UdpPeer());
            l.AddServer(first.EndPoint.ToString(), "first", static s => s.Source = "127.0.9.4");
            second = l.Own(new UdpPeer());
            l.AddServer(second.EndPoint.ToString(), "second", s => s.Source = $"127.0.9.5:{port}-{port}");
        });
        lab.Client().Send(lab.At(), "1");
        Assert.Equal("127.0.9.4", (await first.ShouldGetAsync("1")).Address.ToString());
        lab.Client().Send(lab.At(), "2");
        Assert.Equal(new IPEndPoint(IPAddress.Parse("127.0.9.5"), port), await second.ShouldGetAsync("2"));
        lab.Client().Send(lab.At(), "3");
        await first.ShouldGetAsync("3");

        // The only port of the range is taken by a session.
        lab.Client().Send(lab.At(), "4");
        await lab.DroppedAsync(UdpDrop.NoSocket);
        await lab.EndedAsync(UdpEnd.LocalError);
    }

    [Fact(Timeout = Timeout)]
    public async Task TCP_and_UDP_of_one_port_do_not_collide()
    {
        UdpPeer server = null!;
        GatewayLab lab = Make("auto", l =>
        {
            server = l.AddUdpServer();
            int port;
            using (UdpPeer probe = new(new IPEndPoint(IPAddress.Parse("127.0.9.9"), 0))) port = probe.EndPoint.Port;
            l.Listen[0] = $"127.0.9.9:{port}";
            l.Configure.Add(o =>
            {
                GatewayOptions second = o.Gateways["second"] = new GatewayOptions { Mode = "udp", Pool = "web" };
                second.Listen.Add($"127.0.9.9:{port}");
            });
        });
        await lab.StartAsync();

        Assert.Equal(lab.Gateways["gate"].EndPoints, lab.Gateways["second"].EndPoints);
        await lab.Client().AskAsync(lab.Gateways["second"].EndPoints[0], server);
    }
}
