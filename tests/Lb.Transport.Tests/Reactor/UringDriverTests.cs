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

    [Fact(Timeout = 60_000)]
    [Trait("Row", "T3")]
    public async Task What_is_sent_while_there_is_no_room_for_results_keeps_its_order()
    {
        await using LoopHost host = Host();
        Recorder recorder = new();
        (Connection connection, Socket peer) = await host.PairAsync(recorder);
        byte[] behind = new byte[5000];
        Array.Fill(behind, (byte)1);
        await host.On(() =>
        {
            UringLoop loop = (UringLoop)host.Loop;
            int full = Fill(DescriptorOf((NativeConnection)connection));
            for (int i = 0; i < 20_000; i++) loop.Cancel(ulong.MaxValue);

            // Refused, and nobody knows of it yet.
            Assert.Equal(SendResult.Sent, connection.Send("first"u8));
            loop.Flush();
            byte[] filling = new byte[full];
            for (int got = 0; got < full;) got += peer.Receive(filling, got, full - got, SocketFlags.None);
            Assert.Equal(SendResult.Pending, connection.Send(behind));
            Assert.Equal(5005, connection.PendingBytes);
            connection.ShutdownSend();
        });

        byte[] received = await peer.ReadToEndAsync();
        Assert.Equal([.. "first"u8, .. behind], received);
        await recorder.Drained.Task;
    }

    /// <summary>Until the kernel takes no byte more for this socket.</summary>
    private static unsafe int Fill(int descriptor)
    {
        int full = 0;
        byte[] block = new byte[65_536];
        fixed (byte* bytes = block)
        {
            for (nint size = block.Length; size > 0; size /= 2)
            {
                while (Libc.Send(descriptor, bytes, size, Libc.MessageDontWait) is > 0 and nint taken) full += (int)taken;
            }
        }

        return full;
    }

    [System.Runtime.CompilerServices.UnsafeAccessor(System.Runtime.CompilerServices.UnsafeAccessorKind.Field, Name = "_descriptor")]
    private static extern ref int DescriptorOf(NativeConnection connection);

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
