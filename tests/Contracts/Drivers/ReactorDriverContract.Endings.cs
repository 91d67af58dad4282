using System.Net.Sockets;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

public abstract partial class ReactorDriverContract
{
    [Fact(Timeout = Limit)]
    public async Task The_peers_end_comes_after_its_data_and_leaves_the_other_direction_open()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        byte[] data = Pattern(1_000_000);

        await peer.SendAllAsync(data);
        peer.Shutdown(SocketShutdown.Send);
        await recorder.EndOfStream.Task;

        AssertSame(data, recorder.Received);
        Assert.Equal("data end", recorder.Calls);
        byte[] answer = Pattern(5_000_000, 7);
        await host.On(() =>
        {
            Assert.True(connection.IsOpen);
            Assert.Equal(SendResult.Pending, connection.Send(answer));
        });
        AssertSame(answer, await peer.ReadAsync(answer.Length));
        await recorder.Drained.Task;
        await host.On(connection.Close);
        Assert.Empty(await peer.ReadToEndAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task Our_end_comes_after_the_pending_bytes_and_leaves_the_other_direction_open()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        byte[] data = Pattern(12_000_000);

        await host.On(() =>
        {
            Assert.Equal(SendResult.Pending, connection.Send(data));
            connection.ShutdownSend();
            connection.ShutdownSend();
            Assert.Throws<InvalidOperationException>(() => connection.Send([1]));
        });

        AssertSame(data, await peer.ReadToEndAsync());
        await recorder.Drained.Task;
        await peer.SendAsync("still here"u8.ToArray());
        Assert.Equal("still here"u8.ToArray(), await recorder.ReceiveAsync(10));
        Assert.True(await host.On(() => connection.IsOpen));
        Assert.Equal("drained data", recorder.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task A_shutdown_before_the_connect_is_answered_is_kept()
    {
        await using LoopHost host = Host();
        Socket server = host.Server();
        Recorder recorder = new();
        await host.On(() =>
        {
            Connection connection = host.Loop.Connect(server.LocalEndPoint!, recorder);
            connection.Send("all"u8);
            connection.ShutdownSend();
        });
        using Socket peer = await server.AcceptAsync();

        Assert.Equal("all"u8.ToArray(), await peer.ReadToEndAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task A_relay_passes_half_closes_both_ways()
    {
        await using LoopHost host = Host();
        Socket server = host.Server();
        Listener listener = await host.ListenAsync(new Relay(server.LocalEndPoint!));
        Socket client = await host.ClientAsync(listener.LocalEndPoint);
        using Socket backend = await server.AcceptAsync();

        await client.SendAsync("question"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("question"u8.ToArray(), await backend.ReadToEndAsync());
        await backend.SendAsync("answer"u8.ToArray());
        Assert.Equal("answer"u8.ToArray(), await client.ReadAsync(6));
        await backend.SendAsync(" and more"u8.ToArray());
        backend.Shutdown(SocketShutdown.Send);
        Assert.Equal(" and more"u8.ToArray(), await client.ReadToEndAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task A_reset_by_the_peer_is_reported()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);

        peer.Reset();

        Assert.Equal(CloseReason.Reset, await recorder.Closed.Task);
        await host.On(() =>
        {
            Assert.Equal(SendResult.Closed, connection.Send([1]));
            Assert.Equal(0, connection.PendingBytes);
            connection.ResumeReading();
            connection.ShutdownSend();
            connection.Close();
            connection.Abort();
        });
        Assert.Equal("closed", recorder.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task A_reset_is_reported_to_a_paused_connection_when_nothing_waits()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        await host.On(connection.PauseReading);

        peer.Reset();

        Assert.Equal(CloseReason.Reset, await recorder.Closed.Task);
        Assert.Equal("closed", recorder.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task What_arrived_before_a_reset_is_read_after_the_pause()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        await host.On(connection.PauseReading);
        byte[] data = Pattern(5000);

        await peer.SendAllAsync(data);
        peer.Reset();
        await host.TurnsAsync();
        Assert.Equal("", recorder.Calls);
        await host.On(connection.ResumeReading);

        Assert.Equal(CloseReason.Reset, await recorder.Closed.Task);
        Assert.Equal(data, recorder.Received);
        Assert.Equal("data closed", recorder.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task A_broken_connection_answers_closed_and_is_reported_later_after_its_last_data()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        await host.On(connection.PauseReading);

        // The peer answers early and closes over our unread bytes, which resets the connection.
        await host.On(() => connection.Send(Pattern(1000)));
        await peer.SendAsync("413"u8.ToArray());
        peer.Dispose();
        while (await host.On(() => connection.Send([1])) != SendResult.Closed) await host.TurnsAsync();
        Assert.Equal("", recorder.Calls);
        Assert.Equal(SendResult.Closed, await host.On(() => connection.Send([1])));

        await host.On(connection.ResumeReading);
        Assert.Equal(CloseReason.Reset, await recorder.Closed.Task);
        Assert.Equal("413"u8.ToArray(), recorder.Received);
        Assert.Equal("data closed", recorder.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task A_failed_send_is_never_answered_from_within()
    {
        await using LoopHost host = Host();
        Connection? other = null;
        Recorder victim = new();
        bool nested = false;
        Recorder driver = new()
        {
            AfterData = _ =>
            {
                string before = victim.Calls;
                other!.Send("x"u8);
                nested |= victim.Calls != before;
            },
        };
        (other, Socket victimPeer) = await host.PairAsync(victim);
        (_, Socket driverPeer) = await host.PairAsync(driver);

        // Both are ready in the same turn: the send may meet the reset before its event does.
        for (int round = 0; round < 2; round++)
        {
            TaskCompletionSource queued = new();
            Assert.True(host.Loop.Post(_ => queued.Task.Wait(), null));
            driverPeer.Send("go"u8);
            if (round == 0) victimPeer.Reset();
            queued.SetResult();
            await driver.ReceiveAsync(2 * (round + 1));
        }

        Assert.Equal(CloseReason.Reset, await victim.Closed.Task);
        Assert.False(nested);
        Assert.Equal("closed", victim.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task Abort_resets_the_peer()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);

        await host.On(() =>
        {
            connection.Abort();
            connection.Abort();
            Assert.False(connection.IsOpen);
        });

        SocketException exception = await Assert.ThrowsAsync<SocketException>(() => peer.ReadToEndAsync());
        Assert.Equal(SocketError.ConnectionReset, exception.SocketErrorCode);
        Assert.Equal("", recorder.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task Close_delivers_what_the_kernel_has_even_over_unread_data()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        await host.On(connection.PauseReading);
        await peer.SendAsync("a request nobody reads"u8.ToArray());
        await host.TurnsAsync();

        await host.On(() =>
        {
            Assert.Equal(SendResult.Sent, connection.Send("OK"u8));
            connection.Close();
            connection.Close();
        });

        Assert.Equal("OK"u8.ToArray(), await peer.ReadToEndAsync());
        Assert.Equal("", recorder.Calls);
    }

    [Fact(Timeout = Limit)]
    public async Task Everything_a_server_sends_before_it_closes_arrives_before_the_end()
    {
        await using LoopHost host = Host();
        Socket server = host.Server();
        Random random = new(42);
        for (int i = 0; i < 300; i++)
        {
            byte[] data = Pattern(random.Next(1, 20) switch { 1 => 600_000, 2 => 1, int n => n * 500 }, i);
            Recorder recorder = new();
            Connection connection = await host.ConnectAsync(server.LocalEndPoint!, recorder);
            using (Socket peer = await server.AcceptAsync())
            {
                await peer.SendAllAsync(data);
                if (i % 2 == 0) peer.Shutdown(SocketShutdown.Send);
            }

            await recorder.EndOfStream.Task;
            Assert.True(data.AsSpan().SequenceEqual(recorder.Received), $"Round {i}: {recorder.Received.Length} of {data.Length} bytes.");
            Assert.Equal("connected data end", recorder.Calls);
            await host.On(connection.Close);
        }
    }
}
