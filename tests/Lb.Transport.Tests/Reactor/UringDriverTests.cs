using System.Net.Sockets;
using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Reactor;

public sealed class UringDriverTests : ReactorDriverContract
{
    private protected override int AllocationPerMessage => 0;

    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        CreateUring(time, onHandlerError);

    internal static EventLoop CreateUring(TimeProvider time, Action<Exception> onHandlerError)
    {
        Assert.SkipWhen(UringSupport.Missing is not null, $"io_uring can't be used here: {UringSupport.Missing}.");
        return EventLoops.Create(ReactorDriver.Uring, "io_uring under test", time, onHandlerError);
    }
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
