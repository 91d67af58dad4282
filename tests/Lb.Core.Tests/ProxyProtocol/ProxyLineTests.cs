using System.Text;

namespace Lb.Core.Tests.ProxyProtocol;

/// <summary>Version 1, against the grammar of proxy-protocol.txt, 2.1.</summary>
[Trait("Row", "T8")]
public sealed class ProxyLineTests
{
    [Theory]
    // The specification's own example, its longest lines, and what senders write beside them.
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1:56324", "192.168.0.11:443")]
    [InlineData("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535", "255.255.255.255:65535")]
    [InlineData("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0", "0.0.0.0:0")]
    [InlineData(
        "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")]
    [InlineData("PROXY TCP6 2001:DB8::1 ::1 1 2\r\n", "[2001:db8::1]:1", "[::1]:2")]
    [InlineData("PROXY TCP6 fe80:0::1 :: 1 2\r\n", "[fe80::1]:1", "[::]:2")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.7 1:2:3:4:5:6:7:: 1 2\r\n", "192.0.2.7:1", "[1:2:3:4:5:6:7:0]:2")]
    [InlineData("PROXY UNKNOWN\r\n", "-", "-")]
    [InlineData("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", "-", "-")]
    [InlineData("PROXY UNKNOWN whatever this is\r\n", "-", "-")]
    public void Right_lines_are_taken(string line, string source, string destination)
    {
        byte[] data = Encoding.ASCII.GetBytes($"{line}GET / HTTP/1.1\r\n");
        Assert.Equal(ProxyHeaderResult.Done, ProxyHeader.Read(data, out ProxyHeader header));
        Assert.Equal((line.Length, 1, false), (header.Length, header.Version, header.IsLocal));
        Assert.Equal((source, destination), (header.Source.ToString(), header.Destination.ToString()));
        for (int i = 0; i < line.Length; i++) Assert.Equal(ProxyHeaderResult.NeedMore, ProxyHeader.Read(data.AsSpan(0, i), out _));
    }

    [Theory]
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\n")]
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\r\n")]
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 56324\r443\r\n")]
    [InlineData("PROXY TCP4  192.168.0.1 192.168.0.11 56324 443\r\n")]
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443 \r\n")]
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443 1\r\n")]
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 56324\r\n")]
    [InlineData("PROXY TCP4 192.168.0.01 192.168.0.11 56324 443\r\n")]
    [InlineData("PROXY TCP4 192.168.0.256 192.168.0.11 56324 443\r\n")]
    [InlineData("PROXY TCP4 192.168.1 192.168.0.11 56324 443\r\n")]
    [InlineData("PROXY TCP4 192.168.0.1. 192.168.0.11 56324 443\r\n")]
    [InlineData("PROXY TCP4 192.168.0.1.1 192.168.0.11 56324 443\r\n")]
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 65536 443\r\n")]
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 056 443\r\n")]
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 +56 443\r\n")]
    [InlineData("PROXY TCP4 192.168.0.1 192.168.0.11 -1 443\r\n")]
    [InlineData("PROXY TCP4 ::1 ::1 56324 443\r\n")]
    [InlineData("PROXY TCP6 192.168.0.1 192.168.0.11 56324 443\r\n")]
    [InlineData("PROXY TCP6 ::1 192.168.0.11 56324 443\r\n")]
    [InlineData("PROXY TCP6 1::2::3 ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 1:2:3:4::5:6:7:8 ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 12345:: ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 :1:: ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 1: ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 ::1%eth0 ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 [::1] ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 ::1.2.3.4:5 ::1 1 2\r\n")]
    [InlineData("PROXY tcp4 192.168.0.1 192.168.0.11 56324 443\r\n")]
    [InlineData("PROXY UDP4 192.168.0.1 192.168.0.11 56324 443\r\n")]
    [InlineData("PROXY TCP4\r\n")]
    [InlineData("PROXY \r\n")]
    [InlineData("PROXY UNKNOWNS\r\n")]
    public void Wrong_lines_are_refused(string line) => Assert.Equal(ProxyHeaderResult.BadLine, ProxyHeader.Read(Encoding.ASCII.GetBytes(line), out _));

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("PROXX")]
    [InlineData("PROXY\tTCP4")]
    [InlineData("proxy TCP4 192.168.0.1 192.168.0.11 56324 443\r\n")]
    public void Something_else_is_told_at_its_first_wrong_byte(string data)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(data);
        Assert.Equal(ProxyHeaderResult.NotProxy, ProxyHeader.Read(bytes, out _));
        int wrong = bytes.AsSpan().CommonPrefixLength("PROXY "u8);
        Assert.Equal(ProxyHeaderResult.NotProxy, ProxyHeader.Read(bytes.AsSpan(0, wrong + 1), out _));
        Assert.Equal(ProxyHeaderResult.NeedMore, ProxyHeader.Read(bytes.AsSpan(0, wrong), out _));
    }

    [Fact]
    public void A_line_ends_within_107_bytes()
    {
        byte[] longest = Encoding.ASCII.GetBytes("PROXY UNKNOWN ".PadRight(105, 'x') + "\r\n");
        Assert.Equal(ProxyHeader.MaxLineLength, longest.Length);
        Assert.Equal(ProxyHeaderResult.Done, ProxyHeader.Read(longest, out _));
        byte[] longer = Encoding.ASCII.GetBytes("PROXY UNKNOWN ".PadRight(106, 'x') + "\r\n");
        Assert.Equal(ProxyHeaderResult.LineTooLong, ProxyHeader.Read(longer, out _));
        Assert.Equal(ProxyHeaderResult.LineTooLong, ProxyHeader.Read(longer.AsSpan(0, 107), out _));
        Assert.Equal(ProxyHeaderResult.NeedMore, ProxyHeader.Read(longer.AsSpan(0, 106), out _));
    }
}
