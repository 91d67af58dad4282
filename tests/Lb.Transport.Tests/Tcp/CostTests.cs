using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>What connections cost.</summary>
[Collection(Alone.Name)]
[Trait("Row", "T3")]
public sealed class CostTests : GatewayTests
{
    private const int Timeout = 120_000;

    [Theory(Timeout = Timeout)]
    [InlineData("epoll", 2 * 1024)]
    [InlineData("io_uring", 2 * 1024)]
    [InlineData("managed", 8 * 1024)]
    public async Task Idle_connections_have_no_thread_and_little_memory(string driver, int bound)
    {
        const int Count = 2000;
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer(backlog: 4096));
        for (int i = 0; i < 200; i++) await OpenAsync(lab, server);

        int threads = LoopThreads();
        long allocated = await AllocatedAsync(lab), living = GC.GetTotalMemory(forceFullCollection: true);
        (Socket Client, Socket Server)[] pairs = new (Socket, Socket)[Count];
        for (int i = 0; i < Count; i++) pairs[i] = await OpenAsync(lab, server);
        long perConnection = (await AllocatedAsync(lab) - allocated) / Count;
        long kept = (GC.GetTotalMemory(forceFullCollection: true) - living) / Count;
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{driver}: {perConnection} bytes allocated on the loop for each connection; {kept} bytes kept by gateway, client and server together");

        Assert.Equal(threads, LoopThreads());
        Assert.Equal(Count + 200, lab.Gateway.OpenConnections);
        Assert.InRange(perConnection, 1, bound);

        // Idle ones still serve.
        for (int i = 0; i < Count; i += 100)
        {
            await pairs[i].Client.SendAllAsync(new byte[100]);
            await pairs[i].Server.ReadAsync(100);
        }
    }

    [Theory(Timeout = Timeout)]
    [InlineData("epoll")]
    [InlineData("io_uring")]
    public async Task A_relayed_message_allocates_nothing(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SystemTime = true;
        });
        (Socket client, Socket accepted) = await lab.PairAsync(server);
        byte[] message = new byte[1000];
        for (int i = 0; i < 2_000; i++) await RoundTripAsync();
        long before = await AllocatedAsync(lab), bytes = lab.Gateway.BytesIn;
        for (int i = 0; i < 5_000; i++) await RoundTripAsync();
        long after = await AllocatedAsync(lab);
        Assert.Equal(5_000_000, lab.Gateway.BytesIn - bytes);

        // Asking costs a little itself; a single byte for each of the 10 000 messages would be more.
        Assert.InRange(after - before, 0, 5_000);

        async Task RoundTripAsync()
        {
            await client.SendAllAsync(message);
            await accepted.ReadAsync(message.Length);
            await accepted.SendAllAsync(message);
            await client.ReadAsync(message.Length);
        }
    }

    [Theory(Timeout = Timeout)]
    [InlineData("epoll")]
    [InlineData("io_uring")]
    public async Task A_connection_allocates_nothing_once_others_have_ended(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer();
            l.SystemTime = true;
        });
        for (int i = 0; i < 500; i++) await ConnectionAsync();
        long before = await AllocatedAsync(lab);
        for (int i = 0; i < 1_000; i++) await ConnectionAsync();
        long after = await AllocatedAsync(lab);

        // Asking costs a little itself; ten bytes for each would be more.
        Assert.InRange(after - before, 0, 10_000);

        async Task ConnectionAsync()
        {
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(lab.EndPoint);
            using Socket accepted = await server.AcceptAsync();
            await client.SendAllAsync(new byte[10]);
            await accepted.ReadAsync(10);
            accepted.Shutdown(SocketShutdown.Send);
            await client.ReadToEndAsync();
            client.Shutdown(SocketShutdown.Send);
            await accepted.ReadToEndAsync();
        }
    }

    /// <summary>Allocated so far on the only loop's thread.</summary>
    private static Task<long> AllocatedAsync(GatewayLab lab) => LoopGroup.RunAsync(lab.Loop[0], GC.GetAllocatedBytesForCurrentThread);

    private static async Task<(Socket Client, Socket Server)> OpenAsync(GatewayLab lab, TestServer server)
    {
        Socket client = await lab.ClientAsync();
        return (client, await server.AcceptAsync());
    }

    // Threads of the reactor, by name: the pool's own come and go.
    private static int LoopThreads() =>
        Directory.EnumerateDirectories("/proc/self/task").Count(static task => File.ReadAllText($"{task}/comm").StartsWith("lb-", StringComparison.Ordinal));
}
