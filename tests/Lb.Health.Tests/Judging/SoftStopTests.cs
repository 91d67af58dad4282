namespace Lb.Health.Tests.Judging;

/// <summary>HAProxy's rule: a conditional pass is one of servers that run (<c>next_state != SRV_ST_STOPPED</c>).</summary>
[Trait("Row", "H21")]
public sealed class SoftStopTests
{
    [Theory]
    [InlineData(CheckStatus.Layer7OkConditional, ServerHealth.Up, CheckStatus.Layer7OkConditional)]
    [InlineData(CheckStatus.Layer7OkConditional, ServerHealth.Stopping, CheckStatus.Layer7OkConditional)]
    [InlineData(CheckStatus.Layer7OkConditional, ServerHealth.Down, CheckStatus.Layer7Status)]
    [InlineData(CheckStatus.Layer7Ok, ServerHealth.Down, CheckStatus.Layer7Ok)]
    [InlineData(CheckStatus.Layer4Timeout, ServerHealth.Down, CheckStatus.Layer4Timeout)]
    public void The_condition_never_brings_a_server_up(CheckStatus said, ServerHealth health, CheckStatus means)
    {
        Assert.Equal(new ProbeResult(means, 404, "Not Found"), SoftStop.Judge(new ProbeResult(said, 404, "Not Found"), health));
    }

    [Theory]
    [InlineData(false, CheckStatus.Layer7OkConditional, true, true)]
    [InlineData(false, CheckStatus.Layer7OkConditional, false, false)]
    [InlineData(true, CheckStatus.Layer7Ok, true, false)]
    [InlineData(true, CheckStatus.Layer4Ok, true, false)]
    [InlineData(true, CheckStatus.Layer6Ok, true, false)]
    [InlineData(true, CheckStatus.Layer7Status, true, true)]
    [InlineData(true, CheckStatus.SocketError, true, true)]
    [InlineData(true, CheckStatus.Layer7Timeout, false, false)]
    [InlineData(false, CheckStatus.Layer7Timeout, true, false)]
    public void It_lasts_until_a_plain_pass_or_the_fall(bool before, CheckStatus status, bool isUp, bool after)
    {
        Assert.Equal(after, SoftStop.IsStopping(before, status, isUp));
    }
}
