namespace Lb.Transport.Tests.Reactor;

public sealed class EventLoopsTests
{
    [Fact]
    [Trait("Row", "T3")]
    public void Auto_takes_epoll_where_it_exists_and_epoll_elsewhere_is_an_error()
    {
        using EventLoop auto = EventLoops.Create(ReactorDriver.Auto, "auto");
        Assert.Equal(EventLoops.SupportsEpoll ? typeof(EpollLoop) : typeof(ManagedLoop), auto.GetType());
        Assert.Same(TimeProvider.System, auto.Time);

        using EventLoop managed = EventLoops.Create(ReactorDriver.Managed, "managed");
        Assert.IsType<ManagedLoop>(managed);

        if (EventLoops.SupportsEpoll)
            EventLoops.Create(ReactorDriver.Epoll, "epoll").Dispose();
        else
            Assert.Throws<PlatformNotSupportedException>(() => EventLoops.Create(ReactorDriver.Epoll, "epoll"));
    }
}
