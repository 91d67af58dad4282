using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Transport.Tests;

/// <summary>Servers that are told who their client is.</summary>
[Trait("Row", "T9")]
public sealed class SendProxyTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Version_1_names_both_ends_of_the_clients_connection_before_anything_else(string driver)
    {
        (GatewayLab lab, TestServer server) = await StartAsync(driver, static s => s.SendProxy = "v1");
        using Socket client = await lab.ClientAsync();
        using Socket accepted = await server.AcceptAsync();

        // Also to a client who has not said anything: the server may be the one who speaks first.
        IPEndPoint from = (IPEndPoint)client.LocalEndPoint!, to = (IPEndPoint)client.RemoteEndPoint!;
        string expected = $"PROXY TCP4 127.0.0.1 127.0.0.1 {from.Port} {to.Port}\r\n";
        Assert.Equal(expected, Encoding.ASCII.GetString(await accepted.ReadAsync(expected.Length)));
        await client.SendAllAsync("hello"u8.ToArray());
        Assert.Equal("hello"u8.ToArray(), await accepted.ReadAsync(5));
        await accepted.SendAllAsync("answer"u8.ToArray());
        Assert.Equal("answer"u8.ToArray(), await client.ReadAsync(6));
        Assert.Equal(5, lab.Gateway.BytesIn);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Version_2_says_what_it_is_asked_to_say(string driver)
    {
        (GatewayLab lab, TestServer server) = await StartAsync(
            driver,
            static s =>
            {
                s.SendProxy = "v2-ssl-cn";
                foreach (string word in (string[])["crc32c", "authority", "alpn", "unique-id"]) s.ProxyV2Options.Add(word);
            },
            static g => g.AcceptProxy = new AcceptProxyOptions());

        // What a proxy before us has said goes on to the server.
        byte[] announced = new byte[512];
        ProxyHeaderWriter writer = new(announced, PeerAddress.FromV4(0xC0000207, 1), PeerAddress.FromV4(0xC0000201, 2));
        writer.Add(ProxyTlvType.Alpn, "h2"u8);
        writer.Add(ProxyTlvType.Authority, "a.example"u8);
        writer.Add(ProxyTlvType.UniqueId, "id-1"u8);
        writer.AddTls(new ProxyTls { Client = ProxyTlsClient.Tls, Verify = 1, Version = "TLSv1.3"u8, CommonName = "me"u8, Cipher = "C"u8 });
        announced = announced[..writer.Finish()];
        using Socket client = await lab.ClientAsync();
        await client.SendAllAsync(announced);
        using Socket accepted = await server.AcceptAsync();
        byte[] header = await HeaderAsync(accepted);
        Assert.Equal("192.0.2.7:1 192.0.2.1:2|Alpn=h2 Authority=a.example UniqueId=id-1 Tls=TLSv1.3,me, Crc32C", Describe(header));

        // Without one before us there is an id all the same, another one each time.
        string[] ids = new string[2];
        for (int i = 0; i < ids.Length; i++)
        {
            using Socket plain = await lab.ClientAsync();
            await plain.SendAllAsync("PROXY TCP4 192.0.2.8 192.0.2.1 3 4\r\n"u8.ToArray());
            using Socket other = await server.AcceptAsync();
            ids[i] = Describe(await HeaderAsync(other));
            Assert.Matches("^192\\.0\\.2\\.8:3 192\\.0\\.2\\.1:4\\|UniqueId=[0-9a-f]{32} Crc32C$", ids[i]);
        }

        Assert.NotEqual(ids[0], ids[1]);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task The_name_of_a_client_that_is_passed_through_is_told(string driver)
    {
        (GatewayLab lab, TestServer server) = await StartAsync(
            driver,
            static s =>
            {
                s.SendProxy = "v2";
                s.ProxyV2Options.Add("authority");
            },
            static g => g.Routes.Add(new RouteOptions { Pool = "web", Sni = { "*.example" } }));
        byte[] hello = Hello.For("a.example", "h2");
        using Socket client = await lab.ClientAsync();
        await client.SendAllAsync(hello);
        using Socket accepted = await server.AcceptAsync();
        Assert.EndsWith("|Authority=a.example", Describe(await HeaderAsync(accepted)), StringComparison.Ordinal);
        Assert.Equal(hello, await accepted.ReadAsync(hello.Length));
    }

    [Fact(Timeout = Timeout)]
    public async Task A_client_of_a_Unix_socket_has_no_address()
    {
        string path = Path.Combine(Path.GetTempPath(), $"lb-{Guid.NewGuid():N}.sock");
        (GatewayLab lab, TestServer server) = await StartAsync(
            "managed",
            static s => s.SendProxy = "v1",
            g =>
            {
                g.Listen.Clear();
                g.Listen.Add($"unix:{path}");
            });
        using Socket client = await lab.ClientAsync();
        using Socket accepted = await server.AcceptAsync();
        Assert.Equal("PROXY UNKNOWN\r\n"u8.ToArray(), await accepted.ReadAsync(15));
    }

    private async Task<(GatewayLab Lab, TestServer Server)> StartAsync(string driver, Action<ServerOptions> configure, Action<GatewayOptions>? gateway = null)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = l.AddServer(configure: configure);
            if (gateway is not null) l.SetGateway(gateway);
        });
        return (lab, server);
    }

    internal static async Task<byte[]> HeaderAsync(Socket socket)
    {
        byte[] head = await socket.ReadAsync(16);
        return [.. head, .. await socket.ReadAsync((head[14] << 8) + head[15])];
    }

    internal static string Describe(byte[] data)
    {
        Assert.Equal((ProxyHeaderResult.Done, data.Length), (ProxyHeader.Read(data, out ProxyHeader header), header.Length));
        List<string> values = [];
        foreach (ProxyTlv tlv in header.Tlvs)
        {
            string value = $"={Encoding.ASCII.GetString(tlv.Value)}";
            if (tlv.Type == ProxyTlvType.Crc32C) value = "";
            if (tlv.Type == ProxyTlvType.Tls && header.Tlvs.TryGetTls(out ProxyTls tls))
                value = $"={Encoding.ASCII.GetString(tls.Version)},{Encoding.ASCII.GetString(tls.CommonName)},{Encoding.ASCII.GetString(tls.Cipher)}";
            values.Add($"{tlv.Type}{value}");
        }

        return $"{header.Source} {header.Destination}|{string.Join(' ', values)}";
    }
}
