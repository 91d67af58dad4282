using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>Changes of a running gateway.</summary>
[Trait("Row", "G3")]
public sealed class ReloadTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_new_server_is_used_and_connections_stay(string driver)
    {
        TestServer one = null!;
        GatewayLab lab = await StartAsync(driver, l => one = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(one);
        TestServer two = lab.AddServer();
        Assert.Empty(await lab.ReloadAsync());
        await Task.WhenAll(lab.PairAsync(one), lab.PairAsync(two));
        await StillServesAsync(client, accepted);
        Assert.Equal((2, 1), (lab.Pool.Servers[0].TotalLeases, lab.Pool.Servers[1].TotalLeases));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_server_that_leaves_gets_no_new_client_and_keeps_its_old_ones(string driver)
    {
        TestServer one = null!, two = null!;
        GatewayLab lab = await StartAsync(driver, l => (one, two) = (l.AddServer(), l.AddServer()));
        Socket client = await lab.ClientAsync();
        Socket accepted = await one.AcceptAsync();
        Server left = lab.Pool.Servers[0];
        lab.Servers.RemoveAt(0);
        Assert.Empty(await lab.ReloadAsync());
        for (int i = 0; i < 3; i++) await lab.PairAsync(two);
        Assert.False(one.HasWaiting);
        await StillServesAsync(client, accepted);
        Assert.Equal(1, left.InFlight);
        client.Reset();
        await Wait.UntilAsync(() => left.InFlight == 0, "its last lease ends");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T5")]
    public async Task A_changed_address_closes_the_old_port_opens_the_new_and_keeps_connections(string driver)
    {
        TestServer server = null!;
        int first = ListenTests.FreeRange(2);
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Listen[0] = $"127.0.0.1:{first}";
        });
        (Socket client, Socket accepted) = await lab.PairAsync(server);
        lab.Listen[0] = $"127.0.0.1:{first + 1}";
        Assert.Empty(await lab.ReloadAsync());
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, first + 1)], lab.Gateway.EndPoints);
        await Assert.ThrowsAsync<SocketException>(() => lab.ClientAsync(new IPEndPoint(IPAddress.Loopback, first)));
        await lab.PairAsync(server);
        await StillServesAsync(client, accepted);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_reload_that_changes_nothing_keeps_the_port_even_when_the_kernel_chose_it(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        EndPoint before = lab.EndPoint;
        lab.Configure.Add(static o => o.Gateways["second"] = new GatewayOptions { Pool = "web", Listen = { "127.0.0.1:0" } });
        Assert.Empty(await lab.ReloadAsync());
        Assert.Equal(before, lab.EndPoint);
        Assert.NotEqual(before, lab.Gateways["second"].EndPoints[0]);
        await lab.PairAsync(server);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_gateway_that_is_removed_drains(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server);
        EndPoint at = lab.EndPoint;
        lab.Configure.Add(static o => o.Gateways.Clear());
        Assert.Empty(await lab.ReloadAsync());
        Assert.Empty(lab.Gateways.All);
        await Assert.ThrowsAsync<SocketException>(() => lab.ClientAsync(at));
        await StillServesAsync(client, accepted);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        await lab.TickAsync();
        await client.ShouldEndAsync();
        await accepted.ShouldEndAsync();
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task An_address_moves_from_one_gateway_to_another(string driver)
    {
        TestServer server = null!;
        int first = ListenTests.FreeRange(2);
        bool swapped = false;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Listen.Clear();
            l.SetGateway(g => g.Listen.Add($"127.0.0.1:{(swapped ? first + 1 : first)}"));
            l.Configure.Add(o => o.Gateways["other"] = new GatewayOptions { Pool = "web", Listen = { $"127.0.0.1:{(swapped ? first : first + 1)}" } });
        });
        (Socket client, Socket accepted) = await lab.PairAsync(server);
        swapped = true;
        Assert.Empty(await lab.ReloadAsync());
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, first + 1)], lab.Gateway.EndPoints);
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, first)], lab.Gateways["other"].EndPoints);
        await lab.PairAsync(server);
        await StillServesAsync(client, accepted);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_gateway_gets_another_name(string driver)
    {
        TestServer server = null!;
        int port = ListenTests.FreeRange(1);
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Listen[0] = $"127.0.0.1:{port}";
        });
        lab.Configure.Add(static o =>
        {
            o.Gateways["renamed"] = o.Gateways["gate"];
            o.Gateways.Remove("gate");
        });
        Assert.Empty(await lab.ReloadAsync());
        await ListenTests.ServesAsync(lab, server, new IPEndPoint(IPAddress.Loopback, port));
        Assert.Equal(1, lab.Gateways["renamed"].TotalConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Another_pool_serves_new_clients_and_the_old_ones_stay(string driver)
    {
        TestServer one = null!;
        GatewayLab lab = await StartAsync(driver, l => one = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(one);
        using TestServer two = new();
        lab.Configure.Add(o =>
        {
            o.Pools["new"] = new PoolOptions { Servers = { new ServerOptions { Address = two.Address } } };
            o.Gateways["gate"].Pool = "new";
        });
        Assert.Empty(await lab.ReloadAsync());
        Assert.Equal("new", lab.Gateway.Pool.Name);
        await lab.PairAsync(two);
        await StillServesAsync(client, accepted);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_faulty_configuration_changes_nothing(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server);
        EndPoint at = lab.EndPoint;
        using TestServer owner = new();
        lab.Listen[0] = owner.Address;
        lab.AddServer("127.0.0.1:1", "new");
        lab.SetGateway(static g => g.MaxConnections = 1);
        ConfigurationError error = Assert.Single(await lab.ReloadAsync());
        Assert.Equal(("Lb:Gateways:gate:Listen:0", owner.Address), (error.Path, error.Value));
        Assert.Single(lab.Pool.Servers);
        Assert.Equal(at, lab.EndPoint);
        await lab.PairAsync(server);
        await StillServesAsync(client, accepted);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task The_reactor_cannot_be_changed_while_it_runs(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        lab.Configure.Add(static o => (o.Transport.Driver, o.Transport.Loops) = ("auto", 7));
        Assert.Equal(["Lb:Transport:Driver", "Lb:Transport:Loops"], (await lab.ReloadAsync()).Select(static e => e.Path));
        await lab.PairAsync(server);
    }

    private static async Task StillServesAsync(Socket client, Socket server)
    {
        await client.SendAllAsync("still"u8.ToArray());
        Assert.Equal("still"u8.ToArray(), await server.ReadAsync(5));
        await server.SendAllAsync("here"u8.ToArray());
        Assert.Equal("here"u8.ToArray(), await client.ReadAsync(4));
    }
}
