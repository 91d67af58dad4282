using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>Where a gateway can be reached.</summary>
[Trait("Row", "T5")]
public sealed class ListenTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Several_listeners_of_every_kind_serve_one_gateway(string driver)
    {
        string path = $"/tmp/lb-{Guid.NewGuid():N}.sock";
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Listen.Clear();
            l.Listen.AddRange(["127.0.0.1:0", "127.0.0.2:0", "[::1]:0", "*:0", "[::]:0", "[::]:0 v6only", $"unix:{path}"]);
        });
        IReadOnlyList<EndPoint> at = lab.Gateway.EndPoints;
        Assert.Equal(7, at.Count);
        foreach (EndPoint endPoint in at) await ServesAsync(lab, server, Reachable(endPoint));

        // Dual mode takes IPv4 as well, v6only does not.
        await ServesAsync(lab, server, new IPEndPoint(IPAddress.Loopback, Port(at[4])));
        await NotServedAsync(lab, new IPEndPoint(IPAddress.Loopback, Port(at[5])));
        Assert.Equal(8, lab.Gateway.TotalConnections);

        await lab.StopSoonAsync();
        Assert.False(File.Exists(path));
    }

    // Refused, unless another test listens just there: the port of an IPv6 socket is free for IPv4.
    private static async Task NotServedAsync(GatewayLab lab, EndPoint endPoint)
    {
        try
        {
            _ = await lab.ClientAsync(endPoint);
        }
        catch (SocketException refused)
        {
            Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        }

        await lab.TurnsAsync();
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_range_listens_on_every_port_of_it(string driver)
    {
        TestServer server = null!;
        int first = FreeRange(5);
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Listen[0] = $"127.0.0.1:{first}-{first + 4}";
        });
        Assert.Equal(Enumerable.Range(first, 5), lab.Gateway.EndPoints.Select(Port));
        foreach (EndPoint endPoint in lab.Gateway.EndPoints) await ServesAsync(lab, server, endPoint);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Several_loops_share_the_port_and_all_take_clients(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Loops = 4;
        });
        Assert.Single(lab.Gateway.EndPoints);
        for (int i = 0; i < 200; i++) _ = await lab.ClientAsync();
        await lab.OpenAsync(200);
        for (int i = 0; i < 200; i++) await server.AcceptAsync();

        // The kernel spreads them by a hash of their addresses: 200 on fewer than 4 has a chance of 1 in 10^24.
        Assert.Equal(4, lab.LoopsWithConnections());
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_short_backlog_is_the_kernels_limit(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g => (g.Backlog, g.MaxConnections) = (1, 1));
        });
        await lab.PairAsync(server);

        // Full: nobody is accepted, and the kernel keeps as many as the backlog and one more. The next SYN is dropped. The managed driver has
        // taken one in before it could know.
        List<Task> connects = [];
        for (int i = 0; i < 8; i++) connects.Add(lab.ClientAsync());
        await Wait.UntilAsync(() => connects.Count(static c => c.IsCompletedSuccessfully) >= 2, "the backlog is used");
        await lab.TurnsAsync();
        Assert.InRange(connects.Count(static c => c.IsCompletedSuccessfully), 2, driver == "managed" ? 3 : 2);
        lab.DropClients();
        await Assert.ThrowsAnyAsync<Exception>(() => Task.WhenAll(connects));
    }

    private static EndPoint Reachable(EndPoint endPoint) => endPoint switch
    {
        IPEndPoint { Address: var a } ip when a.Equals(IPAddress.Any) => new IPEndPoint(IPAddress.Loopback, ip.Port),
        IPEndPoint { Address: var a } ip when a.Equals(IPAddress.IPv6Any) => new IPEndPoint(IPAddress.IPv6Loopback, ip.Port),
        _ => endPoint,
    };

    internal static int Port(EndPoint endPoint) => ((IPEndPoint)endPoint).Port;

    /// <summary>Ports that are free side by side, below those that the kernel gives to others.</summary>
    internal static int FreeRange(int count)
    {
        for (int first = 20_000 + Random.Shared.Next(5_000); ; first += count)
        {
            if (Enumerable.Range(first, count).All(IsFree)) return first;
        }

        static bool IsFree(int port) => GatewayValidation.TryBind(new ListenAddress(new IPEndPoint(IPAddress.Loopback, port), true)) is null;
    }

    internal static async Task ServesAsync(GatewayLab lab, TestServer server, EndPoint at)
    {
        Socket client = await lab.ClientAsync(at);
        Socket accepted = await server.AcceptAsync();
        await client.SendAllAsync("ping"u8.ToArray());
        Assert.Equal("ping"u8.ToArray(), await accepted.ReadAsync(4));
        await accepted.SendAllAsync("pong"u8.ToArray());
        Assert.Equal("pong"u8.ToArray(), await client.ReadAsync(4));
    }
}
