using System.Net.Sockets;
using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Reactor;

public class ManagedDriverTests : ReactorDriverContract
{
    // The framework keeps its operations for the next time, but now and then two threads meet and it makes a new one.
    private protected override int AllocationPerMessage => 64;

    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        CreateManaged(time, onHandlerError);

    // A given connection counts for the loop that is to have it until it is there, or is known not to come.
    [Fact(Timeout = 60_000)]
    public async Task A_given_connection_that_is_gone_already_is_told_of()
    {
        await using LoopHost host = Host();
        Lossy handler = new();
        Listener listener = await host.ListenAsync(handler);
        Socket gone = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp); // options of TCP are refused

        await host.On(() => ((ManagedLoop)host.Loop).Accepted((ManagedListener)listener, handler, gone));

        Assert.Equal((0, 1), (handler.Accepted, handler.Lost));
        Assert.True(gone.SafeHandle.IsClosed);
    }

    private sealed class Lossy : IAcceptHandler
    {
        public int Accepted { get; private set; }

        public int Lost { get; private set; }

        public void OnAccepted(Listener listener, Connection connection) => Accepted++;

        public void OnLost(Listener listener) => Lost++;
    }

    internal static EventLoop CreateManaged(TimeProvider time, Action<Exception> onHandlerError) =>
        EventLoops.Create(ReactorDriver.Managed, "managed under test", time, onHandlerError);
}

/// <summary>The same once more with short writes, EAGAIN, crumbs and EINTR all the time.</summary>
public sealed class ManagedDriverUnderFaultsTests : ManagedDriverTests
{
    private protected override Action<Connection> Squeeze => static connection => Faults.Squeeze(connection);
}

[Collection(NoDescriptors.Name)]
public sealed class ManagedDescriptorShortageTests : DescriptorShortageContract
{
    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        ManagedDriverTests.CreateManaged(time, onHandlerError);
}
