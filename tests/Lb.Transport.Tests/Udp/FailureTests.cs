using System.Net;

namespace Lb.Transport.Tests.Udp;

/// <summary>Servers that can't be reached, are full or go down.</summary>
[Trait("Row", "T2")]
public sealed class FailureTests : UdpGatewayTests
{
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R2")]
    public async Task After_an_ICMP_error_the_next_datagram_goes_to_another_server(string driver)
    {
        UdpPeer good = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            l.AddUnreachable("bad");
            good = l.AddUdpServer("good");
        });
        UdpPeer client = lab.Client();
        client.Send(lab.At(), "lost");
        await Wait.UntilAsync(() => lab.Pool.Servers[0].TotalFailures == 1, "the failure is known");

        await client.AskAsync(lab.At(), good, "not lost");

        UdpGateway gateway = lab.Udp();
        Assert.Equal((1L, 1L, 1), (gateway.TotalConnections, gateway.Redispatches, gateway.OpenConnections));
        Assert.Equal((0, 1), (lab.Pool.Servers[0].InFlight, lab.Pool.Servers[1].InFlight));
        await client.AskAsync(lab.At(), good, "and stays there");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Of_a_burst_at_an_unreachable_server_only_what_had_left_is_lost(string driver)
    {
        UdpPeer good = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            l.AddUnreachable("bad");
            good = l.AddUdpServer("good");
        });
        UdpPeer client = lab.Client();
        TaskCompletionSource hold = await lab.HoldLoopAsync();

        // Of different sizes and growing, so that each is a message of its own.
        for (int i = 1; i <= 5; i++) client.Send(lab.At(), new string('x', i));
        hold.SetResult();

        await good.ShouldGetAsync("xx");
        await good.ShouldGetAsync("xxx");
        await good.ShouldGetAsync("xxxx");
        await good.ShouldGetAsync("xxxxx");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task When_no_server_can_be_reached_the_session_ends_with_that(string driver)
    {
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            l.AddUnreachable("bad");
            l.AddUnreachable("worse");
        });
        UdpPeer client = lab.Client();
        for (int i = 1; i <= 4; i++)
        {
            client.Send(lab.At(), "lost");
            await Wait.UntilAsync(() => lab.Pool.Servers.Sum(static s => s.TotalFailures) == i, "the failure is known");
        }

        Assert.True(lab.Pool.Servers.All(static s => s.TotalFailures > 0));
        await lab.AdvanceAsync(TimeSpan.FromMinutes(1));
        await lab.TickAsync();
        await lab.EndedAsync(UdpEnd.ServerUnreachable);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R3")]
    public async Task Without_redispatch_the_session_waits_for_its_server(string driver)
    {
        IPEndPoint address;
        using (UdpPeer probe = new(new IPEndPoint(IPAddress.Parse("127.0.9.7"), 0))) address = probe.EndPoint;
        UdpPeer other = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            l.AddServer(address.ToString(), "restarting");
            other = l.AddUdpServer();
            l.SetPool(static p => p.Redispatch = 0);
        });
        UdpPeer client = lab.Client();
        client.Send(lab.At(), "lost");
        await Wait.UntilAsync(() => lab.Pool.Servers[0].TotalFailures == 1, "the failure is known");

        UdpPeer server = lab.Own(new UdpPeer(address));
        await client.AskAsync(lab.At(), server);

        Assert.True(other.IsQuiet);
        Assert.Equal(0, lab.Udp().Redispatches);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_server_that_answers_no_more_is_left_after_the_server_time_out(string driver)
    {
        UdpPeer silent = null!, good = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            silent = l.AddUdpServer();
            good = l.AddUdpServer();
            l.SetGateway(static g => g.Responses = 1);
            l.SetPool(static p => p.ServerTimeout = TimeSpan.FromSeconds(3));
        });
        UdpPeer client = lab.Client();
        client.Send(lab.At(), "q1");
        await silent.ShouldGetAsync("q1");
        await lab.AdvanceAsync(TimeSpan.FromSeconds(2));
        client.Send(lab.At(), "q2");
        await silent.ShouldGetAsync("q2");
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        client.Send(lab.At(), "q3");

        await good.ShouldGetAsync("q3");
        Assert.Equal((1, 0), (lab.Pool.Servers[0].TotalFailures, lab.Pool.Servers[0].InFlight));
        Assert.Equal(1, lab.Udp().OpenConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_session_leaves_a_server_that_is_down_with_its_next_datagram(string driver)
    {
        UdpPeer first = null!, second = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            first = l.AddUdpServer();
            second = l.AddUdpServer();
        });
        UdpPeer client = lab.Client();
        client.Send(lab.At(), "one");
        IPEndPoint socket = await first.ShouldGetAsync("one");
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);

        // What it still has to say is heard.
        first.Send(socket, "late");
        await client.ShouldGetAsync("late");
        client.Send(lab.At(), "two");
        await second.ShouldGetAsync("two");
        Assert.Equal((0, 1), (lab.Pool.Servers[0].InFlight, lab.Pool.Servers[1].InFlight));

        // It does not come back by itself, and when all are down the datagrams still go somewhere.
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Up);
        lab.Pool.SetHealth(lab.Pool.Servers[1], ServerHealth.Down);
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);
        client.Send(lab.At(), "three");
        await second.ShouldGetAsync("three");
        Assert.Equal(1, lab.Udp().TotalConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R4")]
    public async Task Sessions_of_a_server_that_goes_down_end_when_the_pool_says_so(string driver)
    {
        UdpPeer first = null!, second = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            first = l.AddUdpServer();
            second = l.AddUdpServer();
            l.SetPool(static p => p.OnMarkedDown = OnMarkedDown.ShutdownSessions);
        });
        UdpPeer a = lab.Client(), b = lab.Client();
        await a.AskAsync(lab.At(), first);
        await b.AskAsync(lab.At(), second);

        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);

        await lab.EndedAsync(UdpEnd.ServerMarkedDown);
        Assert.Equal(1, lab.Udp().OpenConnections);
        await a.AskAsync(lab.At(), second);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Sessions_of_backups_end_when_a_main_server_comes_up_and_the_pool_says_so(string driver)
    {
        UdpPeer main = null!, backup = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            main = l.AddUdpServer();
            backup = l.Own(new UdpPeer());
            l.AddServer(backup.EndPoint.ToString(), "backup", static s => s.Backup = true);
            l.SetPool(static p => p.OnMarkedUp = OnMarkedUp.ShutdownBackupSessions);
        });
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);
        UdpPeer client = lab.Client();
        await client.AskAsync(lab.At(), backup);

        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Up);

        await lab.EndedAsync(UdpEnd.MainMarkedUp);
        await client.AskAsync(lab.At(), main);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Without_a_server_datagrams_are_dropped_and_counted_and_no_session_begins(string driver)
    {
        GatewayLab lab = await StartUdpAsync(driver, static l => l.AddUnreachable("away"));
        lab.Pool.SetAdmin(lab.Pool.Servers[0], ServerAdmin.Maintenance);
        lab.Client().Send(lab.At(), "lost");
        lab.Client().Send(lab.At(), "lost too");

        await lab.DroppedAsync(UdpDrop.NoServer, 2);
        Assert.Equal((0, 0L), (lab.Udp().OpenConnections, lab.Udp().TotalConnections));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_full_server_takes_no_further_session(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.Own(new UdpPeer());
            l.AddServer(server.EndPoint.ToString(), "s1", static s => s.MaxConnections = 1);
        });
        UdpPeer client = lab.Client();
        await client.AskAsync(lab.At(), server);
        lab.Client().Send(lab.At(), "one too many");

        await lab.DroppedAsync(UdpDrop.ServersFull);
        await client.AskAsync(lab.At(), server);
    }
}
