using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Transport.Tests.Tls;

/// <summary>TLS beside what else looks at first bytes: PROXY headers, routes by name.</summary>
[Trait("Row", "C1")]
[Trait("Row", "C5")]
[Trait("Row", "T9")]
public sealed class TlsBesideTests : TlsGatewayTestBase
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_PROXY_header_comes_before_the_clients_TLS_and_goes_before_that_to_the_server(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(
            driver,
            l =>
            {
                server = l.AddServer(configure: static s => (s.SendProxy, s.Tls) = ("v1", new ServerTlsOptions { CaFile = TestCertificates.AuthorityFile, Sni = "app.example.com" }));
                l.SetGateway(static g => g.AcceptProxy = new AcceptProxyOptions());
            });
        byte[] header = "PROXY TCP4 192.0.2.7 192.0.2.1 1111 443\r\n"u8.ToArray();
        Socket socket = await lab.ClientAsync();
        await socket.SendAllAsync(header);
        SslStream client = await HandshakeAsync(socket, "www.example.com");
        await client.WriteAsync("hello"u8.ToArray());

        // In the clear, and then TLS begins.
        Socket raw = await server.AcceptAsync();
        Assert.Equal(header, await raw.ReadAsync(header.Length));
        using X509Certificate2 own = TestCertificates.Make("app.example.com");
        await using SslStream accepted = new(new NetworkStream(raw, ownsSocket: false));
        await accepted.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = own });
        byte[] got = new byte[5];
        await accepted.ReadExactlyAsync(got);

        Assert.Equal("hello"u8.ToArray(), got);
        Assert.Equal(5, lab.Gateway.BytesIn);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task The_server_is_told_of_the_TLS_that_ends_here(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(
            driver,
            l => server = l.AddServer(configure: static s =>
            {
                s.SendProxy = "v2-ssl-cn";
                foreach (string word in (string[])["ssl-cipher", "authority", "alpn"]) s.ProxyV2Options.Add(word);
            }),
            tls =>
            {
                Add(tls, "www.example.com");
                tls.Ciphers.Add(nameof(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256));
                tls.MaxVersion = "1.2";
                tls.ClientCertificate = ClientCertificate.Required;
                tls.CaFile = TestCertificates.AuthorityFile;
                tls.Alpn.Add("h2");
            });
        using X509Certificate2 own = TestCertificates.Make("client.example.com");
        Socket socket = await lab.ClientAsync();
        SslStream client = await HandshakeAsync(socket, "www.example.com", own, SslApplicationProtocol.Http2);
        Socket accepted = await server.AcceptAsync();
        byte[] fixedPart = await accepted.ReadAsync(16);
        byte[] whole = [.. fixedPart, .. await accepted.ReadAsync((fixedPart[14] << 8) | fixedPart[15])];
        Assert.Equal(ProxyHeaderResult.Done, ProxyHeader.Read(whole, out ProxyHeader header));

        Assert.True(header.Tlvs.TryGet(ProxyTlvType.Alpn, out ReadOnlySpan<byte> alpn) && alpn.SequenceEqual("h2"u8));
        Assert.True(header.Tlvs.TryGet(ProxyTlvType.Authority, out ReadOnlySpan<byte> name) && name.SequenceEqual("www.example.com"u8));
        Assert.True(header.Tlvs.TryGetTls(out ProxyTls tls));
        Assert.Equal(ProxyTlsClient.Tls | ProxyTlsClient.CertificateOnConnection | ProxyTlsClient.CertificateInSession, tls.Client);
        Assert.Equal(0u, tls.Verify);
        Assert.Equal("TLSv1.2", Encoding.ASCII.GetString(tls.Version));
        Assert.Equal("Server", Encoding.ASCII.GetString(tls.CommonName));
        Assert.Equal("ECDHE-ECDSA-AES128-GCM-SHA256", Encoding.ASCII.GetString(tls.Cipher));
        await client.DisposeAsync();
    }

    // As `openssl ciphers -stdname -v` pairs them.
    [Theory]
    [InlineData(TlsCipherSuite.TLS_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384")]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384")]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305")]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256")]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA")]
    [InlineData(TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256")]
    [InlineData(TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_CCM_8, "DHE-RSA-AES128-CCM8")]
    public void Suites_have_the_names_that_OpenSSL_gives_them(TlsCipherSuite suite, string name) => Assert.Equal(name, TlsAnnouncement.OpenSslName(suite));

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_route_chooses_the_pool_and_TLS_ends_here_all_the_same(string driver)
    {
        TestServer web = null!, api = null!;
        GatewayLab lab = await StartTlsAsync(driver, l =>
        {
            web = l.AddServer();
            api = l.Own(new TestServer());
            l.Configure.Add(o => o.Pools["api"] = new PoolOptions { Servers = { new ServerOptions { Name = "a1", Address = api.Address } } });
            l.SetGateway(static g => g.Routes.Add(new RouteOptions { Sni = { "api.example.com" }, Pool = "api" }));
        });

        foreach ((string name, TestServer server) in new[] { ("www.example.com", web), ("api.example.com", api) })
        {
            SslStream client = await ConnectAsync(lab, name);
            await client.WriteAsync(Encoding.ASCII.GetBytes(name));
            Socket accepted = await server.AcceptAsync();
            Assert.Equal(name, Encoding.ASCII.GetString(await accepted.ReadAsync(name.Length)));
        }

        Assert.Equal(1, lab.Host.Services.GetRequiredService<ServerPools>()["api"].Servers[0].TotalLeases);
    }
}
