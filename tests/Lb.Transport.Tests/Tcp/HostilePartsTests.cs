using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>Clients that go in the worst moment, and policies of the host's own that throw.</summary>
public sealed class HostilePartsTests : GatewayTests
{
    private const int Timeout = 60_000;

    // The managed driver learns of a reset behind unread data only when it reads or sends again.
    [Fact(Timeout = Timeout)]
    [Trait("Row", "T1")]
    [Trait("Row", "R2")]
    public async Task A_client_that_has_spoken_and_resets_in_the_queue_leaves_it()
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync("epoll", l => server = l.AddServer("narrow", static s => s.MaxConnections = 1));
        await lab.PairAsync(server);
        Socket client = await lab.ClientAsync();
        await client.SendAllAsync("GET"u8.ToArray());
        await Wait.UntilAsync(() => lab.Pool.QueueLength == 1, "one in the queue");
        client.Reset();
        await Wait.UntilAsync(() => lab.Pool.QueueLength == 0, "nobody in the queue");
        await lab.OpenAsync(1);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ConnectClientGone));
    }

    [Fact(Timeout = Timeout)]
    [Trait("Row", "T1")]
    [Trait("Row", "H25")]
    public async Task A_client_that_floods_never_reads_and_resets_ends_at_once()
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync("epoll", l => server = l.AddServer("echo"));
        (Socket client, Socket accepted) = await lab.PairAsync(server);

        // Neither side reads: both directions fill up to the last buffer, until the gateway reads from neither.
        Task fromClient = FillAsync(client), fromServer = FillAsync(accepted);
        await Task.WhenAll(fromClient, fromServer);
        client.Reset();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ClientReset));
        Assert.Equal(0, lab.Pool.Servers[0].TotalFailures);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "S28")]
    public async Task A_policy_that_throws_on_a_retry_costs_its_client_only(string driver)
    {
        Moody policy = new();
        GatewayLab lab = await StartAsync(driver, l =>
        {
            l.AddRefusing("refusing");
            l.AddRefusing("refusing too");
            l.SetPool(p => p.Policy = () => policy);
        });
        policy.GoodPicks = 1;
        Socket client = await lab.ClientAsync();
        await client.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ConnectLocalError));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "S28")]
    public async Task A_policy_that_throws_for_one_who_waits_does_not_harm_the_one_who_leaves(string driver)
    {
        Moody policy = new();
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer("narrow", static s => s.MaxConnections = 1);
            l.SetPool(p => p.Policy = () => policy);
        });
        (Socket first, Socket _) = await lab.PairAsync(server);
        Socket waiting = await lab.ClientAsync();
        await Wait.UntilAsync(() => lab.Pool.QueueLength == 1, "one in the queue");
        policy.GoodPicks = 0;
        first.Reset();
        await waiting.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ConnectLocalError));

        policy.GoodPicks = int.MaxValue;
        await lab.PairAsync(server);
    }

    [Theory]
    [InlineData(20_000, 139, 9898)]
    [InlineData(300, 139, 48)]
    [InlineData(100, 139, 1)]
    [Trait("Row", "T3")]
    public void Connections_leave_descriptors_for_everybody_else(long limit, int open, int connections) =>
        Assert.Equal(connections, DescriptorBudget.Connections(limit, open));

    private static async Task FillAsync(Socket socket)
    {
        // Full many times in a row: the gateway may still be moving what came before.
        byte[] block = new byte[64 * 1024];
        for (int full = 0; full < 5000;)
        {
            socket.Blocking = false;
            int sent = socket.Send(block, SocketFlags.None, out SocketError error);
            full = error == SocketError.WouldBlock || sent <= 0 ? full + 1 : 0;
            await Task.Yield();
        }
    }

    /// <summary>Takes the first server as often as it is told to, then throws.</summary>
    private sealed class Moody : ISchedulingPolicy
    {
        private int _goodPicks = int.MaxValue;

        public int GoodPicks
        {
            set => Volatile.Write(ref _goodPicks, value);
        }

        public IScheduler Build(PoolSnapshot snapshot) => new Scheduler(this, snapshot.Servers[0]);

        private sealed class Scheduler(Moody policy, Server server) : IScheduler
        {
            public Server Pick(in PickContext context, long now) =>
                Interlocked.Decrement(ref policy._goodPicks) >= 0 ? server : throw new InvalidOperationException("Not today.");
        }
    }
}
