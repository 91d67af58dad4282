using System.Net;

namespace Lb.Transport.Tests.Udp;

/// <summary>Datagrams go both ways, whole and with their boundaries.</summary>
[Trait("Row", "T2")]
public sealed class RelayTests : UdpGatewayTests
{
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_datagram_reaches_the_server_and_its_answer_the_client(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l => server = l.AddUdpServer());
        UdpPeer client = lab.Client();

        client.Send(lab.At(), "hello");
        IPEndPoint from = await server.ShouldGetAsync("hello");
        server.Send(from, "hello yourself");
        IPEndPoint answered = await client.ShouldGetAsync("hello yourself");

        Assert.Equal(lab.At(), answered);
        Assert.NotEqual(client.EndPoint, from);
        UdpGateway gateway = lab.Udp();
        Assert.Equal((1, 1L, 1L, 1L, 5L, 14L), (gateway.OpenConnections, gateway.TotalConnections, gateway.DatagramsIn, gateway.DatagramsOut, gateway.BytesIn, gateway.BytesOut));
        Assert.Equal(1, lab.Pool.Servers[0].InFlight);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_client_keeps_its_server_and_each_client_has_a_socket_of_its_own(string driver)
    {
        UdpPeer first = null!, second = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            first = l.AddUdpServer();
            second = l.AddUdpServer();
        });
        UdpPeer a = lab.Client(), b = lab.Client(), c = lab.Client();
        a.Send(lab.At(), "a1");
        IPEndPoint socketOfA = await first.ShouldGetAsync("a1");
        b.Send(lab.At(), "b1");
        await second.ShouldGetAsync("b1");
        c.Send(lab.At(), "c1");
        IPEndPoint socketOfC = await first.ShouldGetAsync("c1");
        Assert.NotEqual(socketOfA, socketOfC);

        // Each answer finds its client, whatever the order.
        first.Send(socketOfC, "to c");
        first.Send(socketOfA, "to a");
        await a.ShouldGetAsync("to a");
        await c.ShouldGetAsync("to c");

        for (int i = 2; i < 6; i++)
        {
            a.Send(lab.At(), $"a{i}");
            Assert.Equal(socketOfA, await first.ShouldGetAsync($"a{i}"));
        }

        Assert.True(second.IsQuiet);
        Assert.Equal(3, lab.Udp().OpenConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Empty_and_largest_datagrams_pass(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l => server = l.AddUdpServer());
        UdpPeer client = lab.Client();
        foreach (int size in (int[])[0, 1, 1472, 1473, 9000, 65_507, 0])
        {
            byte[] data = new byte[size];
            Random.Shared.NextBytes(data);
            client.Send(lab.At(), data);
            (byte[] got, IPEndPoint from) = await server.ReceiveAsync();
            PlainSockets.ShouldBeSame(data, got);
            server.Send(from, data);
            PlainSockets.ShouldBeSame(data, (await client.ReceiveAsync()).Data);
        }

        Assert.Equal(1, lab.Udp().TotalConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Bursts_of_mixed_sizes_keep_boundaries_order_and_owner(string driver)
    {
        const int Clients = 5, PerClient = 30;
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l => server = l.AddUdpServer());
        UdpPeer[] clients = [.. Enumerable.Range(0, Clients).Select(_ => lab.Client())];
        int[] sizes = [200, 200, 200, 10, 0, 200, 1400, 1400, 300, 3000, 200, 201];

        // While the loop is held up everything waits, so it is received as one burst.
        TaskCompletionSource hold = await lab.HoldLoopAsync();
        for (int i = 0; i < PerClient; i++)
        {
            for (int c = 0; c < Clients; c++) clients[c].Send(lab.At(), Datagram(c, i));
        }

        hold.SetResult();
        int[] seen = new int[Clients];
        for (int i = 0; i < Clients * PerClient; i++)
        {
            (byte[] data, IPEndPoint from) = await server.ReceiveAsync();
            int owner = data[0];
            PlainSockets.ShouldBeSame(Datagram(owner, seen[owner]++), data);
            server.Send(from, data);
        }

        for (int c = 0; c < Clients; c++)
        {
            for (int i = 0; i < PerClient; i++) PlainSockets.ShouldBeSame(Datagram(c, i), (await clients[c].ReceiveAsync()).Data);
        }

        Assert.Equal(0, Enum.GetValues<UdpDrop>().Sum(lab.Udp().Count));
        Assert.Equal((Clients * PerClient, Clients * PerClient), (lab.Udp().DatagramsIn, lab.Udp().DatagramsOut));

        byte[] Datagram(int client, int number)
        {
            byte[] data = new byte[2 + sizes[number % sizes.Length]];
            new Random(client * 1000 + number).NextBytes(data);
            data[0] = (byte)client;
            data[1] = (byte)number;
            return data;
        }
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T5")]
    public async Task With_several_loops_every_client_stays_on_its_own(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.Loops = 3;
        });
        UdpPeer[] clients = [.. Enumerable.Range(0, 24).Select(_ => lab.Client())];
        Dictionary<int, IPEndPoint> sockets = [];
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < clients.Length; i++)
            {
                clients[i].Send(lab.At(), $"{i}");
                IPEndPoint from = await server.ShouldGetAsync($"{i}");
                if (round == 0) sockets[i] = from;
                Assert.Equal(sockets[i], from);
                server.Send(from, $"to {i}");
                Assert.Equal(lab.At(), await clients[i].ShouldGetAsync($"to {i}"));
            }
        }

        Assert.Equal(24, lab.Udp().TotalConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task The_policy_sees_the_client_and_the_address_that_it_has_hit(string driver)
    {
        UdpPeer first = null!, second = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            first = l.AddUdpServer();
            second = l.AddUdpServer();
            l.Listen[0] = "0.0.0.0:0";
            l.SetPool(static p => p.Balance = "source");
        });
        EndPoint gateway = new IPEndPoint(IPAddress.Loopback, lab.At().Port);
        UdpPeer? expected = null;
        for (int i = 0; i < 6; i++)
        {
            // Another port, the same address: the same server.
            UdpPeer client = lab.Client();
            client.Send(gateway, "x");
            await Wait.UntilAsync(() => !first.IsQuiet || !second.IsQuiet, "the datagram has arrived");
            UdpPeer got = first.IsQuiet ? second : first;
            await got.ReceiveAsync();
            expected ??= got;
            Assert.Same(expected, got);
        }
    }
}
