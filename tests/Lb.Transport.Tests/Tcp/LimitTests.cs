using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>The gateway's own limit of connections.</summary>
[Trait("Row", "L1")]
public sealed class LimitTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_full_gateway_leaves_clients_in_the_backlog_and_takes_them_later(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g => g.MaxConnections = 2);
        });
        (Socket first, Socket _) = await lab.PairAsync(server);
        await lab.PairAsync(server);
        Socket third = await lab.ClientAsync();
        await third.SendAllAsync("3"u8.ToArray());
        await lab.TurnsAsync();
        Assert.Equal((2, 2), (lab.Gateway.OpenConnections, lab.Gateway.TotalConnections));

        first.Reset();
        Assert.Equal("3"u8.ToArray(), await (await server.AcceptAsync()).ReadAsync(1));
        Assert.Equal((2, 3), (lab.Gateway.OpenConnections, lab.Gateway.TotalConnections));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "G3")]
    public async Task A_reload_changes_the_limit_at_once(string driver)
    {
        TestServer server = null!;
        int limit = 1;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(g => g.MaxConnections = limit);
        });
        (Socket first, Socket _) = await lab.PairAsync(server);
        _ = await lab.ClientAsync();
        await lab.TurnsAsync();
        Assert.Equal(1, lab.Gateway.OpenConnections);

        limit = 0;
        Assert.Empty(await lab.ReloadAsync());
        await lab.OpenAsync(2);
        limit = 1;
        Assert.Empty(await lab.ReloadAsync());
        await lab.TurnsAsync();
        Socket third = await lab.ClientAsync();
        await lab.TurnsAsync();
        Assert.Equal(2, lab.Gateway.OpenConnections);
        first.Reset();
        await lab.OpenAsync(1);
        await lab.TurnsAsync();
        Assert.Equal(1, lab.Gateway.OpenConnections);
        Assert.True(third.IsQuiet());
    }

    [Theory(Timeout = Timeout)]
    [InlineData("epoll", 1)]
    [InlineData("io_uring", 1)]
    [InlineData("epoll", 4)]
    [InlineData("io_uring", 4)]
    [InlineData("managed", 1)]
    [InlineData("managed", 4)]
    public async Task Never_stuck_and_never_much_above_the_limit(string driver, int loops)
    {
        const int Limit = 3, Clients = 16, Rounds = 60;
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Loops = loops;
            l.SetGateway(static g => g.MaxConnections = Limit);
        });
        TcpGateway gateway = lab.Gateway;
        int most = 0;
        Task serving = ServeAsync(server);
        Task[] clients = [.. Enumerable.Range(0, Clients).Select(async _ =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await client.ConnectAsync(lab.EndPoint);
                await client.SendAllAsync(new byte[1]);
                await client.ReadAsync(1);
                int open = gateway.OpenConnections;
                for (int seen = Volatile.Read(ref most); open > seen && Interlocked.CompareExchange(ref most, open, seen) != seen; seen = most) { }
                if (round % 2 == 0) client.Reset();
            }
        })];
        await Task.WhenAll(clients);
        await lab.OpenAsync(0);
        Assert.Equal(Clients * Rounds, gateway.TotalConnections);

        // Each loop but one may accept one more at the same moment.
        Assert.InRange(most, 1, Limit + loops - 1);
        server.Dispose();
        await serving;
    }

    private static async Task ServeAsync(TestServer server)
    {
        try
        {
            while (true) _ = EchoAsync(await server.AcceptAsync());
        }
        catch (SocketException)
        {
        }
        catch (ObjectDisposedException)
        {
        }
    }

    private static async Task EchoAsync(Socket socket)
    {
        byte[] block = new byte[16];
        try
        {
            while (await socket.ReceiveAsync(block) is > 0 and int got) await socket.SendAllAsync(block.AsMemory(0, got));
        }
        catch (SocketException)
        {
        }

        socket.Dispose();
    }
}
