using System.Net;
using System.Net.Sockets;
using Lb.Transport;

namespace Lb.Contracts.Drivers;

/// <summary>What the drivers of Linux promise about native descriptors of others. Here: UDP sockets.</summary>
[Trait("Row", "T1")]
public abstract class DescriptorWatchContract
{
    private const int Limit = 60_000;

    /// <summary>Makes a loop that is not started.</summary>
    private protected abstract EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError);

    [Fact(Timeout = Limit)]
    public async Task A_watched_descriptor_tells_every_edge()
    {
        await using LoopHost host = new(CreateLoop);
        using Socket socket = Bound();
        Reader reader = new(socket);
        await WatchAsync(host, socket, reader);

        using Socket sender = Bound();
        for (byte i = 0; i < 100; i++)
        {
            sender.SendTo([i], socket.LocalEndPoint!);
            await reader.Received.WaitAsync();
            Assert.Equal(i, reader.Last);
        }

        Assert.True(reader.Writable);
    }

    [Fact(Timeout = Limit)]
    public async Task What_waits_already_is_told_though_not_from_within()
    {
        await using LoopHost host = new(CreateLoop);
        using Socket socket = Bound();
        using Socket sender = Bound();
        sender.SendTo([7], socket.LocalEndPoint!);
        Reader reader = new(socket);
        await host.On(() =>
        {
            Watch(host, socket, reader);
            Assert.False(reader.Writable);
        });

        await reader.Received.WaitAsync();
        Assert.Equal(7, reader.Last);
    }

    [Fact(Timeout = Limit)]
    public async Task After_the_end_of_a_watch_its_handler_hears_nothing_and_the_next_one_hears_its_own()
    {
        await using LoopHost host = new(CreateLoop);
        using Socket first = Bound(), second = Bound(), sender = Bound();
        Reader reader = new(first);
        DescriptorWatch watch = await WatchAsync(host, first, reader);
        Assert.True(watch.IsActive);
        await host.TurnsAsync();

        // The datagram is there when the loop next looks; the watch ends before it does.
        Reader successor = new(second);
        await host.On(() =>
        {
            sender.SendTo([1], first.LocalEndPoint!);
            ((ReactorLoop)host.Loop).Unwatch(watch);
            ((ReactorLoop)host.Loop).Unwatch(watch);
            Watch(host, second, successor);
        });
        Assert.False(watch.IsActive);
        sender.SendTo([2], second.LocalEndPoint!);

        await successor.Received.WaitAsync();
        Assert.Equal(2, successor.Last);
        Assert.Equal(0, reader.Received.CurrentCount);
    }

    [Fact(Timeout = Limit)]
    public async Task A_handler_may_end_its_watch_and_another_one()
    {
        await using LoopHost host = new(CreateLoop);
        using Socket first = Bound(), second = Bound(), sender = Bound();
        Reader firstReader = new(first), secondReader = new(second);
        DescriptorWatch[] watches = [await WatchAsync(host, first, firstReader), await WatchAsync(host, second, secondReader)];
        await host.TurnsAsync();
        void EndBoth()
        {
            foreach (DescriptorWatch watch in watches) ((ReactorLoop)host.Loop).Unwatch(watch);
        }

        // Both are ready in one turn, in either order: whoever is told first ends the other.
        await host.On(() =>
        {
            firstReader.Then = secondReader.Then = EndBoth;
            sender.SendTo([1], first.LocalEndPoint!);
            sender.SendTo([1], second.LocalEndPoint!);
        });
        for (int i = 0; i < 5; i++) await host.TurnsAsync();

        Assert.Equal(1, firstReader.Received.CurrentCount + secondReader.Received.CurrentCount);
    }

    [Fact(Timeout = Limit)]
    public async Task What_the_handler_throws_is_reported_and_the_watch_stays()
    {
        await using LoopHost host = new(CreateLoop);
        using Socket socket = Bound(), sender = Bound();
        Reader reader = new(socket) { Then = static () => throw new InvalidOperationException("mine") };
        await WatchAsync(host, socket, reader);
        for (int i = 0; i < 2; i++)
        {
            sender.SendTo([1], socket.LocalEndPoint!);
            Assert.Equal("mine", (await host.Errors.Reader.ReadAsync()).Message);
        }

        Assert.Equal(2, reader.Received.CurrentCount);
    }

    [Fact(Timeout = Limit)]
    public async Task A_descriptor_that_is_none_is_an_error()
    {
        await using LoopHost host = new(CreateLoop);
        using Socket socket = Bound();
        await host.On(() => Assert.Throws<SocketException>(() => ((ReactorLoop)host.Loop).Watch(-1, new Reader(socket))));
    }

    private static Task<DescriptorWatch> WatchAsync(LoopHost host, Socket socket, IDescriptorHandler handler) => host.On(() => Watch(host, socket, handler));

    private static DescriptorWatch Watch(LoopHost host, Socket socket, IDescriptorHandler handler)
    {
        Assert.True(OperatingSystem.IsLinux());
        return ((ReactorLoop)host.Loop).Watch((int)socket.Handle, handler);
    }

    private static Socket Bound()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    /// <summary>Reads what is there and counts it.</summary>
    private sealed class Reader(Socket socket) : IDescriptorHandler
    {
        private readonly byte[] _buffer = new byte[16];

        public SemaphoreSlim Received { get; } = new(0);

        public int Last { get; private set; } = -1;

        public bool Writable { get; private set; }

        public Action? Then { get; set; }

        public void OnReady(bool readable, bool writable)
        {
            Writable |= writable;
            if (!readable) return;
            bool any = false;
            while (socket.Poll(0, SelectMode.SelectRead))
            {
                socket.Receive(_buffer);
                Last = _buffer[0];
                any = true;
                Received.Release();
            }

            if (any) Then?.Invoke();
        }
    }
}
