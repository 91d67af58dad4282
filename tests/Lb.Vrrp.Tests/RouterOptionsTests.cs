namespace Lb.Vrrp.Tests;

public sealed class RouterOptionsTests
{
    [Fact]
    public void A_router_is_as_keepalived_makes_it_unless_told_otherwise()
    {
        RouterOptions options = new();
        Assert.Equal((100, 3, true), (options.Priority, options.DownTimerAdverts, options.Preempt));
    }
}
