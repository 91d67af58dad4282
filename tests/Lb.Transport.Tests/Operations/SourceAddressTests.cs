using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests.Operations;

/// <summary>Where connections to servers come from, as the servers see it.</summary>
[Trait("Row", "T11")]
public sealed class SourceAddressTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_pools_source_is_what_its_servers_see_and_a_server_may_have_its_own(string driver)
    {
        TestServer one = null!, two = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            one = l.AddServer();
            two = l.AddServer(configure: static s => s.Source = "127.0.0.88");
            l.SetPool(static p => p.Source = "127.0.0.77");
        });
        (_, Socket first) = await lab.PairAsync(one);
        (_, Socket second) = await lab.PairAsync(two);
        Assert.Equal("127.0.0.77", AddressOf(first));
        Assert.Equal("127.0.0.88", AddressOf(second));

        // The kernel chooses the port when it knows the server too, so that one port may serve many (IP_BIND_ADDRESS_NO_PORT).
        nint handle = Options.Find((IPEndPoint)first.RemoteEndPoint!, (IPEndPoint)first.LocalEndPoint!);
        Assert.Equal(1, Options.Number(handle, Options.V4, 24));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Ports_of_a_range_are_used_one_after_the_other_and_when_none_is_left_the_end_is_named(string driver)
    {
        int first = ListenTests.FreeRange(3);
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetPool(p => (p.Source, p.Retries) = ($"127.0.0.1:{first}-{first + 2}", 0));
        });
        List<(Socket Client, Socket Server)> pairs = [];
        for (int i = 0; i < 3; i++) pairs.Add(await lab.PairAsync(server));
        Assert.Equal([first, first + 1, first + 2], pairs.Select(static p => ((IPEndPoint)p.Server.RemoteEndPoint!).Port));

        _ = await lab.ClientAsync();
        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.ConnectNoPort) == 1, "no port is left");

        // The server's end is reset, so no TIME_WAIT holds the port: the next client gets it.
        int freed = ((IPEndPoint)pairs[1].Server.RemoteEndPoint!).Port;
        pairs[1].Server.Reset();
        await lab.OpenAsync(2);
        (_, Socket again) = await lab.PairAsync(server);
        Assert.Equal(freed, ((IPEndPoint)again.RemoteEndPoint!).Port);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_port_of_the_range_that_somebody_listens_on_is_passed_over(string driver)
    {
        int first = ListenTests.FreeRange(2);
        using TestServer squatter = new(at: new IPEndPoint(IPAddress.Loopback, first));
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetPool(p => p.Source = $"127.0.0.1:{first}-{first + 1}");
        });
        (_, Socket accepted) = await lab.PairAsync(server);
        Assert.Equal(first + 1, ((IPEndPoint)accepted.RemoteEndPoint!).Port);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Clientip_lets_the_server_see_the_client(string driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "IP_TRANSPARENT needs Linux and root.");
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SetPool(static p => p.Source = "clientip");
        });
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Bind(new IPEndPoint(IPAddress.Parse("127.0.3.4"), 0));
        await client.ConnectAsync(lab.EndPoint);
        Assert.Equal("127.0.3.4", AddressOf(await server.AcceptAsync()));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_source_that_is_not_here_fails_as_a_local_fault_at_once(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l =>
        {
            l.AddServer();
            l.SetPool(static p => (p.Source, p.Retries) = ("192.0.2.99:40000-49999", 0));
        });
        _ = await lab.ClientAsync();
        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.ConnectLocalError) == 1, "the local fault");
    }

    [Fact(Timeout = Timeout)]
    public async Task Connecting_with_options_allocates_nothing()
    {
        Assert.SkipUnless(EventLoops.SupportsEpoll, "epoll exists on Linux only.");
        using TestServer server = new(backlog: 4096);
        EventLoop loop = EventLoops.Create(ReactorDriver.Epoll, "measured");
        loop.Start();
        Assert.True(SourceAddress.TryParse("127.0.0.9", out SourceAddress? source, out _));
        ConnectOptions options = new(new ConnectTcpOptions { Dscp = 4 }, null, source);
        await MeasureAsync(options); // connections for the next ones
        long allocated = await MeasureAsync(options);
        loop.Dispose();
        Assert.Equal(0, allocated);

        Task<long> MeasureAsync(ConnectOptions given) => LoopGroup.RunAsync(loop, () =>
        {
            long before = 0;
            for (int i = 0; i < 300; i++)
            {
                if (i == 200) before = GC.GetAllocatedBytesForCurrentThread();
                loop.Connect(server.EndPoint, Unhandled.Instance, given).Abort();
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", 0, 0)]
    [InlineData("192.0.2.1:4000", "192.0.2.1", 4000, 4000)]
    [InlineData("192.0.2.1:4000-5000", "192.0.2.1", 4000, 5000)]
    [InlineData("2001:db8::1", "2001:db8::1", 0, 0)]
    [InlineData("[2001:db8::1]:1-2", "2001:db8::1", 1, 2)]
    [InlineData("*:100-200", "0.0.0.0", 100, 200)]
    [InlineData("clientip", null, 0, 0)]
    public void Sources_are_read(string text, string? address, int first, int last)
    {
        Assert.True(SourceAddress.TryParse(text, out SourceAddress? source, out _));
        Assert.Equal((address, first, last, address is null), (source.Address?.ToString(), source.FirstPort, source.LastPort, source.IsClient));
    }

    [Theory]
    [InlineData("")]
    [InlineData("host.example")]
    [InlineData("10.1")]
    [InlineData("192.0.2.1:70000")]
    [InlineData("192.0.2.1:20-10")]
    [InlineData("192.0.2.1:0-10")]
    [InlineData("192.0.2.1:")]
    [InlineData("client")]
    public void What_is_no_source_is_refused_with_a_reason(string text)
    {
        Assert.False(SourceAddress.TryParse(text, out _, out string? error));
        Assert.NotEmpty(error);
    }

    private static string AddressOf(Socket accepted) => ((IPEndPoint)accepted.RemoteEndPoint!).Address.ToString();
}
