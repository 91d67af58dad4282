using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>Bytes, ends and resets through the gateway.</summary>
[Trait("Row", "T1")]
public sealed class RelayTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Carries_32_MiB_both_ways_at_once_byte_for_byte(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server, receiveBuffer: 16 * 1024);

        byte[] up = new byte[32 << 20], down = new byte[32 << 20];
        new Random(1).NextBytes(up);
        new Random(2).NextBytes(down);
        Task<byte[]> upReceived = ReceiveSlowlyAsync(accepted, new Random(3)), downReceived = ReceiveSlowlyAsync(client, new Random(4));
        await Task.WhenAll(SendInPiecesAsync(client, up, new Random(5)), SendInPiecesAsync(accepted, down, new Random(6)));

        PlainSockets.ShouldBeSame(up, await upReceived);
        PlainSockets.ShouldBeSame(down, await downReceived);
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.Completed));
        Assert.Equal(up.Length + 1, lab.Gateway.BytesIn);
        Assert.Equal(down.Length + 1, lab.Gateway.BytesOut);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Passes_the_clients_end_on_and_the_server_goes_on_answering(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server);

        await client.SendAllAsync("question"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("question"u8.ToArray(), await accepted.ReadToEndAsync());
        for (int i = 0; i < 10; i++)
        {
            await accepted.SendAllAsync(new byte[] { (byte)i });
            Assert.Equal([(byte)i], await client.ReadAsync(1));
        }

        Assert.Equal(1, lab.Gateway.OpenConnections);
        accepted.Shutdown(SocketShutdown.Send);
        await client.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.Completed));
        Assert.Equal(0, lab.Pool.Servers[0].TotalFailures + lab.Pool.Servers[0].TotalIgnored);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Passes_the_servers_end_on_and_the_client_goes_on_sending(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server);

        accepted.Shutdown(SocketShutdown.Send);
        await client.ShouldEndAsync();
        for (int i = 0; i < 10; i++)
        {
            await client.SendAllAsync(new byte[] { (byte)i });
            Assert.Equal([(byte)i], await accepted.ReadAsync(1));
        }

        client.Shutdown(SocketShutdown.Send);
        await accepted.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.Completed));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task The_end_comes_after_the_bytes_that_waited(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server, receiveBuffer: 8 * 1024);

        byte[] answer = new byte[8 << 20];
        new Random(1).NextBytes(answer);
        client.Shutdown(SocketShutdown.Send);
        await accepted.ShouldEndAsync();
        Task sending = SendInPiecesAsync(accepted, answer, new Random(2));

        // The client reads only when the gateway has stopped reading.
        await StallAsync(lab);
        byte[] received = await client.ReadToEndAsync();
        await sending;
        PlainSockets.ShouldBeSame(answer, received);
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.Completed));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "H25")]
    public async Task A_clients_reset_reaches_the_server_and_does_not_count_against_it(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server);

        client.Reset();
        await accepted.ShouldBeResetAsync();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ClientReset));
        Assert.Equal(0, lab.Pool.Servers[0].TotalFailures);
        Assert.Equal(1, lab.Pool.Servers[0].TotalIgnored);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_servers_reset_reaches_the_client_and_counts_against_it(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server);

        accepted.Reset();
        await client.ShouldBeResetAsync();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ServerReset));
        Assert.Equal(1, lab.Pool.Servers[0].TotalFailures);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task What_the_client_sends_before_there_is_a_server_is_not_lost(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        Socket client = await lab.ClientAsync();
        byte[] all = new byte[1 << 20];
        new Random(1).NextBytes(all);
        Task sending = client.SendAllAsync(all);
        Socket accepted = await server.AcceptAsync();
        PlainSockets.ShouldBeSame(all, await accepted.ReadAsync(all.Length));
        await sending;
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_client_that_never_reads_costs_a_bounded_amount(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server, receiveBuffer: 8 * 1024);

        byte[] flood = new byte[64 << 20];
        new Random(1).NextBytes(flood);
        Task sending = accepted.SendAllAsync(flood);
        await StallAsync(lab);

        // What the kernel takes for the client (4 MiB at most) and one turn of the gateway.
        Assert.InRange(lab.Gateway.BytesOut, 1, 16 << 20);
        Assert.False(sending.IsCompleted);

        PlainSockets.ShouldBeSame(flood, await client.ReadAsync(flood.Length));
        await sending;
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_server_that_never_reads_costs_a_bounded_amount(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server);
        byte[] flood = new byte[64 << 20];
        new Random(1).NextBytes(flood);
        Task sending = client.SendAllAsync(flood);
        await StallAsync(lab);
        Assert.InRange(lab.Gateway.BytesIn, 1, 40 << 20); // the server's receive buffer may grow to 32 MiB
        Assert.False(sending.IsCompleted);
        PlainSockets.ShouldBeSame(flood, await accepted.ReadAsync(flood.Length));
        await sending;
    }

    /// <summary>Until the gateway has taken nothing for many turns, because a reader is slow.</summary>
    internal static async Task StallAsync(GatewayLab lab)
    {
        long seen = -1;
        for (int still = 0; still < 40;)
        {
            await lab.TurnsAsync();
            await Task.Delay(1);
            long now = lab.Gateway.BytesIn + lab.Gateway.BytesOut;
            still = now == seen && now > 64 * 1024 ? still + 1 : 0;
            seen = now;
        }
    }

    private static async Task SendInPiecesAsync(Socket socket, byte[] data, Random random)
    {
        for (int sent = 0; sent < data.Length;)
        {
            int size = Math.Min(data.Length - sent, random.Next(10) == 0 ? random.Next(1, 32) : random.Next(1, 256 * 1024));
            await socket.SendAllAsync(data.AsMemory(sent, size));
            sent += size;
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<byte[]> ReceiveSlowlyAsync(Socket socket, Random random)
    {
        using MemoryStream all = new();
        byte[] block = new byte[256 * 1024];
        while (true)
        {
            for (int pause = random.Next(20) == 0 ? 50 : 0; pause > 0; pause--) await Task.Yield();
            int got = await socket.ReceiveAsync(block.AsMemory(0, random.Next(1, block.Length)));
            if (got == 0) return all.ToArray();
            all.Write(block, 0, got);
        }
    }
}
