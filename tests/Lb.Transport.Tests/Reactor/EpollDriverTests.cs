using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Reactor;

public class EpollDriverTests : ReactorDriverContract
{
    private protected override int AllocationPerMessage => 0;

    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        CreateEpoll(time, onHandlerError);

    private protected override int? Splices(EventLoop loop) => ((EpollLoop)loop).Splices.Count;

    // Not in the contract: the managed driver can't see a reset behind unread data.
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

    internal static EventLoop CreateEpoll(TimeProvider time, Action<Exception> onHandlerError)
    {
        Assert.SkipUnless(EventLoops.SupportsEpoll, "epoll exists on Linux only.");
        return EventLoops.Create(ReactorDriver.Epoll, "epoll under test", time, onHandlerError);
    }
}

/// <summary>The same once more with short writes, EAGAIN, crumbs and EINTR all the time.</summary>
public sealed class EpollDriverUnderFaultsTests : EpollDriverTests
{
    private protected override Action<Connection> Squeeze => static connection => Faults.Squeeze(DescriptorOf((EpollConnection)connection));

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

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_descriptor")]
    private static extern ref int DescriptorOf(EpollConnection connection);
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
