using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>What becomes of open connections when a server goes down or a main server comes up.</summary>
public sealed class MarkedServersTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [InlineData("epoll", 1, false)]
    [InlineData("io_uring", 1, false)]
    [InlineData("managed", 1, false)]
    [InlineData("epoll", 3, false)]
    [InlineData("io_uring", 3, false)]
    [InlineData("epoll", 1, true)]
    [InlineData("io_uring", 1, true)]
    [InlineData("managed", 1, true)]
    [Trait("Row", "P8")]
    public async Task The_connections_of_a_server_that_goes_out_are_closed_at_once_and_no_others(string driver, int loops, bool maintenance)
    {
        TestServer a = null!, b = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.Loops = loops;
            (a, b) = (l.AddServer("a"), l.AddServer("b"));
            l.SetPool(static p => p.OnMarkedDown = OnMarkedDown.ShutdownSessions);
        });
        List<(Socket Client, Socket Server)> toA = [], toB = [];
        for (int i = 0; i < 8; i++) (i % 2 == 0 ? toA : toB).Add(await lab.PairAsync(i % 2 == 0 ? a : b));
        if (maintenance) lab.Pool.SetAdmin(lab.Pool.Find("a")!, ServerAdmin.Maintenance);
        else lab.Pool.SetHealth(lab.Pool.Find("a")!, ServerHealth.Down);

        // No time passes: at once.
        foreach ((Socket client, Socket server) in toA)
        {
            await client.ShouldBeResetAsync();
            await server.ShouldBeResetAsync();
        }

        await lab.OpenAsync(4);
        foreach ((Socket client, Socket server) in toB) await EchoAsync(client, server);
        Assert.Equal(4, lab.Gateway.Count(RelayEnd.ServerMarkedDown));

        // That its connections were closed is not the server's doing.
        Assert.Equal((0, 0, 4), (lab.Pool.Find("a")!.TotalFailures, lab.Pool.Find("a")!.InFlight, lab.Pool.Find("a")!.TotalIgnored));

        // And the server serves again, once it is back.
        lab.Pool.SetAdmin(lab.Pool.Find("a")!, ServerAdmin.Ready);
        lab.Pool.SetHealth(lab.Pool.Find("a")!, ServerHealth.Up);
        lab.Pool.SetHealth(lab.Pool.Find("b")!, ServerHealth.Down);
        (Socket again, Socket at) = await lab.PairAsync(a);
        await EchoAsync(again, at);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "P8")]
    public async Task By_default_connections_go_on(string driver)
    {
        TestServer a = null!;
        GatewayLab lab = await StartAsync(driver, l => a = l.AddServer("a"));
        (Socket client, Socket server) = await lab.PairAsync(a);
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);
        lab.Pool.SetAdmin(lab.Pool.Servers[0], ServerAdmin.Maintenance);
        await lab.TurnsAsync();
        await EchoAsync(client, server);
        Assert.Equal(1, lab.Gateway.OpenConnections);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "P8")]
    public async Task A_drain_and_a_weight_of_zero_close_nothing(string driver)
    {
        TestServer a = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            a = l.AddServer("a");
            l.SetPool(static p => p.OnMarkedDown = OnMarkedDown.ShutdownSessions);
        });
        (Socket client, Socket server) = await lab.PairAsync(a);
        lab.Pool.SetAdmin(lab.Pool.Servers[0], ServerAdmin.Drain);
        lab.Pool.SetAdmin(lab.Pool.Servers[0], ServerAdmin.Ready);
        lab.Pool.SetWeight(lab.Pool.Servers[0], 0);
        await lab.TurnsAsync();
        await EchoAsync(client, server);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "P8")]
    public async Task A_reload_holds_for_open_connections_too(string driver)
    {
        TestServer a = null!;
        OnMarkedDown act = OnMarkedDown.None;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            a = l.AddServer("a");
            l.SetPool(p => p.OnMarkedDown = act);
        });
        (Socket client, Socket _) = await lab.PairAsync(a);
        act = OnMarkedDown.ShutdownSessions;
        Assert.Empty(await lab.ReloadAsync());
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);
        await client.ShouldBeResetAsync();
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "P8")]
    public async Task A_gateway_that_has_moved_to_another_pool_still_follows_the_old_one(string driver)
    {
        TestServer a = null!, b = null!;
        string pool = "web";
        GatewayLab lab = await StartAsync(driver, l =>
        {
            a = l.AddServer("a");
            b = l.Own(new TestServer());
            l.Configure.Add(o =>
            {
                PoolOptions other = o.Pools["other"] = new PoolOptions { OnMarkedDown = OnMarkedDown.ShutdownSessions };
                other.Servers.Add(new ServerOptions { Name = "b", Address = b.Address });
                o.Pools["web"].OnMarkedDown = OnMarkedDown.ShutdownSessions;
                o.Gateways["gate"].Pool = pool;
            });
        });
        (Socket old, Socket _) = await lab.PairAsync(a);
        pool = "other";
        Assert.Empty(await lab.ReloadAsync());
        (Socket young, Socket youngServer) = await lab.PairAsync(b);
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);
        await old.ShouldBeResetAsync();
        await EchoAsync(young, youngServer);
        ServerPool other = lab.Gateway.Pool;
        other.SetHealth(other.Servers[0], ServerHealth.Down);
        await young.ShouldBeResetAsync();
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "P8")]
    public async Task Who_is_still_being_connected_gets_another_server(string driver)
    {
        GatewayLab lab = Make(driver);
        await lab.AddBlackHoleAsync("hole");
        TestServer good = lab.AddServer("good");
        lab.SetPool(static p => p.OnMarkedDown = OnMarkedDown.ShutdownSessions);
        await lab.StartAsync();
        Socket client = await lab.ClientAsync();
        await client.SendAllAsync("x"u8.ToArray());
        await Wait.UntilAsync(() => lab.Pool.Servers[0].InFlight == 1, "the attempt");
        await lab.TurnsAsync();
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);
        Socket accepted = await good.AcceptAsync();
        Assert.Equal("x"u8.ToArray(), await accepted.ReadAsync(1));
        await EchoAsync(client, accepted);
        Assert.Equal((0, 1, 0), (lab.Pool.Servers[0].TotalFailures, lab.Pool.Servers[0].TotalIgnored, lab.Gateway.Count(RelayEnd.ServerMarkedDown)));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "P9")]
    public async Task A_main_server_that_comes_up_closes_the_connections_of_backups_only(string driver)
    {
        TestServer main1 = null!, main2 = null!, spare = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            (main1, main2) = (l.AddServer("main1"), l.AddServer("main2"));
            spare = l.AddServer("spare", static s => s.Backup = true);
            l.SetPool(static p => p.OnMarkedUp = OnMarkedUp.ShutdownBackupSessions);
        });
        ServerPool pool = lab.Pool;
        (Socket kept, Socket keptServer) = await lab.PairAsync(main1);
        pool.SetHealth(pool.Find("main1")!, ServerHealth.Down);
        pool.SetHealth(pool.Find("main2")!, ServerHealth.Down);
        (Socket client, Socket server) = await lab.PairAsync(spare);

        // Neither a backup that comes up nor a main server that only may be used again.
        pool.SetHealth(pool.Find("spare")!, ServerHealth.Down);
        pool.SetHealth(pool.Find("spare")!, ServerHealth.Up);
        pool.SetAdmin(pool.Find("main1")!, ServerAdmin.Drain);
        pool.SetHealth(pool.Find("main1")!, ServerHealth.Up);
        await lab.TurnsAsync();
        await EchoAsync(client, server);

        pool.SetHealth(pool.Find("main2")!, ServerHealth.Up);
        await client.ShouldBeResetAsync();
        await server.ShouldBeResetAsync();
        await EchoAsync(kept, keptServer);
        Assert.Equal((1, 0), (lab.Gateway.Count(RelayEnd.MainMarkedUp), lab.Gateway.Count(RelayEnd.ServerMarkedDown)));
        _ = main2;
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "P9")]
    public async Task By_default_backups_keep_their_connections(string driver)
    {
        TestServer spare = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddServer("main");
            spare = l.AddServer("spare", static s => s.Backup = true);
        });
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);
        (Socket client, Socket server) = await lab.PairAsync(spare);
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Up);
        await lab.TurnsAsync();
        await EchoAsync(client, server);
    }

    // Sessions of one server come and go in any order: the lists must not lose or keep one.
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "P8")]
    public async Task Exactly_the_open_ones_are_closed_whatever_has_ended_before(string driver)
    {
        TestServer a = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            a = l.AddServer("a");
            l.SetPool(static p => p.OnMarkedDown = OnMarkedDown.ShutdownSessions);
        });
        List<Socket> clients = [];
        for (int i = 0; i < 9; i++) clients.Add((await lab.PairAsync(a)).Client);

        // The first, the last and some of the middle.
        foreach (int i in (int[])[0, 8, 4, 5]) clients[i].Reset();
        await lab.OpenAsync(5);
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);
        foreach (int i in (int[])[1, 2, 3, 6, 7]) await clients[i].ShouldBeResetAsync();
        await lab.OpenAsync(0);
        Assert.Equal((5, 4), (lab.Gateway.Count(RelayEnd.ServerMarkedDown), lab.Gateway.Count(RelayEnd.ClientReset)));
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Up);
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);
        await lab.TurnsAsync();
        Assert.Equal(5, lab.Gateway.Count(RelayEnd.ServerMarkedDown));
    }

    private static async Task EchoAsync(Socket client, Socket server)
    {
        await client.SendAllAsync("ping"u8.ToArray());
        Assert.Equal("ping"u8.ToArray(), await server.ReadAsync(4));
        await server.SendAllAsync("pong"u8.ToArray());
        Assert.Equal("pong"u8.ToArray(), await client.ReadAsync(4));
    }
}
