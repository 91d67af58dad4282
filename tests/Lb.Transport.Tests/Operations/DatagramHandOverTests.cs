using System.Net;
using Lb.Transport.Tests.Udp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Transport.Tests.Operations;

/// <summary>UDP sockets that go from one host to the next, and hand-overs of more sockets than fit one queue.</summary>
[Trait("Row", "T16")]
[Collection(Alone.Name)]
public sealed class DatagramHandOverTests : UdpGatewayTests
{
    private readonly string _path = $"/tmp/lb-handover-{Guid.NewGuid():N}.sock";

    [Theory(Timeout = Timeout)]
    [InlineData("epoll", 1, 1, "127.0.0.1")]
    [InlineData("epoll", 3, 2, "127.0.0.1")]
    [InlineData("epoll", 1, 3, "0.0.0.0")]
    [InlineData("io_uring", 2, 2, "127.0.0.1")]
    [InlineData("managed", 2, 2, "127.0.0.1")]
    [InlineData("managed", 1, 1, "0.0.0.0")]
    public async Task No_datagram_is_lost_while_a_new_host_takes_over_and_old_answers_still_arrive(string driver, int before, int after, string at)
    {
        int port = ListenTests.FreeRange(1);
        IPEndPoint gateway = new(IPAddress.Loopback, port);
        using UdpPeer server = new();
        GatewayLab old = await StartUdpAsync(driver, l => Configure(l, server, before, $"{at}:{port}"));
        UdpPeer late = old.Client(), client = old.Client();
        late.Send(gateway, "slow");
        IPEndPoint owed = await server.ShouldGetAsync("slow");
        await client.AskAsync(gateway, server, "first");

        GatewayLab young = await StartUdpAsync(driver, l => Configure(l, server, after, $"{at}:{port}"));
        IHostApplicationLifetime lifetime = old.Host.Services.GetRequiredService<IHostApplicationLifetime>();
        await Wait.UntilAsync(() => lifetime.ApplicationStopping.IsCancellationRequested, "the old host is asked to stop");
        server.Send(owed, "late");
        Assert.Equal(port, (await late.ShouldGetAsync("late")).Port);
        for (int i = 0; i < 50; i++)
        {
            UdpPeer fresh = young.Client();
            await client.AskAsync(gateway, server, $"known {i}");
            await fresh.AskAsync(gateway, server, $"fresh {i}");
        }

        Assert.Equal(0, old.Udp().Count(UdpDrop.Draining));
        Assert.Equal((2, 51), (old.Udp().TotalConnections, young.Udp().TotalConnections));
        await old.StopSoonAsync();
        await client.AskAsync(gateway, server, "last");
    }

    [Fact(Timeout = Timeout)]
    public async Task Hundreds_of_sockets_are_handed_over_whole()
    {
        int port = ListenTests.FreeRange(300);
        using UdpPeer server = new();
        string range = $"127.0.0.1:{port}-{port + 299}";
        GatewayLab old = await StartUdpAsync("epoll", l => Configure(l, server, 2, range));
        GatewayLab young = await StartUdpAsync("epoll", l => Configure(l, server, 2, range));
        IHostApplicationLifetime lifetime = old.Host.Services.GetRequiredService<IHostApplicationLifetime>();
        await Wait.UntilAsync(() => lifetime.ApplicationStopping.IsCancellationRequested, "the old host is asked to stop");
        UdpPeer client = young.Client();
        for (int i = 0; i < 300; i++) await client.AskAsync(new IPEndPoint(IPAddress.Loopback, port + i), server, $"{i}");
        Assert.Equal(300, young.Udp().TotalConnections);
        await old.StopSoonAsync();
    }

    [Fact(Timeout = Timeout)]
    public async Task A_udp_socket_from_systemd_is_served_by_its_name()
    {
        using UdpPeer server = new(), given = new();
        GatewayLab lab = Make("epoll", Udp(l =>
        {
            l.AddServer(server.EndPoint.ToString(), "s1");
            l.Listen.Clear();
            l.Listen.Add("fd:dns");
        }));
        lab.Build();
        lab.Gateways.Inherited = new InheritedSockets();
        lab.Gateways.Inherited.AddActivated(
            n => n switch { "LISTEN_PID" => $"{Environment.ProcessId}", "LISTEN_FDS" => "1", "LISTEN_FDNAMES" => "dns", _ => null }, InheritedSocket.Duplicate(given.Socket.Handle));
        await lab.StartAsync();
        await lab.Client().AskAsync(given.EndPoint, server);
    }

    private void Configure(GatewayLab lab, UdpPeer server, int loops, params string[] listen)
    {
        lab.AddServer(server.EndPoint.ToString(), "s1");
        lab.Loops = loops;
        lab.Listen.Clear();
        lab.Listen.AddRange(listen);
        lab.Configure.Insert(0, o => o.Transport.HandOver = $"unix:{_path}");
    }
}
