using System.Net.Sockets;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

/// <content>
/// Bulk that does not come to user space. A driver that copies passes all of it too: then nothing is spliced and everything arrives all the same.
/// </content>
public abstract partial class ReactorDriverContract
{
    private int BulkLength => (Squeeze is null ? 48 : 12) * 1024 * 1024;

    [Fact(Timeout = Limit)]
    [Trait("Row", "T4")]
    public async Task Bulk_is_spliced_both_ways_at_once_byte_for_byte()
    {
        await using LoopHost host = Host();
        (Relay relay, Socket client, Socket backend) = await SplicingAsync(host);
        byte[] up = Pattern(BulkLength), down = Pattern(BulkLength, 77);

        Task<byte[]> upReceived = Task.Run(backend.ReadToEndAsync), downReceived = Task.Run(client.ReadToEndAsync);
        await Task.WhenAll(FloodAsync(client, up), FloodAsync(backend, down));

        AssertSame(up, await upReceived);
        AssertSame(down, await downReceived);
        await AssertSplicedAsync(host, relay);
        Assert.Equal(2L * up.Length, await host.On(() => relay.Copied + relay.Spliced));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "T4")]
    public async Task A_slow_reader_of_spliced_bytes_slows_the_writer_and_gets_every_byte()
    {
        await using LoopHost host = Host();
        (Relay relay, Socket source, Socket sink) = await SplicingAsync(host);
        byte[] data = Pattern(BulkLength);
        Task sending = FloodAsync(source, data);

        // Reads nothing until the source stands still, and then in small bites with long rests in between.
        await relay.PausedOnce.Task;
        byte[] bite = new byte[50_000];
        int at = 0;
        for (int i = 0; await sink.ReceiveAsync(bite) is > 0 and int got; i++)
        {
            Assert.True(data.AsSpan(at, got).SequenceEqual(bite.AsSpan(0, got)), $"Other bytes near {at}.");
            at += got;
            if (i % 100 == 0) await host.TurnsAsync();
        }

        await sending;
        Assert.Equal(BulkLength, at);
        Assert.InRange(await host.On(() => relay.MostPending), 1, 256 * 1024);
        await AssertSplicedAsync(host, relay);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "T4")]
    public async Task Spliced_bytes_wait_for_a_reader_even_when_the_handler_never_pauses()
    {
        await using LoopHost host = Host();
        (Relay relay, Socket source, Socket sink) = await SplicingAsync(host, neverPauses: Splices(host.Loop) is not null);
        byte[] data = Pattern(BulkLength);
        Task sending = FloodAsync(source, data);
        await relay.PausedOnce.Task;
        await host.TurnsAsync();

        AssertSame(data, await sink.ReadToEndAsync());
        await sending;

        // With a small buffer at the destination this handler has everything in its own memory before the first offer.
        if (Squeeze is null) await AssertSplicedAsync(host, relay);
        Assert.False(host.Errors.Reader.TryRead(out _));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "T4")]
    public async Task A_source_goes_on_when_other_bytes_than_its_own_have_kept_it_waiting()
    {
        await using LoopHost host = Host();
        (Relay relay, Socket source, Socket sink) = await SplicingAsync(host, neverPauses: Splices(host.Loop) is not null);
        byte[] warm = new byte[4 << 20], before = Pattern(BulkLength), behind = Pattern(100_000);
        do
        {
            Task<byte[]> reading = Task.Run(() => sink.ReadAsync(warm.Length));
            await source.SendAllAsync(warm);
            await reading;
        }
        while (await host.On(() => Splices(host.Loop) is 0));

        await host.On(() => Assert.Equal(SendResult.Pending, relay.Server!.Send(before)));
        await source.SendAllAsync(behind);
        await host.TurnsAsync();

        AssertSame([.. before, .. behind], await sink.ReadAsync(before.Length + behind.Length));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "T4")]
    public async Task What_is_sent_behind_spliced_bytes_and_the_end_come_after_them()
    {
        await using LoopHost host = Host();
        (Relay relay, Socket source, Socket sink) = await SplicingAsync(host);
        byte[] data = Pattern(BulkLength);
        long before = await StallAsync(host, relay, source, sink, data);
        Recorder last = new();
        (long sent, int pending) = await host.On(() =>
        {
            long taken = relay.Copied + relay.Spliced - before;
            int waiting = relay.Server!.PendingBytes;
            relay.Server.Handler = last; // nobody resumes the source
            Assert.Equal(SendResult.Pending, relay.Server.Send("tail"u8));
            Assert.Equal(SendResult.Pending, relay.Server.Send([]));
            Assert.Equal(waiting + 4, relay.Server.PendingBytes);
            relay.Server.ShutdownSend();
            Assert.Throws<InvalidOperationException>(() => relay.Server.Send([1]));
            return (taken, waiting);
        });
        Assert.InRange(pending, 1, 256 * 1024);

        AssertSame([.. Repeat(data, sent), .. "tail"u8], await sink.ReadToEndAsync());
        await last.Drained.Task;
        await host.On(() => Assert.Equal(0, relay.Server!.PendingBytes));
        Assert.Equal("drained", last.Calls);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "T4")]
    public async Task No_more_is_spliced_than_was_offered()
    {
        const int Offered = 3_000_001;
        await using LoopHost host = Host();
        long most = 0;
        Relay relay = null!;
        (relay, Socket source, Socket sink) = await SplicingAsync(host, Offered, _ => most = Math.Max(most, relay.Spliced - (relay.Agreed - 1L) * Offered));
        byte[] data = Pattern(BulkLength);
        Task sending = FloodAsync(source, data);

        AssertSame(data, await sink.ReadToEndAsync());
        await sending;
        await AssertSplicedAsync(host, relay);
        Assert.InRange(most, Splices(host.Loop) is null ? 0 : 1, Offered);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "T4")]
    public async Task Messages_are_not_spliced_and_offers_that_can_not_be_met_are_refused()
    {
        await using LoopHost host = Host();
        (Relay relay, Socket client, Socket backend) = await SplicingAsync(host);
        byte[] message = Pattern(10_000);
        for (int i = 0; i < 200; i++)
        {
            await client.SendAllAsync(message);
            await backend.ReadAsync(message.Length);
        }

        await host.On(() =>
        {
            Assert.Equal(0, relay.Spliced);
            Assert.False(relay.Client!.TrySpliceTo(relay.Server!));
            relay.Server!.Close();
            Assert.False(relay.Client.TrySpliceTo(relay.Server));
            Assert.False(relay.Server.TrySpliceTo(relay.Client));
        });
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "T4")]
    public async Task Urgent_data_does_not_stall_splicing()
    {
        await using LoopHost host = Host();
        (Relay relay, Socket source, Socket sink) = await SplicingAsync(host);
        byte[] data = Pattern(BulkLength);
        Task<byte[]> reading = Task.Run(sink.ReadToEndAsync);

        await source.SendAllAsync(data.AsMemory(0, BulkLength / 2));
        Assert.Equal(1, await source.SendAsync("!"u8.ToArray(), SocketFlags.OutOfBand));
        await FloodAsync(source, data.AsMemory(BulkLength / 2));

        AssertSame(data, await reading);
        await AssertSplicedAsync(host, relay);
    }

    [Theory(Timeout = Limit)]
    [Trait("Row", "T4")]
    [InlineData("close source")]
    [InlineData("close destination")]
    [InlineData("throw")]
    public async Task A_handler_may_end_everything_while_it_hears_of_spliced_bytes(string how)
    {
        await using LoopHost host = Host();
        Relay relay = null!;
        (relay, Socket source, Socket sink) = await SplicingAsync(host, long.MaxValue, connection =>
        {
            if (how == "throw") throw new InvalidOperationException("On purpose.");
            if (how == "close source") connection.Close();
            (ReferenceEquals(connection, relay.Client) ? relay.Server! : relay.Client!).Abort();
            connection.Close();
        });
        if (await CopiesAsync(host, relay)) return;
        Task sending = FloodAsync(source, Pattern(BulkLength));

        await Record.ExceptionAsync(() => sink.ReadToEndAsync());
        await EndedAsync(host);
        await Record.ExceptionAsync(() => sending);
        if (how == "throw") Assert.Equal(CloseReason.LocalError, await relay.Closed.Task);
    }

    // A driver that copies says so when it is asked, and that is all there is to prove of it.
    private async Task<bool> CopiesAsync(LoopHost host, Relay relay)
    {
        if (Splices(host.Loop) is not null) return false;
        Assert.False(await host.On(() => relay.Client!.TrySpliceTo(relay.Server!)));
        return true;
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "T4")]
    public async Task Splicing_allocates_nothing_once_warm()
    {
        await using LoopHost host = Host();
        (Relay relay, Socket source, Socket sink) = await SplicingAsync(host);
        if (await CopiesAsync(host, relay)) return;
        byte[] block = Pattern(1 << 20);
        byte[] received = new byte[1 << 20];
        await MoveAsync();
        long before = await host.On(GC.GetAllocatedBytesForCurrentThread), spliced = await host.On(() => relay.Spliced);

        await MoveAsync();

        // 128 MiB in more than 500 pieces; asking for the figure costs a little itself.
        Assert.InRange(await host.On(GC.GetAllocatedBytesForCurrentThread) - before, 0, 5_000);
        Assert.True(await host.On(() => relay.Spliced) > spliced);

        async Task MoveAsync()
        {
            Task sending = Task.Run(async () =>
            {
                for (int i = 0; i < 128; i++) await source.SendAllAsync(block);
            });
            for (long left = 128L << 20; left > 0;) left -= await sink.ReceiveAsync(received);
            await sending;
        }
    }

    /// <summary>A relay that offers bulk to the driver, with a connected pair.</summary>
    private static async Task<(Relay Relay, Socket Client, Socket Backend)> SplicingAsync(
        LoopHost host, long limit = long.MaxValue, Action<Connection>? afterSpliced = null, bool neverPauses = false)
    {
        Socket server = host.Server();
        Relay relay = new(server.LocalEndPoint!) { SpliceLimit = limit, AfterSpliced = afterSpliced, NeverPauses = neverPauses };
        Listener listener = await host.ListenAsync(relay);
        Socket client = await host.ClientAsync(listener.LocalEndPoint);
        Socket backend = host.Own(await server.AcceptAsync());
        return (relay, client, backend);
    }

    private static Task FloodAsync(Socket socket, ReadOnlyMemory<byte> data) => Task.Run(async () =>
    {
        await socket.SendAllAsync(data);
        socket.Shutdown(SocketShutdown.Send);
    });

    /// <summary>
    /// Sends <paramref name="data"/> over and over until the relay has stopped reading because nobody reads at the other end: in the middle of splicing,
    /// where the driver does. First both ends exchange enough to make the kernel's buffers grow and the splicing begin.
    /// </summary>
    /// <returns>Bytes that the relay had taken before, and the reader has, too.</returns>
    private async Task<long> StallAsync(LoopHost host, Relay relay, Socket source, Socket sink, byte[] data)
    {
        byte[] warm = new byte[4 << 20];
        do
        {
            Task<byte[]> reading = Task.Run(() => sink.ReadAsync(warm.Length));
            await source.SendAllAsync(warm);
            await reading;
        }
        while (Splices(host.Loop) is not null && await host.On(() => relay.Spliced) == 0);

        (long taken, long spliced) = await host.On(() => (relay.Copied + relay.Spliced, relay.Spliced));
        source.Blocking = false;
        int still = 0;
        for (long at = 0; still < 20; still = await host.On(IsStill) ? still + 1 : 0)
        {
            int offset = (int)(at % data.Length);
            at += Math.Max(0, source.Send(data.AsSpan(offset, Math.Min(1 << 20, data.Length - offset)), SocketFlags.None, out _));
        }

        source.Blocking = true;
        return taken;

        // For several turns: the kernel may find room for a little more after all.
        bool IsStill() => relay.Server!.PendingBytes > 0 && (Splices(host.Loop) is null || relay.Spliced > spliced);
    }

    private static byte[] Repeat(byte[] data, long length)
    {
        byte[] all = new byte[length];
        for (int at = 0; at < all.Length; at += data.Length) data.AsSpan(0, Math.Min(data.Length, all.Length - at)).CopyTo(all.AsSpan(at));
        return all;
    }

    private async Task UntilSplicedAsync(LoopHost host, Relay relay)
    {
        while (await host.On(() => (Splices(host.Loop) is null ? relay.Copied : relay.Spliced) < 4 << 20)) await Task.Yield();
    }

    private async Task AssertSplicedAsync(LoopHost host, Relay relay)
    {
        if (Splices(host.Loop) is null) Assert.Equal(0, await host.On(() => relay.Spliced));
        else Assert.True(await host.On(() => relay.Spliced) > BulkLength / 4, $"Only {relay.Spliced} bytes were spliced, {relay.Copied} were copied.");
        Assert.False(host.Errors.Reader.TryRead(out _));
    }

    /// <summary>No transfer is left over.</summary>
    private async Task EndedAsync(LoopHost host)
    {
        while (await host.On(() => Splices(host.Loop) is > 0)) await Task.Yield();
    }
}
