using System.Net;
using System.Net.Sockets;

namespace Lb.Transport.Tests;

[Trait("Row", "T5")]
public sealed class ListenAddressTests
{
    [Theory]
    [InlineData("0.0.0.0:80", "0.0.0.0:80", true)]
    [InlineData("*:80", "0.0.0.0:80", true)]
    [InlineData(":80", "0.0.0.0:80", true)]
    [InlineData(" 127.0.0.1:65535 ", "127.0.0.1:65535", true)]
    [InlineData("127.0.0.1:0", "127.0.0.1:0", true)]
    [InlineData("[::]:80", "[::]:80", true)]
    [InlineData("[::]:80 v6only", "[::]:80", false)]
    [InlineData("[::1]:80 V6ONLY", "[::1]:80", false)]
    [InlineData("[2001:db8::1]:8080", "[2001:db8::1]:8080", true)]
    public void Reads_an_address(string text, string endPoint, bool dual)
    {
        ListenAddress address = Assert.Single(Parse(text));
        Assert.Equal(IPEndPoint.Parse(endPoint), address.EndPoint);
        Assert.Equal(dual, address.DualMode);
    }

    [Theory]
    [InlineData("127.0.0.1:8000-8010", 8000, 11)]
    [InlineData("127.0.0.1:8000-8000", 8000, 1)]
    [InlineData("127.0.0.1:1-1024", 1, 1024)]
    [InlineData("*:64512-65535", 64512, 1024)]
    public void Reads_a_range(string text, int first, int count)
    {
        Assert.Equal(Enumerable.Range(first, count), Parse(text).Select(static a => ((IPEndPoint)a.EndPoint).Port));
    }

    [Theory]
    [InlineData("unix:/run/lb.sock", "/run/lb.sock")]
    [InlineData("UNIX:lb.sock", "lb.sock")]
    public void Reads_a_unix_socket(string text, string path) =>
        Assert.Equal(new UnixDomainSocketEndPoint(path), Assert.Single(Parse(text)).EndPoint);

    [Theory]
    [InlineData("", "address:port")]
    [InlineData("80", "address:port")]
    [InlineData("127.0.0.1", "address:port")]
    [InlineData("[::1]", "address:port")]
    [InlineData("localhost:80", "IPv4")]
    [InlineData("1.2.3:80", "IPv4")]
    [InlineData("1.2.3.4.5:80", "IPv4")]
    [InlineData("256.1.1.1:80", "IPv4")]
    [InlineData("::1:80", "brackets")]
    [InlineData("[127.0.0.1]:80", "brackets")]
    [InlineData("[::1:80", "brackets")]
    [InlineData("127.0.0.1:", "port")]
    [InlineData("127.0.0.1:http", "port")]
    [InlineData("127.0.0.1:-1", "port")]
    [InlineData("127.0.0.1:+80", "port")]
    [InlineData("127.0.0.1:8 0", "port")]
    [InlineData("127.0.0.1:65536", "port")]
    [InlineData("127.0.0.1:80-", "port")]
    [InlineData("127.0.0.1:80-81-82", "port")]
    [InlineData("127.0.0.1:99999999999", "port")]
    [InlineData("127.0.0.1:8010-8000", "upwards")]
    [InlineData("127.0.0.1:0-10", "above 0")]
    [InlineData("127.0.0.1:1-1025", "1024")]
    [InlineData("127.0.0.1:80 v6only", "v6only")]
    [InlineData("*:80 v6only", "v6only")]
    [InlineData("unix:", "107")]
    public void Refuses_everything_else_and_says_why(string text, string expected)
    {
        Assert.False(ListenAddress.TryParse(text, out IReadOnlyList<ListenAddress>? addresses, out string? error));
        Assert.Null(addresses);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(107, true)]
    [InlineData(108, false)]
    public void A_unix_path_has_at_most_107_bytes(int length, bool valid) =>
        Assert.Equal(valid, ListenAddress.TryParse("unix:/" + new string('x', length - 1), out _, out _));

    [Theory]
    [InlineData("127.0.0.1:80")]
    [InlineData("[::]:80")]
    [InlineData("[::]:80 v6only")]
    [InlineData("unix:/run/lb.sock")]
    public void Writes_what_it_reads(string text) => Assert.Equal(text, Assert.Single(Parse(text)).ToString());

    private static IReadOnlyList<ListenAddress> Parse(string text)
    {
        Assert.True(ListenAddress.TryParse(text, out IReadOnlyList<ListenAddress>? addresses, out string? error), error);
        return addresses;
    }
}
