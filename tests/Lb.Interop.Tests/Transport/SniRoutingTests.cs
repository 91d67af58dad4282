using System.Net;
using System.Security.Cryptography.X509Certificates;
using Lb.Contracts.Checkers;
using Lb.Interop.Tests.Health;
using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Transport;

/// <summary>TLS clients of others come through us to the server of the name they ask for, who alone has the key.</summary>
[Trait("Row", "T10")]
[Trait("Row", "C10")]
public sealed class SniRoutingTests
{
    [Theory(Timeout = Ask.Limit)]
    [InlineData("-servername one.example", "one.example")]
    [InlineData("-servername www.two.example", "two.example")]
    [InlineData("-servername ONE.example -tls1_2", "one.example")]
    [InlineData("-servername other.example", "rest.example")]
    [InlineData("-noservername", "rest.example")]
    [InlineData("-servername other.example -alpn h2,http/1.1", "two.example")]
    public async Task OpenSSL_meets_the_certificate_of_the_name(string arguments, string certificate)
    {
        Peer.Demand(OpenSsl.Need, Nginx.Need);
        using PeerHome home = new();
        (Peer nginx, GatewayHost gate) = await StartAsync(home);
        await using Peer ownedPeer = nginx;
        await using GatewayHost ownedGate = gate;
        await using Peer client = Peer.Start(
            home, [OpenSsl.Need.Program, "s_client", "-connect", gate.EndPoint.ToString(), "-CAfile", Certificates.One.CaFile, "-verify_return_error", "-verify_hostname", certificate, "-brief", .. arguments.Split(' ')]);
        string verdict = await client.Lines.WhenAsync(static l => l.StartsWith("Verified peername", StringComparison.Ordinal) || l.Contains("error", StringComparison.OrdinalIgnoreCase));
        Assert.Equal($"Verified peername: {certificate}", verdict);
        Assert.Contains("Verification: OK", client.Lines.All);
    }

    [Theory(Timeout = Ask.Limit)]
    [InlineData("one.example", "one")]
    [InlineData("www.two.example", "two")]
    public async Task Curl_reads_the_page_of_the_name(string name, string page)
    {
        Peer.Demand(OpenSsl.NeedsCurl, Nginx.Need);
        using PeerHome home = new();
        (Peer nginx, GatewayHost gate) = await StartAsync(home);
        await using Peer ownedPeer = nginx;
        await using GatewayHost ownedGate = gate;
        string[] command = [OpenSsl.NeedsCurl.Program, "-s", "--max-time", "30", "--insecure", "--http1.1", "--no-alpn", "--connect-to", $"::{gate.EndPoint}", $"https://{name}/"];
        Assert.Equal(page, (await Peer.RunAsync(home, command)).Trim());
    }

    private static async Task<(Peer Nginx, GatewayHost Gate)> StartAsync(PeerHome home)
    {
        string[] names = ["one", "two", "rest"];
        IPEndPoint[] ports = [Ports.Next(), Ports.Next(), Ports.Next()];
        string servers = string.Concat(names.Zip(ports).Select(pair =>
        {
            using X509Certificate2 made = Certificates.One.Make($"{pair.First}.example");
            string file = Certificates.Write(made, home.PathOf($"{pair.First}.pem"));
            return $"  server {{ listen {pair.Second} ssl; ssl_certificate {file}; ssl_certificate_key {file}; ssl_protocols TLSv1.2 TLSv1.3; location / {{ return 200 \"{pair.First}\"; }} }}\n";
        }));
        Peer nginx = await Nginx.StartAsync(home, ports[2], servers);
        GatewayHost gate = await GatewayHost.StartAsync((options, gateway) =>
        {
            options.Pools["web"].Servers.Add(new ServerOptions { Address = ports[2].ToString() });
            options.Pools["one"] = new PoolOptions { Servers = { new ServerOptions { Address = ports[0].ToString() } } };
            options.Pools["two"] = new PoolOptions { Servers = { new ServerOptions { Address = ports[1].ToString() } } };
            gateway.Routes.Add(new RouteOptions { Pool = "one", Sni = { "one.example" } });
            gateway.Routes.Add(new RouteOptions { Pool = "two", Sni = { "*.two.example" } });
            gateway.Routes.Add(new RouteOptions { Pool = "two", Alpn = { "h2" } });
        });
        return (nginx, gate);
    }
}
