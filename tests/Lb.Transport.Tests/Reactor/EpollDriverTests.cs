using System.Net.Sockets;
using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Reactor;

public class EpollDriverTests : NativeDriverTests
{
    private protected override int AllocationPerMessage => 0;

    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        CreateEpoll(time, onHandlerError);

    private protected override int? Splices(EventLoop loop) => ((NativeLoop)loop).Splices.Count;

    internal static EventLoop CreateEpoll(TimeProvider time, Action<Exception> onHandlerError)
    {
        Assert.SkipUnless(EventLoops.SupportsEpoll, "epoll exists on Linux only.");
        return EventLoops.Create(ReactorDriver.Epoll, "epoll under test", time, onHandlerError);
    }
}

/// <summary>The same once more with short writes, EAGAIN, crumbs and EINTR all the time.</summary>
public sealed class EpollDriverUnderFaultsTests : EpollDriverTests
{
    private protected override Action<Connection> Squeeze => static connection => Faults.Squeeze(connection);

    [Fact(Timeout = 60_000)]
    public async Task The_faults_are_there()
    {
        await using LoopHost host = Host();
        (Connection connection, Socket peer) = await host.PairAsync(new Recorder());
        await host.On(() =>
        {
            Assert.Equal(SendResult.Pending, connection.Send(new byte[2_000_000]));

            // Besides its own buffer the kernel fills the peer's, which is small before it has read anything.
            Assert.InRange(connection.PendingBytes, 1_500_000, 2_000_000);
        });
        await peer.ReadAsync(2_000_000);
        while (host.Faults!.Signals < 3) await host.TurnsAsync();
    }
}

[Collection(NoDescriptors.Name)]
public sealed class EpollDescriptorShortageTests : DescriptorShortageContract
{
    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        EpollDriverTests.CreateEpoll(time, onHandlerError);
}

public sealed class EpollDescriptorWatchTests : DescriptorWatchContract
{
    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        EpollDriverTests.CreateEpoll(time, onHandlerError);
}
