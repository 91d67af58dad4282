using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>Everything at once, without any order: at the end nothing may be left.</summary>
[Collection(Alone.Name)]
public sealed class ChaosTests : GatewayTests
{
    private const int Clients = 100, Rounds = 8;

    [Theory(Timeout = 240_000)]
    [InlineData("epoll", 1, 1)]
    [InlineData("io_uring", 1, 1)]
    [InlineData("epoll", 2, 2)]
    [InlineData("io_uring", 2, 2)]
    [InlineData("managed", 1, 3)]
    [InlineData("managed", 2, 4)]
    [Trait("Row", "T1")]
    [Trait("Row", "H25")]
    public async Task Nothing_is_left_after_aborts_refusals_and_half_closes(string driver, int loops, int seed)
    {
        GatewayLab lab = Make(driver, l =>
        {
            l.Loops = loops;
            l.AddRefusing();
            l.SetGateway(static g => g.ClientTimeout = TimeSpan.FromSeconds(5));
            l.SetPool(static p => (p.ServerTimeout, p.QueueTimeout) = (TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(30)));
        });
        TestServer[] servers = [.. Enumerable.Range(0, 3).Select(_ => lab.AddServer(configure: static s => s.MaxConnections = 12))];
        lab.Servers.ForEach(static s => s.MaxConnections = s.MaxConnections == 0 ? 3 : s.MaxConnections);
        await lab.StartAsync();
        int descriptors = Directory.GetFiles("/proc/self/fd").Length;
        Task[] serving = [.. servers.Select((s, i) => ServeAsync(s, new Random(seed * 100 + i)))];

        using CancellationTokenSource done = new();
        Task turning = TurnTimeAsync(lab, done.Token);
        EndPoint at = lab.EndPoint;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(i => ClientAsync(at, new Random(seed * 1000 + i))));

        TcpGateway gateway = lab.Gateway;
        await lab.OpenAsync(0);
        await done.CancelAsync();
        await turning;
        Assert.Equal(Clients * Rounds, gateway.TotalConnections);
        Assert.Equal(gateway.TotalConnections, Enum.GetValues<RelayEnd>().Sum(gateway.Count));
        Assert.Equal(0, gateway.Count(RelayEnd.LocalError) + gateway.Count(RelayEnd.ConnectLocalError));
        await Wait.UntilAsync(() => lab.Pool.Servers.All(static s => s.InFlight == 0), "no lease left");
        Assert.Equal(0, lab.Logged.Count(4001)); // no handler has thrown
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join(", ", Enum.GetValues<RelayEnd>().Select(e => $"{e} {gateway.Count(e)}")));
        await Wait.UntilAsync(
            () => Directory.GetFiles("/proc/self/fd").Length <= descriptors + 2,
            () => $"descriptors back to {descriptors}, there are {Directory.GetFiles("/proc/self/fd").Length}");
        foreach (TestServer server in servers) server.Dispose();
        await Task.WhenAll(serving);
    }

    // Turn-arounds and time-outs pass as quickly as the loops follow.
    private static async Task TurnTimeAsync(GatewayLab lab, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            lab.Time.Advance(TimeSpan.FromMilliseconds(50));
            await lab.TurnsAsync();
            await Task.Delay(1, CancellationToken.None);
        }
    }

    private static async Task ClientAsync(EndPoint at, Random random)
    {
        byte[] block = new byte[64 * 1024];
        for (int round = 0; round < Rounds; round++)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(at);
                switch (random.Next(6))
                {
                    case 0:
                        socket.Reset();
                        break;
                    case 1:
                        await socket.SendAllAsync(block.AsMemory(0, random.Next(block.Length)));
                        socket.Reset();
                        break;
                    case 2:
                        break; // an end before anything was said
                    case 3:
                        await socket.SendAllAsync(block.AsMemory(0, random.Next(block.Length)));
                        socket.Shutdown(SocketShutdown.Send);
                        await socket.ReadToEndAsync();
                        break;
                    case 4:
                        await socket.SendAllAsync(block.AsMemory(0, random.Next(block.Length)));
                        for (int i = 0; i < 20 && await socket.ReceiveAsync(block.AsMemory(0, 100)) > 0; i++) await Task.Yield();
                        break;
                    default:
                        Task sending = socket.SendAllAsync(block);
                        for (int n = 0; n < 10 && await socket.ReceiveAsync(block) > 0; n++) await Task.Yield();
                        await sending;
                        break;
                }
            }
            catch (SocketException)
            {
                // The other side had its own ideas.
            }
        }
    }

    private static async Task ServeAsync(TestServer server, Random random)
    {
        try
        {
            while (true)
            {
                Socket socket = await server.AcceptAsync();
                _ = AnswerAsync(socket, new Random(random.Next()));
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task AnswerAsync(Socket socket, Random random)
    {
        byte[] block = new byte[32 * 1024];
        try
        {
            if (random.Next(8) == 0)
            {
                socket.Reset();
                return;
            }

            while (await socket.ReceiveAsync(block.AsMemory(0, random.Next(1, block.Length))) is > 0 and int got)
            {
                if (random.Next(40) == 0)
                {
                    socket.Reset();
                    return;
                }

                if (random.Next(40) == 0) break;
                await socket.SendAllAsync(block.AsMemory(0, got));
            }

            if (random.Next(2) == 0) socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The client's doing.
        }

        socket.Dispose();
    }
}
