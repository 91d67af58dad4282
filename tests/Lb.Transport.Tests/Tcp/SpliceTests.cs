using System.Net.Sockets;

namespace Lb.Transport.Tests;

/// <summary>Bulk through the gateway by splice(2): bytes, counters, time-outs and endings are those of copied bytes.</summary>
[Trait("Row", "T4")]
public sealed class SpliceTests : GatewayTests
{
    private const int Timeout = 120_000;
    private const long Length = 1L << 30;

    // A prime: lost, doubled or exchanged pieces would have to be whole multiples of it to go unnoticed.
    private const int Period = 16_777_213;

    [Fact(Timeout = Timeout)]
    public async Task Carries_1_GiB_both_ways_at_once_byte_for_byte()
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync("epoll", l => server = l.AddServer());
        (Socket client, Socket accepted) = await lab.PairAsync(server);
        byte[] up = Pattern(1), down = Pattern(2);

        Task[] work = [SendAsync(client, up), SendAsync(accepted, down), ReceiveAsync(accepted, up), ReceiveAsync(client, down)];
        await Task.WhenAll(work);

        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.Completed));
        Assert.Equal(Length + 1, lab.Gateway.BytesIn);
        Assert.Equal(Length + 1, lab.Gateway.BytesOut);
        Assert.InRange(Splices(lab).Bytes, Length, 2 * Length);
    }

    [Theory(Timeout = Timeout)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_end_behind_spliced_bytes_comes_after_all_of_them(bool upwards)
    {
        (GatewayLab lab, Socket client, Socket accepted) = await SplicingAsync();
        (Socket from, Socket to) = upwards ? (client, accepted) : (accepted, client);
        byte[] data = Pattern(3);
        Task sending = Task.Run(async () =>
        {
            await from.SendAllAsync(data);
            from.Shutdown(SocketShutdown.Send);
        });
        byte[] first = await StallAsync(lab, to);

        PlainSockets.ShouldBeSame(data, [.. first, .. await to.ReadToEndAsync()]);
        await sending;

        // The other direction is still open.
        await to.SendAllAsync("answer"u8.ToArray());
        Assert.Equal("answer"u8.ToArray(), await from.ReadAsync(6));
        to.Shutdown(SocketShutdown.Send);
        await from.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.Completed));
    }

    [Fact(Timeout = Timeout)]
    public async Task A_reader_that_takes_nothing_times_out_with_a_reset()
    {
        (GatewayLab lab, Socket client, Socket accepted) = await SplicingAsync(l => l.SetGateway(static g => g.ClientTimeout = TimeSpan.FromSeconds(10)));
        accepted.Blocking = false;
        await StallAsync(lab, client, accepted);

        await lab.AdvanceAsync(TimeSpan.FromSeconds(9));
        Assert.Equal(1, lab.Gateway.OpenConnections);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(2));

        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ClientTimeout));
        await client.ShouldBeResetAsync();
        Assert.Equal(0, Transfers(lab));
    }

    [Theory(Timeout = Timeout)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_of_the_server_in_the_middle_is_told_and_counted(bool isStalled)
    {
        (GatewayLab lab, Socket client, Socket accepted) = await SplicingAsync();
        byte[] data = Pattern(4);
        if (isStalled)
        {
            accepted.Blocking = false;
            await StallAsync(lab, client, accepted);
            accepted.Reset();
        }
        else
        {
            _ = Task.Run(async () =>
            {
                await accepted.SendAllAsync(data);
                accepted.Reset();
            });
        }

        await client.ShouldBeResetAsync();
        await lab.OpenAsync(0);
        Assert.Equal(1, lab.Gateway.Count(RelayEnd.ServerReset));
        Assert.Equal(1, lab.Pool.Servers[0].TotalFailures);
        Assert.Equal(0, Transfers(lab));
    }

    [Fact(Timeout = Timeout)]
    [Trait("Row", "T15")]
    public async Task A_drain_waits_for_spliced_bytes_that_wait_for_a_reader()
    {
        (GatewayLab lab, Socket client, Socket accepted) = await SplicingAsync();
        byte[] data = Pattern(5);
        Task sending = Task.Run(async () =>
        {
            await accepted.SendAllAsync(data);
            accepted.Shutdown(SocketShutdown.Send);
        });
        byte[] first = await StallAsync(lab, client);
        Task[] stop = await lab.BeginStopAsync();
        await lab.AdvanceAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(1, lab.Gateway.OpenConnections);

        PlainSockets.ShouldBeSame(data, [.. first, .. await client.ReadToEndAsync()]);
        await sending;
        client.Dispose();
        await stop[0];
    }

    [Fact(Timeout = Timeout)]
    public async Task Switched_off_everything_is_copied()
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync("epoll", l =>
        {
            server = l.AddServer();
            l.Configure.Add(static o => o.Transport.Splice = false);
        });
        (Socket client, Socket accepted) = await lab.PairAsync(server);
        byte[] data = Pattern(6);
        Task sending = client.SendAllAsync(data);
        PlainSockets.ShouldBeSame(data, await accepted.ReadAsync(data.Length));
        await sending;
        NativeLoop loop = (NativeLoop)lab.Loop[0];
        Assert.False(loop.Splices.Pipes.IsEnabled);
        Assert.Equal(0, loop.Splices.Began);

        IReadOnlyList<ConfigurationError> errors = await ReloadWithAsync(lab, static o => o.Transport.Splice = true);
        Assert.Contains(errors, static e => e.Path == "Lb:Transport:Splice");
    }

    [Fact]
    public void Pipes_take_a_share_of_the_open_files_only() =>
        Assert.InRange(SplicePipes.Most, 4, Math.Clamp(DescriptorBudget.Limit() / 32, 4, 1024));

    private static Task<IReadOnlyList<ConfigurationError>> ReloadWithAsync(GatewayLab lab, Action<LbOptions> change)
    {
        lab.Configure.Add(change);
        return lab.ReloadAsync();
    }

    /// <summary>A client and its server, between whom bytes have been spliced in both directions.</summary>
    private async Task<(GatewayLab Lab, Socket Client, Socket Server)> SplicingAsync(Action<GatewayLab>? configure = null)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync("epoll", l =>
        {
            server = l.AddServer();
            configure?.Invoke(l);
        });
        (Socket client, Socket accepted) = await lab.PairAsync(server);
        await WarmAsync(client, accepted);
        await WarmAsync(accepted, client);
        return (lab, client, accepted);

        async Task WarmAsync(Socket from, Socket to)
        {
            byte[] data = new byte[4 << 20];
            long began = Splices(lab).Began;
            while (Splices(lab).Began == began)
            {
                Task<byte[]> reading = Task.Run(() => to.ReadAsync(data.Length));
                await from.SendAllAsync(data);
                await reading;
            }
        }
    }

    /// <summary>
    /// Until the gateway has taken nothing for many turns because nobody reads, and bytes wait in a pipe. When the driver happens to copy at that moment, some
    /// bytes are read, so that it goes on and splices again.
    /// </summary>
    /// <returns>What was read.</returns>
    private static async Task<byte[]> StallAsync(GatewayLab lab, Socket reader, Socket? sender = null)
    {
        byte[] block = new byte[1 << 20];
        using MemoryStream read = new();
        long seen = -1;
        for (int still = 0; ;)
        {
            sender?.Send(block, SocketFlags.None, out _);
            await lab.TurnsAsync();
            long now = lab.Gateway.BytesIn + lab.Gateway.BytesOut;
            still = now == seen ? still + 1 : 0;
            seen = now;
            if (still < 100) continue;
            if (await LoopGroup.RunAsync(lab.Loop[0], () => Splices(lab).Pending) > 0) return read.ToArray();
            still = 0;
            for (long enough = read.Length + (2 << 20); reader.Available > 0 && read.Length < enough;) read.Write(block, 0, reader.Receive(block));
        }
    }

    private static Splices Splices(GatewayLab lab) => ((NativeLoop)lab.Loop[0]).Splices;

    private static int Transfers(GatewayLab lab) => Splices(lab).Count;

    private static byte[] Pattern(int seed)
    {
        byte[] data = new byte[Period];
        new Random(seed).NextBytes(data);
        return data;
    }

    private static Task SendAsync(Socket socket, byte[] period) => Task.Run(async () =>
    {
        Random sizes = new(7);
        for (long sent = 0; sent < Length;)
        {
            int at = (int)(sent % Period);
            int size = (int)Math.Min(Math.Min(Period - at, Length - sent), sizes.Next(10) == 0 ? sizes.Next(1, 32) : sizes.Next(1, 2 << 20));
            await socket.SendAllAsync(period.AsMemory(at, size));
            sent += size;
        }

        socket.Shutdown(SocketShutdown.Send);
    });

    private static Task ReceiveAsync(Socket socket, byte[] period) => Task.Run(async () =>
    {
        byte[] block = new byte[256 * 1024];
        long received = 0;
        while (await socket.ReceiveAsync(block) is > 0 and int got)
        {
            for (int done = 0; done < got;)
            {
                int at = (int)((received + done) % Period), size = Math.Min(got - done, Period - at);
                Assert.True(period.AsSpan(at, size).SequenceEqual(block.AsSpan(done, size)), $"Other bytes near {received + done}.");
                done += size;
            }

            received += got;
        }

        Assert.Equal(Length, received);
    });
}
