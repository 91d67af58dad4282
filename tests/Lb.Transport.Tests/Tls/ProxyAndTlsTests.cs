using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Lb.Transport.Tests.Tls;

/// <summary>PROXY headers and routes where TLS begins or ends at the gateway.</summary>
public sealed class ProxyAndTlsTests : TlsGatewayTestBase
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T9")]
    public async Task The_header_goes_to_the_server_before_TLS(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = l.AddServer(configure: static s =>
        {
            s.SendProxy = "v1";
            s.Tls = new ServerTlsOptions { Verify = ServerVerify.None };
        }));
        using Socket client = await lab.ClientAsync();
        using Socket accepted = await server.AcceptAsync();
        string expected = $"PROXY TCP4 127.0.0.1 127.0.0.1 {((IPEndPoint)client.LocalEndPoint!).Port} {((IPEndPoint)client.RemoteEndPoint!).Port}\r\n";
        Assert.Equal(expected, Encoding.ASCII.GetString(await accepted.ReadAsync(expected.Length)));
        Assert.Equal([22, 3], await accepted.ReadAsync(2));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T9")]
    public async Task What_the_gateway_knows_of_the_clients_TLS_is_told(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(
            driver,
            l => server = l.AddServer(configure: static s =>
            {
                s.SendProxy = "v2-ssl";
                s.ProxyV2Options.Add("authority");
                s.ProxyV2Options.Add("ssl-cipher");
            }));
        await using SslStream client = await ConnectAsync(lab);
        using Socket accepted = await server.AcceptAsync();
        string described = SendProxyTests.Describe(await SendProxyTests.HeaderAsync(accepted));
        Assert.EndsWith($"|Authority=www.example.com Tls=TLSv1.3,,{client.NegotiatedCipherSuite}", described, StringComparison.Ordinal);
        await client.WriteAsync("hello"u8.ToArray());
        Assert.Equal("hello"u8.ToArray(), await accepted.ReadAsync(5));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "T10")]
    [Trait("Row", "C1")]
    public async Task A_name_chooses_the_pool_where_the_gateway_ends_TLS_too(string driver)
    {
        TestServer web = null!, api = null!;
        GatewayLab lab = await StartTlsAsync(driver, l =>
        {
            web = l.AddServer();
            api = l.Own(new TestServer());
            l.Configure.Add(options => (options.Pools["api"] = new PoolOptions()).Servers.Add(new ServerOptions { Name = "api", Address = api.Address }));
            l.SetGateway(static g =>
            {
                g.AcceptProxy = new AcceptProxyOptions();
                g.Routes.Add(new RouteOptions { Pool = "api", Sni = { "*.api.example" } });
            });
        });
        foreach ((string name, TestServer server) in ((string, TestServer)[])[("a.api.example", api), ("www.example.com", web), ("b.api.example", api)])
        {
            Socket socket = await lab.ClientAsync();
            await socket.SendAllAsync("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n"u8.ToArray());
            await using SslStream client = await HandshakeAsync(socket, name);
            await client.WriteAsync("hello"u8.ToArray());
            using Socket accepted = await server.AcceptAsync();
            Assert.Equal("hello"u8.ToArray(), await accepted.ReadAsync(5));
        }
    }
}
