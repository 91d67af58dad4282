using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>How a gateway stops.</summary>
[Trait("Row", "T15")]
public sealed class DrainTests : GatewayTests
{
    private const int Timeout = 60_000;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task New_clients_are_refused_and_a_busy_one_finishes(string driver)
    {
        (GatewayLab lab, Socket client, Socket server, TestServer _) = await PairAsync(driver);
        EndPoint at = lab.EndPoint;
        Task[] stop = await lab.BeginStopAsync();
        SocketException refused = await Assert.ThrowsAsync<SocketException>(() => lab.ClientAsync(at));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);

        for (int i = 0; i < 20; i++)
        {
            await lab.AdvanceAsync(TimeSpan.FromMilliseconds(500));
            await client.SendAllAsync(new byte[1]);
            await server.ReadAsync(1);
            await server.SendAllAsync(new byte[1]);
            await client.ReadAsync(1);
        }

        Assert.False(stop[0].IsCompleted);
        client.Shutdown(SocketShutdown.Send);
        await server.ShouldEndAsync();
        server.Shutdown(SocketShutdown.Send);
        await client.ShouldEndAsync();
        await stop[0];
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_quiet_client_is_closed_cleanly_after_a_second(string driver)
    {
        (GatewayLab lab, Socket client, Socket server, TestServer _) = await PairAsync(driver);
        TcpGateway gateway = lab.Gateway;
        Task[] stop = await lab.BeginStopAsync();
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1) - Moment);
        Assert.Equal(1, gateway.OpenConnections);
        await lab.AdvanceAsync(TimeSpan.FromMilliseconds(TimerWheel.TickMilliseconds) + Moment);
        await client.ShouldEndAsync();
        await server.ShouldEndAsync();
        await stop[0];
        Assert.Equal(1, gateway.Count(RelayEnd.Drained));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_client_quiet_long_before_is_closed_at_once(string driver)
    {
        (GatewayLab lab, Socket client, Socket _, TestServer _) = await PairAsync(driver);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(5));
        await lab.StopAsync();
        await client.ShouldEndAsync();
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task At_the_deadline_the_rest_is_reset(string driver)
    {
        (GatewayLab lab, Socket client, Socket server, TestServer _) = await PairAsync(driver, static g => g.DrainTimeout = TimeSpan.FromSeconds(10));
        TcpGateway gateway = lab.Gateway;
        Task[] stop = await lab.BeginStopAsync();
        for (int i = 0; i < 19; i++)
        {
            await lab.AdvanceAsync(TimeSpan.FromMilliseconds(500));
            await client.SendAllAsync(new byte[1]);
            await server.ReadAsync(1);
        }

        await lab.AdvanceAsync(TimeSpan.FromMilliseconds(500) - Moment);
        Assert.Equal(1, gateway.OpenConnections);
        Assert.False(stop[0].IsCompleted);
        await lab.TickAsync();
        await stop[0];
        await client.ShouldBeResetAsync();
        await server.ShouldBeResetAsync();
        Assert.Equal(1, gateway.Count(RelayEnd.Drained));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task The_hosts_patience_shortens_it(string driver)
    {
        (GatewayLab lab, Socket client, Socket _, TestServer _) = await PairAsync(driver);
        using CancellationTokenSource patience = new();
        Task[] stop = await lab.BeginStopAsync(patience.Token);
        Assert.False(stop[0].IsCompleted);
        await patience.CancelAsync();
        await IgnoreCancelledAsync(stop[0]);
        await client.ShouldBeResetAsync();
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task The_hosts_patience_holds_for_a_gateway_that_a_reload_has_removed(string driver)
    {
        (GatewayLab lab, Socket client, Socket _, TestServer _) = await PairAsync(driver);
        lab.Configure.Add(static o => o.Gateways.Clear());
        Assert.Empty(await lab.ReloadAsync());
        using CancellationTokenSource patience = new();
        Task[] stop = await lab.BeginStopAsync(patience.Token);
        Assert.False(stop[0].IsCompleted);
        await patience.CancelAsync();
        await IgnoreCancelledAsync(stop[0]);
        await client.ShouldBeResetAsync();
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Quiet_clients_are_closed_spread_over_the_time_asked_for(string driver)
    {
        const int Count = 64;
        (GatewayLab lab, Socket _, Socket _, TestServer listener) = await PairAsync(driver, static g => g.CloseSpreadTime = TimeSpan.FromSeconds(20));
        for (int i = 1; i < Count; i++) await lab.PairAsync(listener);
        TcpGateway gateway = lab.Gateway;
        await lab.AdvanceAsync(TimeSpan.FromSeconds(2));
        Task[] stop = await lab.BeginStopAsync();
        await lab.AdvanceAsync(TimeSpan.FromSeconds(10));
        Assert.InRange(gateway.OpenConnections, 1, Count - 1);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(10));
        await lab.TickAsync();
        await stop[0];
        Assert.Equal(Count, gateway.Count(RelayEnd.Drained));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task While_the_closing_is_spread_time_outs_go_on(string driver)
    {
        (GatewayLab lab, Socket client, Socket server, TestServer _) = await PairAsync(driver, static g =>
        {
            g.CloseSpreadTime = TimeSpan.FromDays(20);
            g.DrainTimeout = TimeSpan.FromDays(24);
            g.ClientTimeout = TimeSpan.FromSeconds(7);
        });
        TcpGateway gateway = lab.Gateway;
        Task[] stop = await lab.BeginStopAsync();
        await lab.AdvanceAsync(TimeSpan.FromSeconds(4));
        Assert.Equal(1, gateway.OpenConnections);
        await server.SendAllAsync(new byte[1]);
        await client.ReadAsync(1);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(7));
        await lab.TickAsync();
        await stop[0];
        Assert.Equal(1, gateway.Count(RelayEnd.ClientTimeout));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Bytes_that_wait_for_a_slow_client_are_not_quiet(string driver)
    {
        (GatewayLab lab, Socket client, Socket server, TestServer _) = await PairAsync(driver, receiveBuffer: 8 * 1024);
        TcpGateway gateway = lab.Gateway;
        byte[] answer = new byte[64 << 20];
        new Random(1).NextBytes(answer);
        Task sending = server.SendAllAsync(answer);
        await RelayTests.StallAsync(lab);
        Task[] stop = await lab.BeginStopAsync();
        await lab.AdvanceAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(1, gateway.OpenConnections);
        PlainSockets.ShouldBeSame(answer, await client.ReadAsync(answer.Length));
        await sending;
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        await lab.TickAsync();
        await client.ShouldEndAsync();
        await stop[0];
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task An_end_does_not_put_the_closing_off(string driver)
    {
        (GatewayLab lab, Socket client, Socket server, TestServer _) = await PairAsync(driver, static g => g.ClientFinTimeout = TimeSpan.FromSeconds(15));
        Task[] stop = await lab.BeginStopAsync();
        await lab.AdvanceAsync(TimeSpan.FromMilliseconds(500));
        server.Shutdown(SocketShutdown.Send);
        await client.ShouldEndAsync();
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        await lab.TickAsync();
        await stop[0];
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Who_waits_for_a_server_still_gets_one(string driver)
    {
        TestServer listener = null!;
        GatewayLab lab = await StartAsync(driver, l => listener = l.AddServer("narrow", static s => s.MaxConnections = 1));
        (Socket first, Socket firstServer) = await lab.PairAsync(listener);
        Socket second = await lab.ClientAsync();
        await second.SendAllAsync("2"u8.ToArray());
        await Wait.UntilAsync(() => lab.Pool.QueueLength == 1, "the second waits");

        Task[] stop = await lab.BeginStopAsync();
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        await lab.TickAsync();
        await first.ShouldEndAsync();
        await firstServer.ShouldEndAsync();
        Socket accepted = await listener.AcceptAsync();
        Assert.Equal("2"u8.ToArray(), await accepted.ReadAsync(1));
        await accepted.SendAllAsync("a"u8.ToArray());
        Assert.Equal("a"u8.ToArray(), await second.ReadAsync(1));
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        await lab.TickAsync();
        await second.ShouldEndAsync();
        await stop[0];
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Who_is_being_connected_still_gets_its_server(string driver)
    {
        GatewayLab lab = Make(driver);
        await lab.AddBlackHoleAsync();
        TestServer good = lab.AddServer("good");
        lab.SetPool(static p => p.ConnectTimeout = TimeSpan.FromSeconds(3));
        await lab.StartAsync();
        Socket client = await lab.ClientAsync();
        await client.SendAllAsync("x"u8.ToArray());
        await Wait.UntilAsync(() => lab.Pool.Servers[0].InFlight == 1, "the attempt");
        Task[] stop = await lab.BeginStopAsync();
        await lab.AdvanceAsync(TimeSpan.FromSeconds(3));
        await lab.TickAsync();
        Socket accepted = await good.AcceptAsync();
        Assert.Equal("x"u8.ToArray(), await accepted.ReadAsync(1));
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        await lab.TickAsync();
        await client.ShouldEndAsync();
        await stop[0];
    }

    // What the host makes of its token is not the matter here.
    private static async Task IgnoreCancelledAsync(Task stop)
    {
        try
        {
            await stop;
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task<(GatewayLab Lab, Socket Client, Socket Server, TestServer Listener)> PairAsync(
        string driver, Action<GatewayOptions>? configure = null, int receiveBuffer = 0)
    {
        TestServer listener = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            listener = l.AddServer();
            if (configure is not null) l.SetGateway(configure);
        });
        (Socket client, Socket server) = await lab.PairAsync(listener, receiveBuffer);
        return (lab, client, server, listener);
    }
}
