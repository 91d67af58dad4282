using System.Net.Sockets;
using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Reactor;

/// <summary>The contract, and what the drivers of Linux promise beyond it.</summary>
public abstract class NativeDriverTests : ReactorDriverContract
{
    // The managed driver can't see a reset behind unread data.
    [Fact(Timeout = 60_000)]
    public async Task A_connection_that_drops_on_reset_reports_it_over_unread_data()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        await host.On(connection.PauseReading);
        await host.On(connection.DropOnReset);
        await peer.SendAsync("unread"u8.ToArray());
        await host.TurnsAsync();

        peer.Reset();

        Assert.Equal(CloseReason.Reset, await recorder.Closed.Task);
        Assert.Equal("closed", recorder.Calls);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_reset_after_the_peers_end_is_reported()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (_, Socket peer) = await host.PairAsync(recorder);
        peer.Shutdown(SocketShutdown.Send);
        await recorder.EndOfStream.Task;
        await host.TurnsAsync();

        peer.Reset();

        Assert.Equal(CloseReason.Reset, await recorder.Closed.Task);
        Assert.Equal("end closed", recorder.Calls);
    }

    [Fact(Timeout = 60_000)]
    public async Task Bytes_wait_for_a_reader_that_has_ended_its_own_stream()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        peer.Shutdown(SocketShutdown.Send);
        await recorder.EndOfStream.Task;
        byte[] data = new byte[8_000_000];
        new Random(5).NextBytes(data);
        await host.On(() => Assert.Equal(SendResult.Pending, connection.Send(data)));
        for (int i = 0; i < 20; i++) await host.TurnsAsync();

        byte[] received = await peer.ReadAsync(data.Length);
        Assert.True(data.AsSpan().SequenceEqual(received));
        await recorder.Drained.Task;
        Assert.Equal("end drained", recorder.Calls);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_connection_is_not_used_again_in_the_turn_in_which_it_has_ended()
    {
        await using LoopHost host = Host();
        Socket server = host.Server();
        TaskCompletionSource<(Connection Ended, Connection Next)> both = new(TaskCreationOptions.RunContinuationsAsynchronously);
        (_, Socket peer) = await host.PairAsync(new Recorder
        {
            AfterData = connection =>
            {
                connection.Close();
                host.Loop.Post(_ => both.SetResult((connection, host.Loop.Connect(server.LocalEndPoint!, new Recorder()))), null);
            },
        });

        await peer.SendAsync("x"u8.ToArray());

        (Connection ended, Connection next) = await both.Task;
        Assert.NotSame(ended, next);
    }
}
