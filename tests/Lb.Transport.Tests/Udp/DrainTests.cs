using System.Net;

namespace Lb.Transport.Tests.Udp;

/// <summary>What becomes of sessions when a gateway stops or its addresses change.</summary>
[Trait("Row", "T15")]
public sealed class DrainTests : UdpGatewayTests
{
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_stop_lets_answers_through_takes_nobody_in_and_ends_quiet_sessions(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l => server = l.AddUdpServer());
        IPEndPoint gateway = lab.At();
        UdpGateway udp = lab.Udp();
        UdpPeer client = lab.Client();
        client.Send(gateway, "question");
        IPEndPoint socket = await server.ShouldGetAsync("question");
        Task[] stop = await lab.BeginStopAsync();

        lab.Client().Send(gateway, "too late");
        await Wait.UntilAsync(() => udp.Count(UdpDrop.Draining) == 1, "the stranger was refused");
        server.Send(socket, "answer");
        await client.ShouldGetAsync("answer");
        client.Send(gateway, "one more");
        await server.ShouldGetAsync("one more");
        Assert.False(stop[0].IsCompleted);

        await lab.AdvanceAsync(UdpShard.DrainQuiet);
        await lab.TickAsync();

        await stop[0];
        Assert.Equal((1L, 0), (udp.Count(UdpEnd.Drained), udp.OpenConnections));
        using UdpPeer free = new(gateway);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Sessions_that_go_on_end_at_the_drain_time_out(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(static g => g.DrainTimeout = TimeSpan.FromSeconds(3));
        });
        IPEndPoint gateway = lab.At();
        UdpGateway udp = lab.Udp();
        UdpPeer client = lab.Client();
        client.Send(gateway, "talk");
        await server.ShouldGetAsync("talk");
        Task[] stop = await lab.BeginStopAsync();
        for (int i = 0; i < 5; i++)
        {
            client.Send(gateway, "talk");
            await server.ShouldGetAsync("talk");
            await lab.AdvanceAsync(TimeSpan.FromMilliseconds(500));
        }

        Assert.False(stop[0].IsCompleted);
        await lab.AdvanceAsync(TimeSpan.FromMilliseconds(500));
        await stop[0];
        Assert.Equal(1, udp.Count(UdpEnd.Drained));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task An_address_that_a_reload_takes_away_ends_its_sessions_and_others_stay(string driver)
    {
        UdpPeer server = null!;
        bool both = true;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(g =>
            {
                if (both) g.Listen.Add("127.0.0.2:0");
            });
        });
        IPEndPoint stays = lab.At(), goes = (IPEndPoint)lab.Udp().EndPoints[1];
        UdpPeer client = lab.Client();
        await client.AskAsync(stays, server);
        await client.AskAsync(goes, server);
        both = false;

        Assert.Empty(await lab.ReloadAsync());

        Assert.Equal((1, 1L), (lab.Udp().OpenConnections, lab.Udp().Count(UdpEnd.Drained)));
        await client.AskAsync(stays, server);
        using UdpPeer free = new(goes);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_gateway_that_gets_another_name_keeps_its_address(string driver)
    {
        UdpPeer server = null!;
        IPEndPoint at;
        using (UdpPeer probe = new(new IPEndPoint(IPAddress.Parse("127.0.9.6"), 0))) at = probe.EndPoint;
        string name = "gate";
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.Listen[0] = at.ToString();
            l.Configure.Add(o =>
            {
                GatewayOptions gateway = o.Gateways["gate"];
                o.Gateways.Remove("gate");
                o.Gateways[name] = gateway;
            });
        });
        UdpPeer client = lab.Client();
        await client.AskAsync(at, server);
        name = "other";

        Assert.Empty(await lab.ReloadAsync());

        Assert.Equal("udp", lab.Gateways["other"].Mode);
        await client.AskAsync(at, server);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_gateway_that_comes_back_while_it_still_drains_gets_its_address(string driver)
    {
        UdpPeer server = null!;
        IPEndPoint at;
        using (UdpPeer probe = new(new IPEndPoint(IPAddress.Parse("127.0.9.7"), 0))) at = probe.EndPoint;
        bool isThere = true;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.Listen[0] = at.ToString();
            l.Configure.Add(o =>
            {
                if (!isThere) o.Gateways.Remove("gate");
            });
        });
        UdpPeer client = lab.Client();
        await client.AskAsync(at, server);
        isThere = false;
        Assert.Empty(await lab.ReloadAsync());
        isThere = true;

        Assert.Empty(await lab.ReloadAsync());

        await client.AskAsync(at, server);
    }
}
