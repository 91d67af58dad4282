namespace Lb.Vrrp.Tests;

[Trait("Row", "V7")]
public sealed class TrackFileValueTests
{
    // strtol(3) with base 0, and keepalived's bounds.
    [Theory]
    [InlineData("", 0)]
    [InlineData("0\n", 0)]
    [InlineData("  7\n", 7)]
    [InlineData("-12 # note", -12)]
    [InlineData("+3", 3)]
    [InlineData("5x", 5)]
    [InlineData("down", 0)]
    [InlineData("-", 0)]
    [InlineData("010", 8)]
    [InlineData("09", 0)]
    [InlineData("0x1F", 31)]
    [InlineData("0x", 0)]
    [InlineData("300", 254)]
    [InlineData("-2147483648", -254)]
    public void It_is_what_C_reads(string text, int expected)
    {
        Assert.True(TrackFileValue.TryParse(text, out int value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("2147483648")]
    [InlineData("-2147483649")]
    [InlineData("99999999999999999999999999")]
    public void Beyond_32_bits_it_is_ignored(string text) => Assert.False(TrackFileValue.TryParse(text, out _));
}
