using System.Net.Sockets;
using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Reactor;

public class UringDriverTests : NativeDriverTests
{
    private protected override int AllocationPerMessage => 0;

    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        CreateUring(time, onHandlerError);

    private protected override int? Splices(EventLoop loop) => ((NativeLoop)loop).Splices.Count;

    [Fact(Timeout = 60_000)]
    [Trait("Row", "T3")]
    public async Task Connections_that_are_not_read_keep_no_buffer_from_others()
    {
        // More than the loop has buffers, each with more to say than one of them holds.
        const int Stuck = UringBuffers.Count + 100, Bytes = 3 * UringBuffers.Size;
        await using LoopHost host = Host();
        List<Recorder> recorders = [];
        Acceptor acceptor = new(_ =>
        {
            recorders.Add(new Recorder { AfterData = static connection => connection.PauseReading() });
            return recorders[^1];
        });
        Listener listener = await host.ListenAsync(acceptor);
        Listener echo = await host.ServeAsync(Echo.Instance);
        byte[] data = new byte[Bytes];
        new Random(6).NextBytes(data);
        List<Connection> connections = [];
        for (int i = 0; i < Stuck; i++)
        {
            Socket peer = await host.ClientAsync(listener.LocalEndPoint);
            connections.Add(await acceptor.NextAsync());
            await peer.SendAllAsync(data);
        }

        Socket client = await host.ClientAsync(echo.LocalEndPoint);
        for (byte i = 0; i < 50; i++)
        {
            await client.SendAsync(new[] { i });
            Assert.Equal([i], await client.ReadAsync(1));
        }

        // Nothing is lost: each is read on, one call after the other.
        for (int i = 0; i < Stuck; i++)
        {
            while (recorders[i].Received.Length < Bytes) await host.On(connections[i].ResumeReading);
            Assert.True(data.AsSpan().SequenceEqual(recorders[i].Received));
        }
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "T3")]
    public async Task More_connections_than_buffers_are_heard_in_one_turn()
    {
        const int Talkers = 3 * UringBuffers.Count;
        await using LoopHost host = Host();
        Listener echo = await host.ServeAsync(Echo.Instance);
        Socket[] clients = new Socket[Talkers];
        for (int i = 0; i < Talkers; i++) clients[i] = await host.ClientAsync(echo.LocalEndPoint);
        await host.TurnsAsync();

        TaskCompletionSource queued = new();
        Assert.True(host.Loop.Post(_ => queued.Task.Wait(), null));
        for (int i = 0; i < Talkers; i++) clients[i].Send(BitConverter.GetBytes(i));
        queued.SetResult();

        for (int i = 0; i < Talkers; i++) Assert.Equal(i, BitConverter.ToInt32(await clients[i].ReadAsync(4)));
    }

    internal static EventLoop CreateUring(TimeProvider time, Action<Exception> onHandlerError)
    {
        Assert.SkipWhen(UringSupport.Missing is not null, $"io_uring can't be used here: {UringSupport.Missing}.");
        return EventLoops.Create(ReactorDriver.Uring, "io_uring under test", time, onHandlerError);
    }
}

/// <summary>The same once more with short writes, EAGAIN, crumbs and EINTR all the time.</summary>
public sealed class UringDriverUnderFaultsTests : UringDriverTests
{
    private protected override Action<Connection> Squeeze => static connection => Faults.Squeeze(connection);
}

[Collection(NoDescriptors.Name)]
public sealed class UringDescriptorShortageTests : DescriptorShortageContract
{
    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        UringDriverTests.CreateUring(time, onHandlerError);
}

public sealed class UringDescriptorWatchTests : DescriptorWatchContract
{
    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        UringDriverTests.CreateUring(time, onHandlerError);
}
