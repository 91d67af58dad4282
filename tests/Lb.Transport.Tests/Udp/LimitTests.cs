using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests.Udp;

/// <summary>The table of sessions is bounded, whoever sends.</summary>
[Trait("Row", "T2")]
[Trait("Row", "L10")]
public sealed class LimitTests : UdpGatewayTests
{
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task At_the_limit_the_session_that_was_silent_for_longest_makes_room(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(static g => g.MaxConnections = 3);
        });
        UdpPeer[] clients = [.. Enumerable.Range(0, 4).Select(_ => lab.Client())];
        IPEndPoint[] sockets = new IPEndPoint[4];
        foreach (int i in (int[])[0, 1, 2, 0, 3])
        {
            clients[i].Send(lab.At(), $"{i}");
            sockets[i] = await server.ShouldGetAsync($"{i}");
            await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        Assert.Equal((3, 1L), (lab.Udp().OpenConnections, lab.Udp().Count(UdpEnd.Evicted)));
        const int TableFull = 4202;
        Assert.Equal(1, lab.Logged.Count(TableFull));

        // The second client had been silent for longest; the others still have their sessions.
        foreach (int i in (int[])[0, 2, 3])
        {
            clients[i].Send(lab.At(), "same");
            Assert.Equal(sockets[i], await server.ShouldGetAsync("same"));
        }

        clients[1].Send(lab.At(), "anew");
        Assert.NotEqual(sockets[1], await server.ShouldGetAsync("anew"));
        Assert.Equal(1, lab.Logged.Count(TableFull));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Clients_that_have_talked_stay_when_strangers_flood(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(static g => g.MaxConnections = 10);
        });
        UdpPeer client = lab.Client();
        await client.AskAsync(lab.At(), server);
        client.Send(lab.At(), "and on");
        IPEndPoint socket = await server.ShouldGetAsync("and on");
        for (int i = 0; i < 50; i++)
        {
            // Also those that get an answer, because somebody else's address was used.
            UdpPeer stranger = lab.Client();
            stranger.Send(lab.At(), "flood");
            server.Send(await server.ShouldGetAsync("flood"), "who are you?");
        }

        client.Send(lab.At(), "still there?");
        Assert.Equal(socket, await server.ShouldGetAsync("still there?"));
        Assert.Equal((10, 41L), (lab.Udp().OpenConnections, lab.Udp().Count(UdpEnd.Evicted)));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "L5")]
    public async Task Rules_and_limits_of_a_source_hold_for_its_sessions(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(static g =>
            {
                g.Access.Add(new AccessRuleOptions { Action = AccessAction.Reject, From = { "127.0.8.0/24" } });
                g.PerSource.MaxConnections = 2;
                g.IdleTimeout = TimeSpan.FromSeconds(10);
            });
        });
        lab.Client(new IPEndPoint(IPAddress.Parse("127.0.8.1"), 0)).Send(lab.At(), "denied");
        await lab.DroppedAsync(UdpDrop.Denied);
        UdpPeer first = lab.Client(), second = lab.Client(), third = lab.Client();
        await first.AskAsync(lab.At(), server);
        await second.AskAsync(lab.At(), server);
        third.Send(lab.At(), "one too many");
        await lab.DroppedAsync(UdpDrop.Denied, 2);
        await first.AskAsync(lab.At(), server);
        await lab.Client(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0)).AskAsync(lab.At(), server);

        // Sessions that have ended count no more.
        await lab.AdvanceAsync(TimeSpan.FromSeconds(10));
        await lab.TickAsync();
        await lab.SessionsAsync(0);
        await third.AskAsync(lab.At(), server);
    }

    [Theory(Timeout = 4 * Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_flood_from_100_000_sources_is_bounded_counted_and_leaves_others_unaffected(string driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has all of 127.0.0.0/8.");
        const int Sources = 100_000, Limit = 500;
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(static g => g.MaxConnections = Limit);
        });
        UdpPeer client = lab.Client();
        await client.AskAsync(lab.At(), server);
        client.Send(lab.At(), "and on");
        IPEndPoint socket = await server.ShouldGetAsync("and on");
        UdpGateway gateway = lab.Udp();
        int most = 0;
        byte[] drain = new byte[2048];
        for (int i = 0; i < Sources; i++)
        {
            using (Socket stranger = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
            {
                stranger.Bind(new IPEndPoint(new IPAddress([127, (byte)(1 + (i >> 16)), (byte)(i >> 8), (byte)i]), 0));
                stranger.SendTo([1, 2, 3], lab.At());
            }

            if (i % 1000 == 0) most = Math.Max(most, gateway.OpenConnections);

            // No faster than they are taken, so that none is lost on the way and the sum is exact.
            while (i % 100 == 0 && gateway.DatagramsIn + gateway.Count(UdpDrop.ReceiveQueueFull) < i) await Task.Yield();
            while (!server.IsQuiet) server.Socket.Receive(drain);
        }

        await Wait.UntilAsync(
            () => gateway.DatagramsIn + gateway.Count(UdpDrop.ReceiveQueueFull) == Sources + 2, () => $"all have been taken, {gateway.DatagramsIn} of {Sources}");
        Assert.InRange(most, 1, Limit);
        long opened = Sources - gateway.Count(UdpDrop.ReceiveQueueFull);
        Assert.Equal((Limit, opened - Limit + 1), (gateway.OpenConnections, gateway.Count(UdpEnd.Evicted)));
        client.Send(lab.At(), "still there?");

        // The last of the strangers' may still be on their way.
        (byte[] data, IPEndPoint from) = await server.ReceiveAsync();
        while (data.Length == 3) (data, from) = await server.ReceiveAsync();
        Assert.Equal((socket, "still there?"), (from, System.Text.Encoding.UTF8.GetString(data)));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_flood_of_datagrams_leaves_room_for_connections_below_the_limit_of_all_gateways(string driver)
    {
        using TestServer web = new();
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.Configure.Add(o =>
            {
                o.Transport.MaxConnections = 8;
                o.Pools["tcp"] = new PoolOptions { Servers = { new ServerOptions { Address = web.Address } } };
                o.Gateways["tcp"] = new GatewayOptions { Pool = "tcp", Listen = { "127.0.0.1:0" } };
            });
        });
        for (int i = 0; i < 20; i++)
        {
            lab.Client().Send(lab.At(), $"{i}");
            await server.ShouldGetAsync($"{i}");
        }

        await lab.EndedAsync(UdpEnd.Evicted, 16);
        Assert.Equal(4, lab.Udp().OpenConnections);

        for (int i = 0; i < 4; i++)
        {
            _ = await lab.ClientAsync(lab.Gateways["tcp"].EndPoints[0]);
            _ = await web.AcceptAsync();
        }

        // Connections have filled what is left: sessions go on making room for each other.
        lab.Client().Send(lab.At(), "x");
        await lab.EndedAsync(UdpEnd.Evicted, 17);
    }
}
