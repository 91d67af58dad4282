namespace Lb.Vrrp.Tests;

[Trait("Row", "V6")]
public sealed class RiseFallTests
{
    // + = a good look, - = a bad one; below it whether it is well after each. By hand, from keepalived.conf(5), vrrp_script.
    [Theory]
    [InlineData(1, 1, false, "+-+", "w.w")]
    [InlineData(3, 3, false, "---+++", ".....w")]
    [InlineData(3, 3, false, "+--+---", "wwwwww.")]
    [InlineData(3, 2, true, "+++", "..w")]
    [InlineData(3, 2, true, "++-+++--", ".....ww.")]
    [InlineData(2, 3, false, "+---+-++", "www....w")]
    public void So_many_in_a_row_change_the_verdict(int rise, int fall, bool initFail, string looks, string verdicts)
    {
        RiseFall judge = new(rise, fall, initFail);
        Assert.Equal(!initFail, judge.IsWell);
        Assert.Equal(verdicts, string.Concat(looks.Select(l => judge.Observe(l == '+') ? 'w' : '.')));
    }

    [Fact]
    public void It_needs_at_least_one()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new RiseFall(0, 1, initFail: false));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RiseFall(1, 0, initFail: false));
    }
}
