using System.Text;

namespace Lb.Transport.Tests;

[Trait("Row", "T10")]
[Trait("Row", "C10")]
public sealed class ClientHelloTests
{
    private readonly byte[] _scratch = new byte[ClientHello.MaxLength];

    [Theory]
    [InlineData(16384)]
    [InlineData(100)]
    [InlineData(4)]
    [InlineData(1)]
    public void What_is_asked_for_is_found_however_it_is_cut(int record)
    {
        byte[] data = Hello.Records(Hello.Message("WWW.Example.com", ["h2", "http/1.1"], padding: record switch { > 4 => 600, 1 => 60, _ => 0 }), record);
        if (record == 1)
        {
            // More pieces than anybody needs.
            Assert.Equal(ClientHelloResult.Invalid, ClientHello.Read(data, _scratch, out _));
            return;
        }

        Assert.Equal(ClientHelloResult.Done, ClientHello.Read([.. data, 22, 3, 3], _scratch, out ClientHello hello));
        Assert.Equal("WWW.Example.com", Encoding.ASCII.GetString(hello.ServerName));
        Assert.Equal((true, true, false, 0x0304), (hello.Offers("h2"u8), hello.Offers("http/1.1"u8), hello.Offers("http"u8), hello.Version));
        for (int i = 0; i < data.Length; i++) Assert.Equal(ClientHelloResult.NeedMore, ClientHello.Read(data.AsSpan(0, i), _scratch, out _));
    }

    // OpenSSL 3.0's own, `openssl s_client -servername a.example -alpn h2 -tls1_2`, kept as it was captured.
    [Fact]
    public void A_clients_own_is_read()
    {
        byte[] data = Convert.FromHexString(Captured);
        Assert.Equal(ClientHelloResult.Done, ClientHello.Read(data, _scratch, out ClientHello hello));
        Assert.Equal(("a.example", true, 0x0303), (Encoding.ASCII.GetString(hello.ServerName), hello.Offers("h2"u8), hello.Version));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1", ClientHelloResult.NotTls)]
    [InlineData("\u0080\u002e\u0001\u0003\u0001", ClientHelloResult.NotTls)]
    [InlineData("\u0016\u0002", ClientHelloResult.NotTls)]
    [InlineData("\u0016\u0003\u0001\u0000\u0004\u0002", ClientHelloResult.NotTls)]
    [InlineData("\u0016\u0003\u0001\u0000\u0000", ClientHelloResult.Invalid)]
    [InlineData("\u0016\u0003\u0001\u0040\u0001", ClientHelloResult.Invalid)]
    [InlineData("\u0016\u0003\u0001\u0000\u0004\u0001\u0000\u0040\u0001", ClientHelloResult.Invalid)]
    public void What_is_none_is_told_at_its_first_wrong_byte(string text, object expected)
    {
        byte[] data = Encoding.Latin1.GetBytes(text);
        Assert.Equal(expected, ClientHello.Read(data, _scratch, out _));
    }

    [Theory]
    [InlineData("a..example")]
    [InlineData(".a.example")]
    [InlineData("a b.example")]
    [InlineData("ä.example")]
    [InlineData("a.example/")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("a.example\0")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123.example")]
    public void Names_that_are_none_make_it_invalid(string name) =>
        Assert.Equal(ClientHelloResult.Invalid, ClientHello.Read(Hello.For(name), _scratch, out _));

    [Fact]
    public void No_extension_of_ours_comes_twice()
    {
        byte[] again = Hello.Extension(0, Hello.Sized([0, .. Hello.Sized("b.example"u8.ToArray())]));
        Assert.Equal(ClientHelloResult.Invalid, ClientHello.Read(Hello.Records(Hello.Message("a.example", [], more: again)), _scratch, out _));
    }

    [Theory]
    [InlineData(15_000, ClientHelloResult.Done)]
    [InlineData(16_384, ClientHelloResult.Invalid)]
    public void It_is_looked_at_within_16_KiB(int padding, object expected) =>
        Assert.Equal(expected, ClientHello.Read(Hello.Records(Hello.Message("a.example", [], padding), 4000), _scratch, out _));

    [Theory]
    [InlineData("a.example.com", "", "exact")]
    [InlineData("A.EXAMPLE.COM", "", "exact")]
    [InlineData("a.example.com.", "", "exact")]
    [InlineData("b.example.com", "", "wild")]
    [InlineData("c.b.example.com", "", "wild")]
    [InlineData("x.deep.example.com", "", "deeper")]
    [InlineData("y.x.deep.example.com", "", "deeper")]
    [InlineData("deep.example.com", "", "wild")]
    [InlineData("example.com", "", "")]
    [InlineData("badexample.com", "", "")]
    [InlineData("b.example.com", "h2", "wild h2")]
    [InlineData("b.example.com", "http/1.1|h2", "wild h2")]
    [InlineData("other.example", "acme-tls/1", "any acme")]
    [InlineData("a.example.com", "acme-tls/1", "exact")]
    [InlineData("only.example", "h2", "only h2")]
    [InlineData("only.example", "http/1.1", "")]
    [InlineData(null, "acme-tls/1", "any acme")]
    [InlineData(null, "", "")]
    public void The_best_name_wins_and_then_the_first_route(string? name, string protocols, string expected)
    {
        SniRoutes<string> routes = new([
            Route("any acme", [], ["acme-tls/1"]), Route("wild h2", ["*.example.com"], ["h2"]), Route("wild", ["*.Example.com"], []), Route("deeper", ["*.deep.example.com"], []),
            Route("exact", ["a.example.com"], []), Route("never", ["a.example.com"], []), Route("only h2", ["only.example"], ["h2"]),
        ]);
        byte[] data = Hello.For(name, protocols.Split('|', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(ClientHelloResult.Done, ClientHello.Read(data, _scratch, out ClientHello hello));
        Assert.Equal(expected, routes.Find(in hello) ?? "");

        long allocated = GC.GetAllocatedBytesForCurrentThread();
        ClientHello.Read(data, _scratch, out ClientHello again);
        routes.Find(in again);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - allocated);

        static (RouteOptions Route, string Target) Route(string target, string[] names, string[] protocols)
        {
            RouteOptions route = new() { Pool = target };
            foreach (string sni in names) route.Sni.Add(sni);
            foreach (string protocol in protocols) route.Alpn.Add(protocol);
            return (route, target);
        }
    }

    private const string Captured =
        "16030100d2010000ce030378f09c8e51c37342e1b1fc89fb5cc58d7f5152046dd61c7bcb61be7f8e34e507000038c02cc030009fcca9cca8ccaac02bc02f009ec024c028006b" +
        "c023c0270067c00ac0140039c009c0130033009d009c003d003c0035002f00ff0100006d0000000e000c000009612e6578616d706c65000b000403000102000a000c000a001d" +
        "0017001e00190018002300000010000500030268320016000000170000000d002a0028040305030603080708080809080a080b08040805080604010501060103030301030204" +
        "0205020602";
}
