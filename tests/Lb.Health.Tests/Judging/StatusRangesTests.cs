namespace Lb.Health.Tests.Judging;

[Trait("Row", "H7")]
public sealed class StatusRangesTests
{
    [Theory]
    [InlineData("200-399", "200 301 399", "199 400")]
    [InlineData("200,204,301-302", "200 204 301 302", "201 203 300 303")]
    [InlineData(" 200 , 500 - 599 ", "200 500 599", "499 201")]
    [InlineData("418", "418", "417 419")]
    [InlineData("100-599", "100 599", "99 600")]
    public void Reads_codes_and_ranges(string text, string inside, string outside)
    {
        Assert.True(StatusRanges.TryParse(text, out StatusRanges? ranges, out _));
        Assert.All(inside.Split(' '), code => Assert.True(ranges.Contains(int.Parse(code))));
        Assert.All(outside.Split(' '), code => Assert.False(ranges.Contains(int.Parse(code))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("2xx")]
    [InlineData("200,")]
    [InlineData("200-")]
    [InlineData("-200")]
    [InlineData("99")]
    [InlineData("600")]
    [InlineData("200-300-400")]
    [InlineData("0x200")]
    [InlineData("399-200")]
    [InlineData("200 204")]
    [InlineData("٢٠٠")]
    public void Refuses_anything_else_and_says_why(string text)
    {
        Assert.False(StatusRanges.TryParse(text, out _, out string? error));
        Assert.NotEmpty(error);
    }
}
