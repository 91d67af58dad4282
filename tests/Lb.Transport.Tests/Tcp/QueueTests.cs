using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>Clients that wait because every server is full.</summary>
[Trait("Row", "L1")]
public sealed class QueueTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Clients_wait_for_a_slot_and_are_served_in_their_order(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = AddNarrow(l));
        Socket[] clients = new Socket[5];
        for (int i = 0; i < clients.Length; i++)
        {
            clients[i] = await lab.ClientAsync();
            await clients[i].SendAllAsync(new byte[] { (byte)i });
            await QueuedAsync(lab, i);
        }

        for (int i = 0; i < clients.Length; i++)
        {
            Socket accepted = await server.AcceptAsync();
            Assert.Equal([(byte)i], await accepted.ReadAsync(1));
            Assert.False(server.HasWaiting);
            Assert.Equal(1, lab.Pool.Servers[0].InFlight);
            clients[i].Shutdown(SocketShutdown.Send);
            await accepted.ShouldEndAsync();
            accepted.Shutdown(SocketShutdown.Send);
            await clients[i].ShouldEndAsync();
        }

        await lab.OpenAsync(0);
        Assert.Equal(5, lab.Gateway.Count(RelayEnd.Completed));
    }

    [Trait("Row", "L4")]
    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R2")]
    public async Task Who_waits_too_long_is_closed_cleanly(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = AddNarrow(l);
            l.SetPool(static p => p.QueueTimeout = TimeSpan.FromSeconds(5));
        });
        await lab.PairAsync(server);
        Socket waiting = await lab.ClientAsync();
        await QueuedAsync(lab, 1);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(5) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, lab.Pool.QueueLength);
        await lab.AdvanceAsync(TimeSpan.FromMilliseconds(1));
        await waiting.ShouldEndAsync();
        await lab.OpenAsync(1);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.QueueTimeout));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Who_finds_the_queue_full_is_closed_cleanly(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = AddNarrow(l);
            l.SetPool(static p => p.MaxQueue = 1);
        });
        await lab.PairAsync(server);
        _ = await lab.ClientAsync();
        await QueuedAsync(lab, 1);
        Socket rejected = await lab.ClientAsync();
        await rejected.ShouldEndAsync();
        await lab.OpenAsync(2);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.QueueFull));
    }

    // The managed driver can't see a reset behind bytes that nobody reads (Connection.DropOnReset).
    [Theory(Timeout = Timeout)]
    [InlineData("epoll", 0)]
    [InlineData("io_uring", 0)]
    [InlineData("epoll", 1000)]
    [InlineData("io_uring", 1000)]
    [InlineData("managed", 0)]
    [Trait("Row", "H25")]
    public async Task Who_leaves_the_queue_leaves_nothing_behind(string driver, int sentBefore)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = AddNarrow(l));
        (Socket first, Socket _) = await lab.PairAsync(server);
        Socket leaving = await lab.ClientAsync();
        await leaving.SendAllAsync(new byte[sentBefore]);
        await QueuedAsync(lab, 1);
        Socket staying = await lab.ClientAsync();
        await staying.SendAllAsync("s"u8.ToArray());
        await QueuedAsync(lab, 2);

        leaving.Reset();
        await QueuedAsync(lab, 1);
        first.Reset();
        Socket accepted = await server.AcceptAsync();
        Assert.Equal("s"u8.ToArray(), await accepted.ReadAsync(1));
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ConnectClientGone));
        Assert.Equal(0, lab.Pool.Servers[0].TotalFailures);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "R6")]
    public async Task A_retry_that_finds_the_others_full_tries_the_failed_one_again_and_then_the_others(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddRefusing("refusing");
            server = AddNarrow(l);
        });
        (Socket first, Socket _) = await lab.PairAsync(server);
        Socket second = await lab.ClientAsync();
        await second.SendAllAsync("2"u8.ToArray());
        await Wait.UntilAsync(() => lab.Pool.Servers[0] is { TotalFailures: 2, InFlight: 1 }, "the turn-around of the second");
        first.Reset();
        await lab.OpenAsync(1);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(1));
        await lab.TickAsync();
        Assert.Equal("2"u8.ToArray(), await (await server.AcceptAsync()).ReadAsync(1));
        Assert.Equal(3, lab.Pool.Servers[0].TotalFailures);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task When_the_last_server_goes_those_who_wait_are_closed_cleanly(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = AddNarrow(l));
        await lab.PairAsync(server);
        Socket waiting = await lab.ClientAsync();
        await QueuedAsync(lab, 1);
        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Down);
        await waiting.ShouldEndAsync();
        await lab.OpenAsync(1);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.NoServer));
    }

    private static TestServer AddNarrow(GatewayLab lab) => lab.AddServer("narrow", static s => s.MaxConnections = 1);

    private static Task QueuedAsync(GatewayLab lab, int count)
    {
        ServerPool pool = lab.Pool;
        return Wait.UntilAsync(
            () => pool.QueueLength == count && pool.Servers.Sum(static s => s.InFlight) == 1,
            () => $"{count} in the queue; there are {pool.QueueLength}, open {lab.Gateway.OpenConnections}");
    }
}
