using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Reactor;

public sealed class EpollDriverTests : NativeDriverTests
{
    private protected override int AllocationPerMessage => 0;

    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        CreateEpoll(time, onHandlerError);

    internal static EventLoop CreateEpoll(TimeProvider time, Action<Exception> onHandlerError)
    {
        Assert.SkipUnless(EventLoops.SupportsEpoll, "epoll exists on Linux only.");
        return EventLoops.Create(ReactorDriver.Epoll, "epoll under test", time, onHandlerError);
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
