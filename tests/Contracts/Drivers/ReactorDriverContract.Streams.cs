using System.Net.Sockets;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

public abstract partial class ReactorDriverContract
{
    [Fact(Timeout = Limit)]
    public async Task Echo_returns_every_byte()
    {
        await using LoopHost host = Host();
        Listener listener = await host.ServeAsync(Echo.Instance);
        Socket client = await host.ClientAsync(listener.LocalEndPoint);
        byte[] data = Pattern(3_000_000);

        Task sending = client.SendAllAsync(data);
        byte[] back = await client.ReadAsync(data.Length);
        await sending;

        AssertSame(data, back);
    }

    [Fact(Timeout = Limit)]
    public async Task Single_bytes_arrive_in_order()
    {
        await using LoopHost host = Host();
        Listener listener = await host.ServeAsync(Echo.Instance);
        Socket client = await host.ClientAsync(listener.LocalEndPoint);
        byte[] data = Pattern(2000);

        Task<byte[]> reading = client.ReadAsync(data.Length);
        for (int i = 0; i < data.Length; i++) await client.SendAsync(data.AsMemory(i, 1));

        Assert.Equal(data, await reading);
    }

    [Fact(Timeout = Limit)]
    public async Task Single_bytes_are_sent_in_order()
    {
        await using LoopHost host = Host();
        (Connection connection, Socket peer) = await host.PairAsync(new Recorder());
        byte[] data = Pattern(2000);

        await host.On(() =>
        {
            for (int i = 0; i < data.Length; i++) connection.Send(data.AsSpan(i, 1));
            Assert.NotEqual(SendResult.Closed, connection.Send([]));
        });

        Assert.Equal(data, await peer.ReadAsync(data.Length));
    }

    [Fact(Timeout = Limit)]
    public async Task Unsent_bytes_wait_in_order_and_drain_once()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        byte[] data = Pattern(12_000_000);

        // In uneven pieces, so that the remainder grows while it waits.
        int pending = await host.On(() =>
        {
            SendResult last = SendResult.Sent;
            for (int at = 0, size = 1; at < data.Length; at += size, size = Math.Min(size * 3, data.Length - at))
                last = connection.Send(data.AsSpan(at, Math.Min(size, data.Length - at)));
            Assert.Equal(SendResult.Pending, last);
            Assert.Equal(SendResult.Pending, connection.Send([]));
            return connection.PendingBytes;
        });
        Assert.InRange(pending, 1, data.Length);
        Assert.False(recorder.Drained.Task.IsCompleted);

        AssertSame(data, await peer.ReadAsync(data.Length));
        await recorder.Drained.Task;
        Assert.Equal(0, await host.On(() => connection.PendingBytes));
        Assert.Equal(SendResult.Sent, await host.On(() => connection.Send([1])));
        Assert.Equal("drained", recorder.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task A_slow_reader_slows_the_writer_and_gets_every_byte()
    {
        const int Length = 64 * 1024 * 1024;
        await using LoopHost host = Host();
        Socket server = host.Server();
        Relay relay = new(server.LocalEndPoint!);
        Listener listener = await host.ListenAsync(relay);
        Socket source = await host.ClientAsync(listener.LocalEndPoint);
        using Socket sink = await server.AcceptAsync();
        byte[] data = Pattern(Length);

        Task sending = Task.Run(async () =>
        {
            await source.SendAllAsync(data);
            source.Shutdown(SocketShutdown.Send);
        });

        // Nothing is read until the source stands still; then in small bites.
        await relay.PausedOnce.Task;
        byte[] bite = new byte[50_000];
        int at = 0;
        while (await sink.ReceiveAsync(bite) is > 0 and int got)
        {
            Assert.True(data.AsSpan(at, got).SequenceEqual(bite.AsSpan(0, got)), $"Other bytes near {at}.");
            at += got;
        }

        await sending;
        Assert.Equal(Length, at);
        Assert.InRange(await host.On(() => relay.MostPending), 1, 256 * 1024);
    }

    [Fact(Timeout = Limit)]
    public async Task A_peer_that_does_not_read_does_not_hold_up_others()
    {
        await using LoopHost host = Host();
        (Connection stuck, Socket _) = await host.PairAsync(new Recorder());
        await host.On(() => Assert.Equal(SendResult.Pending, stuck.Send(new byte[32_000_000])));
        Listener listener = await host.ServeAsync(Echo.Instance);
        Socket client = await host.ClientAsync(listener.LocalEndPoint);

        for (byte i = 0; i < 100; i++)
        {
            await client.SendAsync(new[] { i });
            Assert.Equal([i], await client.ReadAsync(1));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_flood_on_one_connection_does_not_starve_others()
    {
        await using LoopHost host = Host();
        Sink sink = new();
        Listener drain = await host.ServeAsync(sink);
        Listener echo = await host.ServeAsync(Echo.Instance);
        using CancellationTokenSource enough = new();
        Socket[] floods = [await host.ClientAsync(drain.LocalEndPoint), await host.ClientAsync(drain.LocalEndPoint)];
        Task[] flooding = [.. floods.Select(socket => Task.Run(async () =>
        {
            byte[] block = new byte[1 << 20];
            while (!enough.IsCancellationRequested) await socket.SendAllAsync(block);
        }))];

        Socket client = await host.ClientAsync(echo.LocalEndPoint);
        for (int i = 0; i < 200; i++)
        {
            await client.SendAsync(new[] { (byte)i });
            Assert.Equal([(byte)i], await client.ReadAsync(1));
        }

        await enough.CancelAsync();
        await Task.WhenAll(flooding);
        Assert.True(sink.Bytes > 0);
    }

    [Fact(Timeout = Limit)]
    public async Task Pausing_loses_neither_data_nor_the_end()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        byte[] data = Pattern(200_000);
        await host.On(connection.PauseReading);

        await peer.SendAllAsync(data.AsMemory(0, 1000));
        await host.TurnsAsync();
        Task sending = peer.SendAllAsync(data.AsMemory(1000));
        await sending;
        peer.Shutdown(SocketShutdown.Send);
        await host.TurnsAsync();
        Assert.Equal("", recorder.Calls);

        await host.On(() =>
        {
            connection.PauseReading();
            connection.ResumeReading();
            connection.ResumeReading();
            Assert.Equal("", recorder.Calls);
        });
        await recorder.EndOfStream.Task;
        AssertSame(data, recorder.Received);
        Assert.Equal("data end", recorder.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task Pausing_after_every_read_loses_nothing()
    {
        await using LoopHost host = Host();
        int reads = 0;
        bool paused = false;
        Recorder recorder = new()
        {
            AfterData = connection =>
            {
                Assert.False(paused);
                reads++;
                paused = true;
                connection.PauseReading();
                connection.Loop.Post(state =>
                {
                    paused = false;
                    ((Connection)state!).ResumeReading();
                }, connection);
            },
        };
        (_, Socket peer) = await host.PairAsync(recorder);
        byte[] data = Pattern(4_000_000);

        await peer.SendAllAsync(data);
        peer.Shutdown(SocketShutdown.Send);

        await recorder.EndOfStream.Task;
        AssertSame(data, recorder.Received);
        Assert.True(reads > 1);
        Assert.False(host.Errors.Reader.TryRead(out _));
    }

    [Fact(Timeout = Limit)]
    public async Task Data_sent_before_the_connect_is_answered_goes_out_first()
    {
        await using LoopHost host = Host();
        Socket server = host.Server();
        Recorder recorder = new() { AfterConnected = static connection => connection.Send("second"u8) };
        await host.On(() =>
        {
            Connection connection = host.Loop.Connect(server.LocalEndPoint!, recorder);
            Assert.False(connection.IsOpen);
            Assert.Equal(SendResult.Pending, connection.Send("first "u8));
            Assert.Equal(6, connection.PendingBytes);
        });
        using Socket peer = await server.AcceptAsync();

        Assert.Equal("first second"u8.ToArray(), await peer.ReadAsync(12));
        await recorder.Drained.Task;
    }

    [Fact(Timeout = Limit)]
    public async Task Closing_or_changing_the_handler_within_a_call_takes_effect_at_once()
    {
        await using LoopHost host = Host();
        Recorder second = new() { AfterData = static connection => connection.Close() };
        Recorder first = new() { AfterData = connection => connection.Handler = second };
        (Connection connection, Socket peer) = await host.PairAsync(first);

        await peer.SendAsync("one"u8.ToArray());
        await first.ReceiveAsync(3);
        await peer.SendAsync("two"u8.ToArray());

        Assert.Empty(await peer.ReadToEndAsync());
        Assert.False(await host.On(() => connection.IsOpen));
        Assert.Equal("two"u8.ToArray(), second.Received);
        Assert.Equal("data", first.Calls);
        Assert.Equal("data", second.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task Lent_data_survives_the_closing_of_connections_with_unread_data()
    {
        await using LoopHost host = Host();
        TaskCompletionSource<byte[]> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        (Connection overTcp, Socket tcpPeer) = await host.PairAsync(new Recorder());
        Acceptor acceptor = new(_ => new Recorder());
        Listener unix = await host.ListenAsync(acceptor, TemporarySocket(out _));
        Socket unixPeer = await host.ClientAsync(unix.LocalEndPoint);
        Connection overUnix = await acceptor.NextAsync();
        await host.On(overTcp.PauseReading);
        await host.On(overUnix.PauseReading);
        await tcpPeer.SendAsync("zzzzzzzz"u8.ToArray());
        await unixPeer.SendAsync("zzzzzzzz"u8.ToArray());
        (_, Socket peer) = await host.PairAsync(new Closer(
            () =>
            {
                overTcp.Close();
                overUnix.Close();
            },
            seen.SetResult));

        await peer.SendAsync("lent"u8.ToArray());
        Assert.Equal("lent"u8.ToArray(), await seen.Task);
        Assert.Empty(await tcpPeer.ReadToEndAsync());
        Assert.Empty(await unixPeer.ReadToEndAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task Urgent_data_does_not_stall_what_follows()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (_, Socket peer) = await host.PairAsync(recorder);

        // All three are in the queue before the first read, which stops short at the urgent byte.
        TaskCompletionSource queued = new();
        Assert.True(host.Loop.Post(_ => queued.Task.Wait(), null));
        peer.Send("before"u8);
        peer.Send("!"u8, SocketFlags.OutOfBand);
        peer.Send("after"u8);
        queued.SetResult();

        Assert.Equal("beforeafter"u8.ToArray(), await recorder.ReceiveAsync(11));
    }

    [Fact(Timeout = 2 * Limit)]
    public async Task Thousands_of_short_connections_keep_their_data()
    {
        const int Workers = 16;
        const int Each = 200;
        await using LoopHost host = Host();
        Socket server = host.Server(1024);
        _ = Task.Run(async () =>
        {
            while (true)
            {
                Socket accepted = await server.AcceptAsync();
                _ = Task.Run(async () =>
                {
                    using Socket mine = accepted;
                    await mine.SendAllAsync(await mine.ReadToEndAsync());
                });
            }
        }, TestContext.Current.CancellationToken);
        Listener listener = await host.ListenAsync(new Relay(server.LocalEndPoint!));

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            Random random = new(worker);
            for (int i = 0; i < Each; i++)
            {
                byte[] data = Pattern(random.Next(1, 30_000), random.Next());
                using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await client.ConnectAsync(listener.LocalEndPoint);
                await client.SendAllAsync(data);
                client.Shutdown(SocketShutdown.Send);
                Assert.Equal(data, await client.ReadToEndAsync());
            }
        })));
        Assert.False(host.Errors.Reader.TryRead(out _));
    }

    [Fact(Timeout = Limit)]
    public async Task A_warm_relay_allocates_nothing()
    {
        const int From = 4000;
        const int To = 8000;
        await using LoopHost host = Host();
        Socket server = host.Server();
        Relay relay = new(server.LocalEndPoint!) { MeasureFrom = From, MeasureTo = To };
        Listener listener = await host.ListenAsync(relay);
        Socket client = await host.ClientAsync(listener.LocalEndPoint);
        using Socket backend = await server.AcceptAsync();
        byte[] message = Pattern(100);

        for (int i = 0; i < To / 2 + 10; i++)
        {
            await client.SendAllAsync(message);
            await backend.ReadAsync(message.Length);
            await backend.SendAllAsync(message);
            await client.ReadAsync(message.Length);
        }

        Assert.InRange(await relay.Allocated.Task, 0, AllocationPerMessage * (To - From));
    }

    /// <summary>Looks at the lent bytes only after it has done something else. For a message that comes in one piece.</summary>
    private sealed class Closer(Action act, Action<byte[]> look) : IConnectionHandler
    {
        public void OnConnected(Connection connection)
        {
        }

        public void OnData(Connection connection, ReadOnlySpan<byte> data)
        {
            act();
            look(data.ToArray());
        }

        public void OnDrained(Connection connection)
        {
        }

        public void OnEndOfStream(Connection connection)
        {
        }

        public void OnClosed(Connection connection, CloseReason reason)
        {
        }
    }
}
