using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests.Operations;

/// <summary>TCP options of gateways and servers, read back from the very sockets that carry a connection.</summary>
[Trait("Row", "T13")]
[Trait("Row", "T1")]
public sealed class SocketOptionTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Every_option_of_a_gateway_is_on_its_listener_and_on_what_it_accepts(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g =>
            {
                g.Tcp.KeepAlive = new KeepAliveOptions { Idle = TimeSpan.FromSeconds(61), Interval = TimeSpan.FromSeconds(7), Count = 4 };
                g.Tcp.UserTimeout = TimeSpan.FromMilliseconds(12_345);
                g.Tcp.MaxSegment = 1001;
                g.Tcp.Dscp = 46;
                g.Tcp.FastOpen = 33;
                g.Interface = "lo";
                if (Environment.IsPrivilegedProcess) g.Tcp.Mark = 7;
            });
        });
        (Socket client, _) = await lab.PairAsync(server);
        foreach (nint handle in (nint[])[ListenerOf(lab), AcceptedOf(lab, client)])
        {
            Assert.Equal(1, Options.Number(handle, Options.Tcp, 1)); // TCP_NODELAY
            Assert.Equal(1, Options.Number(handle, Options.Socket, 9)); // SO_KEEPALIVE
            Assert.Equal(61, Options.Number(handle, Options.Tcp, 4)); // TCP_KEEPIDLE
            Assert.Equal(7, Options.Number(handle, Options.Tcp, 5)); // TCP_KEEPINTVL
            Assert.Equal(4, Options.Number(handle, Options.Tcp, 6)); // TCP_KEEPCNT
            Assert.Equal(12_345, Options.Number(handle, Options.Tcp, 18)); // TCP_USER_TIMEOUT
            Assert.Equal(46 << 2, Options.Number(handle, Options.V4, 1)); // IP_TOS
            if (Environment.IsPrivilegedProcess) Assert.Equal(7, Options.Number(handle, Options.Socket, 36)); // SO_MARK
        }

        using Socket listener = new(new SafeSocketHandle(ListenerOf(lab), ownsHandle: false));
        Assert.Equal(33, listener.Number(Options.Tcp, 23)); // TCP_FASTOPEN
        Assert.Equal("lo", listener.Text(Options.Socket, 25)); // SO_BINDTODEVICE

        // What the client was told to send at most, less the room for TCP's timestamps. A full segment of loopback would be 65 483.
        Assert.InRange(client.Number(Options.Tcp, 2), 900, 1001); // TCP_MAXSEG
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Options_that_nobody_asks_for_are_the_systems_but_for_no_delay(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server);
        foreach (nint handle in (nint[])[AcceptedOf(lab, client), ConnectedOf(accepted)])
        {
            Assert.Equal(1, Options.Number(handle, Options.Tcp, 1));
            Assert.Equal(0, Options.Number(handle, Options.Socket, 9));
            Assert.Equal(0, Options.Number(handle, Options.Tcp, 18));
            Assert.Equal(0, Options.Number(handle, Options.V4, 1));
        }
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task No_delay_can_be_given_up_on_either_side(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g => g.Tcp.NoDelay = false);
            l.SetPool(static p => p.Tcp = new ConnectTcpOptions { NoDelay = false });
        });
        (Socket client, Socket accepted) = await lab.PairAsync(server);
        Assert.Equal(0, Options.Number(AcceptedOf(lab, client), Options.Tcp, 1));
        Assert.Equal(0, Options.Number(ConnectedOf(accepted), Options.Tcp, 1));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Options_of_a_pool_are_on_connections_to_its_servers_and_a_server_may_have_its_own(string driver)
    {
        TestServer one = null!, two = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            one = l.AddServer();
            two = l.AddServer(configure: static s => s.Tcp = new ConnectTcpOptions { Dscp = 8, KeepAlive = new KeepAliveOptions() });
            l.SetPool(static p =>
            {
                p.Tcp = new ConnectTcpOptions { UserTimeout = TimeSpan.FromSeconds(9), MaxSegment = 777, FastOpen = true, KeepAlive = new KeepAliveOptions { Count = 2 } };
                p.Interface = "lo";
            });
        });
        (_, Socket first) = await lab.PairAsync(one);
        (_, Socket second) = await lab.PairAsync(two);
        using Socket toOne = new(new SafeSocketHandle(ConnectedOf(first), ownsHandle: false)), toTwo = new(new SafeSocketHandle(ConnectedOf(second), ownsHandle: false));
        Assert.Equal((9000, 1, 2, 0), (toOne.Number(Options.Tcp, 18), toOne.Number(Options.Socket, 9), toOne.Number(Options.Tcp, 6), toOne.Number(Options.V4, 1)));
        Assert.Equal(1, toOne.Number(Options.Tcp, 30)); // TCP_FASTOPEN_CONNECT
        Assert.InRange(first.Number(Options.Tcp, 2), 700, 777);
        Assert.Equal((0, 1, 32), (toTwo.Number(Options.Tcp, 18), toTwo.Number(Options.Socket, 9), toTwo.Number(Options.V4, 1)));
        Assert.Equal(("lo", "lo"), (toOne.Text(Options.Socket, 25), toTwo.Text(Options.Socket, 25)));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Both_families_of_a_dual_socket_carry_the_class_of_service(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.Listen[0] = "[::]:0";
            l.SetGateway(static g => g.Tcp.Dscp = 10);
        });
        int port = ListenPort(lab);
        foreach (IPAddress address in (IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback])
        {
            Socket client = await lab.ClientAsync(new IPEndPoint(address, port));
            await server.AcceptAsync();
            nint accepted = Options.Find((IPEndPoint)client.RemoteEndPoint!, (IPEndPoint)client.LocalEndPoint!);
            bool isV4 = address.AddressFamily == AddressFamily.InterNetwork;
            Assert.Equal(40, Options.Number(accepted, isV4 ? Options.V4 : Options.V6, isV4 ? 1 : 67)); // IP_TOS, IPV6_TCLASS
        }
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_deferred_client_is_taken_in_with_its_first_byte(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetGateway(static g => g.Tcp.DeferAccept = TimeSpan.FromSeconds(30));
        });
        Socket client = await lab.ClientAsync();
        await lab.TurnsAsync();
        Assert.Equal(0, lab.Gateway.TotalConnections);
        await client.SendAllAsync(new byte[1]);
        Socket accepted = await server.AcceptAsync();
        Assert.Equal(new byte[1], await accepted.ReadAsync(1));
        Assert.Equal(1, lab.Gateway.TotalConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T7")]
    public async Task An_address_that_is_not_here_yet_is_listened_on_with_freebind_and_named_without(string driver)
    {
        const string Elsewhere = "192.0.2.77";
        GatewayLab refused = Make(driver, static l =>
        {
            l.AddServer();
            l.Listen[0] = $"{Elsewhere}:0";
        });
        LbConfigurationException error = await Assert.ThrowsAsync<LbConfigurationException>(refused.StartAsync);
        ConfigurationError only = Assert.Single(error.Errors);
        Assert.Equal("Lb:Gateways:gate:Listen:0", only.Path);
        Assert.Contains("Freebind: true", only.Message, StringComparison.Ordinal);

        GatewayLab lab = await StartAsync(driver, static l =>
        {
            l.AddServer();
            l.Loops = 2;
            l.Listen.Clear();
            l.Listen.AddRange([$"{Elsewhere}:0", "[2001:db8::77]:0"]);
            l.SetGateway(static g => g.Freebind = true);
        });
        Assert.Equal([Elsewhere, "2001:db8::77"], lab.Gateway.EndPoints.Select(static e => ((IPEndPoint)e).Address.ToString()));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task What_this_machine_does_not_take_is_told_with_its_path_before_anything_starts(string driver)
    {
        GatewayLab lab = Make(driver, static l =>
        {
            l.AddServer(configure: static s => s.Interface = "no-such-server");
            l.SetGateway(static g => g.Interface = "no-such-gate");
            l.SetPool(static p => p.Interface = "no-such-pool");
        });
        LbConfigurationException thrown = await Assert.ThrowsAsync<LbConfigurationException>(lab.StartAsync);
        Assert.Equal(
            ["Lb:Gateways:gate:Interface", "Lb:Pools:web:Interface", "Lb:Pools:web:Servers:0:Interface"],
            thrown.Errors.Select(static e => e.Path));
        Assert.All(thrown.Errors, static e => Assert.Equal("there is no such network interface", e.Message));
    }

    private static int ListenPort(GatewayLab lab) => ((IPEndPoint)lab.EndPoint).Port;

    private static nint ListenerOf(GatewayLab lab) => Options.Find((IPEndPoint)lab.EndPoint, null);

    private static nint AcceptedOf(GatewayLab lab, Socket client) => Options.Find((IPEndPoint)lab.EndPoint, (IPEndPoint)client.LocalEndPoint!);

    private static nint ConnectedOf(Socket server) => Options.Find((IPEndPoint)server.RemoteEndPoint!, (IPEndPoint)server.LocalEndPoint!);
}
