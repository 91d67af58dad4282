namespace Lb.Health.Tests.Judging;

[Trait("Row", "H11")]
public sealed class IcmpEchoTests
{
    private static readonly byte[] Token = [.. "0123456789abcdef"u8];

    [Theory]
    [InlineData("0001f203f4f5f6f7", 0x220d)]
    [InlineData("", 0xffff)]
    [InlineData("ff", 0x00ff)]
    public void The_checksum_is_that_of_the_standard(string hex, int expected)
    {
        // RFC 1071, 3: the sum of the first row is ddf2, and its complement 220d.
        Assert.Equal(expected, IcmpEcho.Checksum(Convert.FromHexString(hex)));
    }

    [Fact]
    public void A_request_has_type_identifier_sequence_and_token()
    {
        byte[] v4 = IcmpEcho.Request(isV6: false, 0x1234, Token), v6 = IcmpEcho.Request(isV6: true, 0x1234, Token);
        Assert.Equal("0800", Convert.ToHexStringLower(v4.AsSpan(0, 2)));
        Assert.Equal("12340001", Convert.ToHexStringLower(v4.AsSpan(4, 4)));
        Assert.Equal(Token, v4[8..]);
        Assert.Equal(0, IcmpEcho.Checksum(v4));
        Assert.Equal("8000000012340001", Convert.ToHexStringLower(v6.AsSpan(0, 8)));
    }

    [Theory]
    [InlineData("0000 0000 1234 0001", false, false, true)]
    [InlineData("0800 0000 1234 0001", false, false, false)]
    [InlineData("0001 0000 1234 0001", false, false, false)]
    [InlineData("0000 0000 1234 0002", false, false, false)]
    [InlineData("8100 0000 9999 0001", true, false, true)]
    [InlineData("8000 0000 1234 0001", true, false, false)]
    [InlineData("4500 0000 0000 0000 0000 0000 7f000001 7f000001 0000 0000 1234 0001", false, true, true)]
    [InlineData("4600 0000 0000 0000 0000 0000 7f000001 7f000001 00000000 0000 0000 1234 0001", false, true, true)]
    [InlineData("4100 0000", false, true, false)]
    [InlineData("6500 0000 0000 0000 0000 0000 7f000001 7f000001 0000 0000 1234 0001", false, true, false)]
    public void A_reply_brings_the_token_back(string head, bool isV6, bool hasIpHeader, bool expected)
    {
        byte[] start = Convert.FromHexString(head.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(expected, IcmpEcho.IsReply([.. start, .. Token], isV6, hasIpHeader, Token));
        Assert.False(IcmpEcho.IsReply([.. start, .. Token.Reverse()], isV6, hasIpHeader, Token));
        for (int i = 0; i < start.Length + Token.Length; i++) Assert.False(IcmpEcho.IsReply(((byte[])[.. start, .. Token]).AsSpan(0, i), isV6, hasIpHeader, Token));
    }
}
