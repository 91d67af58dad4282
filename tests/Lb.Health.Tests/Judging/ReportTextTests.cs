namespace Lb.Health.Tests.Judging;

[Trait("Row", "H28")]
public sealed class ReportTextTests
{
    [Theory]
    [InlineData(CheckStatus.Layer4Connection, 0, "connection refused", -3, 3, "L4CON: connection refused, 3/3 failed")]
    [InlineData(CheckStatus.Layer7Status, 503, "Service Unavailable", -1, 3, "L7STS/503: Service Unavailable, first check failed")]
    [InlineData(CheckStatus.Layer4Ok, 0, "", 2, 2, "L4OK, 2/2 passed")]
    [InlineData(CheckStatus.Layer7Ok, 200, "OK", 1, 2, "L7OK/200: OK, first check passed")]
    public void A_cause_names_the_check_and_the_count(CheckStatus status, int code, string text, int consecutive, int needed, string expected) =>
        Assert.Equal(expected, ReportText.Cause(new CheckReport(status, code, TimeSpan.Zero, text, default, consecutive), needed));

    [Fact]
    public void Text_of_others_is_made_harmless()
    {
        Assert.Equal("a?b?c", ReportText.Clean("a\nb\u001bc"));
        Assert.Equal(128, ReportText.Clean(new string('x', 10_000)).Length);
        Assert.Equal("", ReportText.Clean(null));
    }
}
