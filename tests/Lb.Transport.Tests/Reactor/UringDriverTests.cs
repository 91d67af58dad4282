using System.Net.Sockets;
using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Reactor;

public class UringDriverTests : ReactorDriverContract
{
    private protected override int AllocationPerMessage => 0;

    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        CreateUring(time, onHandlerError);

    private protected override int? Splices(EventLoop loop) => ((NativeLoop)loop).Splices.Count;

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
