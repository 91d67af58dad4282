namespace Lb.Vrrp.Tests;

/// <summary>Weights as keepalived.conf(5) describes them.</summary>
[Trait("Row", "V3")]
[Trait("Row", "V6")]
[Trait("Row", "V7")]
public sealed class TrackedPriorityTests
{
    [Theory]
    [InlineData(100, -10, true, false, 100, false)]
    [InlineData(100, -10, false, false, 90, false)]
    [InlineData(100, 10, true, false, 110, false)]
    [InlineData(100, 10, false, false, 100, false)]
    [InlineData(100, 0, true, false, 100, false)]
    [InlineData(100, 0, false, false, 100, true)]
    [InlineData(100, -10, true, true, 90, false)]
    [InlineData(100, 10, false, true, 110, false)]
    [InlineData(100, 0, true, true, 100, true)]
    [InlineData(100, -253, false, false, 1, false)]
    [InlineData(100, 253, true, false, 254, false)]
    [InlineData(255, -253, false, false, 255, false)]
    [InlineData(255, 0, false, false, 255, true)]
    public void One_thing_tracked(byte configured, int weight, bool isWell, bool reverse, byte expected, bool fault)
    {
        byte priority = TrackedPriority.Of(configured, [new TrackedItem(weight, isWell, reverse)], out bool isFault);
        Assert.Equal((expected, fault), (priority, isFault));
    }

    [Theory]
    [InlineData(2, 5, false, 110, false)]
    [InlineData(2, -5, false, 90, false)]
    [InlineData(2, 5, true, 90, false)]
    [InlineData(1, int.MaxValue, false, 254, false)]
    [InlineData(-253, int.MaxValue, false, 1, true)]
    [InlineData(-253, 1, false, 1, false)]
    [InlineData(-127, 2, false, 1, true)]
    [InlineData(127, 2, true, 1, true)]
    [InlineData(0, 0, false, 100, false)]
    [InlineData(0, 1, false, 100, true)]
    [InlineData(0, 0, true, 100, true)]
    public void A_number_in_a_file(int weight, int number, bool reverse, byte expected, bool fault)
    {
        byte priority = TrackedPriority.Of(100, [new TrackedItem(weight, IsWell: true, reverse, number)], out bool isFault);
        Assert.Equal((expected, fault), (priority, isFault));
    }

    [Fact]
    public void Weights_add_up_before_the_sum_is_limited()
    {
        TrackedItem[] items = [new(-200, IsWell: false), new(150, IsWell: true), new(0, IsWell: false)];
        Assert.Equal((50, true), (TrackedPriority.Of(100, items, out bool isFault), isFault));
        Assert.Equal(100, TrackedPriority.Of(100, [], out isFault));
        Assert.False(isFault);
    }
}
