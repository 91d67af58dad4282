namespace Lb.Health.Tests.Judging;

[Trait("Row", "H9")]
public sealed class PayloadTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("PING\r\n", "50494e470d0a")]
    [InlineData(@"PING\r\n", "50494e470d0a")]
    [InlineData(@"\x00\xfF\0\t\\n", "00ff00095c6e")]
    [InlineData("é", "c3a9")]
    public void Text_may_have_escapes(string text, string hex)
    {
        Assert.True(PayloadText.TryParse(text, out byte[]? bytes, out _));
        Assert.Equal(hex, Convert.ToHexStringLower(bytes));
    }

    [Theory]
    [InlineData(@"\")]
    [InlineData(@"a\q")]
    [InlineData(@"\x0")]
    [InlineData(@"\xg0")]
    public void Other_escapes_are_faults(string text) => Assert.False(PayloadText.TryParse(text, out _, out _));

    [Theory]
    [InlineData("00 fF", "00ff")]
    [InlineData("0", null)]
    [InlineData("0g", null)]
    [InlineData("0x00", null)]
    public void Hex_has_pairs_of_digits(string text, string? hex)
    {
        Assert.Equal(hex is not null, PayloadText.TryParseHex(text, out byte[]? bytes, out string? error));
        Assert.Equal(hex, bytes is null ? null : Convert.ToHexStringLower(bytes));
        Assert.Equal(hex is null, error is not null);
    }

    [Theory]
    [InlineData("50??4e4?", "50004e4f", -1)]
    [InlineData("50??4e4?", "50ff4e40ff", -1)]
    [InlineData("50XX4e4x", "5000", 2)]
    [InlineData("50??4e4?", "50004e5f", 3)]
    [InlineData("?0", "01", 0)]
    [InlineData("", "", -1)]
    [Trait("Row", "H12")]
    public void A_pattern_has_wildcards(string pattern, string hex, int mismatch)
    {
        Assert.True(BytePattern.TryParse(pattern, out BytePattern? parsed, out _));
        Assert.Equal(mismatch, parsed.Mismatch(Convert.FromHexString(hex)));
    }

    [Theory]
    [InlineData("5")]
    [InlineData("5?*0")]
    public void A_pattern_that_is_none_is_a_fault(string pattern) => Assert.False(BytePattern.TryParse(pattern, out _, out _));
}
