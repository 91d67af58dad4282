using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Reactor;

public class ManagedDriverTests : ReactorDriverContract
{
    // The framework keeps its operations for the next time, but now and then two threads meet and it makes a new one.
    private protected override int AllocationPerMessage => 64;

    private protected override EventLoop CreateLoop(TimeProvider time, Action<Exception> onHandlerError) =>
        CreateManaged(time, onHandlerError);

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
