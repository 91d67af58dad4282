namespace Lb.Core.Tests.Configuration;

/// <summary>What gateways look at before they pick, and what servers are told.</summary>
public sealed class PrefaceBindingTests
{
    [Fact]
    [Trait("Row", "T8")]
    public void Who_must_send_a_header_is_read()
    {
        AcceptProxyOptions proxy = Gateway("""{ "From": [ "10.0.0.0/8", "2001:db8::/32", "unix" ], "Timeout": "1s" }""").AcceptProxy!;
        Assert.Equal(["10.0.0.0/8", "2001:db8::/32", "unix"], proxy.From);
        Assert.Equal(TimeSpan.FromSeconds(1), proxy.Timeout);
        Assert.Equal((0, TimeSpan.FromSeconds(3)), (Gateway("true").AcceptProxy!.From.Count, Gateway("{}").AcceptProxy!.Timeout));
        Assert.Null(Gateway("false").AcceptProxy);
    }

    [Fact]
    [Trait("Row", "T10")]
    public void Routes_are_read_in_their_order()
    {
        GatewayOptions gateway = Gateway("false", """ "InspectDelay": "2s", "Routes": [ { "Sni": [ "*.example.com", "a.example" ], "Pool": "web" }, { "Alpn": "h2", "Pool": "web" } ], """);
        Assert.Equal(TimeSpan.FromSeconds(2), gateway.InspectDelay);
        Assert.Equal([("*.example.com|a.example", "", "web"), ("", "h2", "web")], gateway.Routes.Select(static r => (string.Join('|', r.Sni), string.Join('|', r.Alpn), r.Pool)));
    }

    [Fact]
    [Trait("Row", "T9")]
    public void What_a_server_is_told_reaches_the_server()
    {
        ServerPool pool = new("web", new PoolOptions
        {
            Servers =
            {
                new() { Name = "a", Address = "192.0.2.1:80" },
                new() { Name = "b", Address = "192.0.2.2:80", SendProxy = "v1" },
                new() { Name = "c", Address = "192.0.2.3:80", SendProxy = "V2-ssl-cn" },
                new() { Name = "d", Address = "192.0.2.4:80", SendProxy = "v2", ProxyV2Options = { "crc32c", "authority", "unique-id", "alpn", "ssl-cipher" } },
            },
        });
        Assert.Equal(
            [
                ProxySending.None, ProxySending.Version1, ProxySending.Version2 | ProxySending.Tls | ProxySending.CommonName,
                ProxySending.Version2 | ProxySending.Checksum | ProxySending.Authority | ProxySending.UniqueId | ProxySending.Alpn | ProxySending.Tls | ProxySending.Cipher,
            ],
            pool.Servers.Select(static s => s.SendProxy));
        pool.Reconcile([new() { Name = "a", Address = "192.0.2.1:80", SendProxy = "v2" }]);
        Assert.Equal(ProxySending.Version2, pool.Servers[0].SendProxy);
    }

    [Theory]
    [InlineData(""" "AcceptProxy": "perhaps", """, "AcceptProxy = 'perhaps': must be true or false")]
    [InlineData(""" "AcceptProxy": { "From": [ "10.0.0.0/33" ] }, """, "AcceptProxy:From:0 = '10.0.0.0/33': the prefix '33' must be 0 to 32, or unix")]
    [InlineData(""" "AcceptProxy": { "Timeout": "0s" }, """, "AcceptProxy:Timeout = '0s': must be a duration above 0 and at most 24d")]
    [InlineData(""" "InspectDelay": "0s", """, "InspectDelay = '0s': must be a duration above 0 and at most 24d")]
    [InlineData(""" "Routes": [ { "Pool": "web" } ], """, "Routes:0: needs Sni or Alpn: what is in no route goes to the gateway's Pool")]
    [InlineData(""" "Routes": [ { "Sni": "a.example", "Pool": "nosuch" } ], """, "Routes:0:Pool = 'nosuch': is no pool; there are: web")]
    [InlineData(""" "Routes": [ { "Sni": [ "a.example", "*.*.example" ], "Pool": "web" } ], """, "Routes:0:Sni:1 = '*.*.example': must be a host name in ASCII, as a.example, or *.example.com for all below it")]
    [InlineData(""" "Routes": [ { "Alpn": "h 2", "Pool": "web" } ], """, "Routes:0:Alpn:0 = 'h 2': must be the name of a protocol, as h2 or http/1.1")]
    public void Faults_of_gateways_are_named(string keys, string error) => Assert.Equal([$"Lb:Gateways:g:{error}"], Errors(keys, ""));

    [Theory]
    [InlineData(""" "SendProxy": "v3", """, "SendProxy = 'v3': must be one of v1, v2, v2-ssl, v2-ssl-cn in this version")]
    [InlineData(""" "SendProxy": "v1", "ProxyV2Options": "crc32c", """, "ProxyV2Options: means nothing without SendProxy v2")]
    [InlineData(""" "SendProxy": "v2", "ProxyV2Options": "crc32", """, "ProxyV2Options:0 = 'crc32': must be one of ssl, cert-cn, ssl-cipher, authority, alpn, unique-id, crc32c")]
    public void Faults_of_servers_are_named(string keys, string error) => Assert.Equal([$"Lb:Pools:web:Servers:0:{error}"], Errors("", keys));

    private static IEnumerable<string> Errors(string gateway, string server) =>
        TestConfiguration.Errors(Text(gateway, server)).Where(static e => !e.Contains("AddGateways", StringComparison.Ordinal));

    private static GatewayOptions Gateway(string accept, string more = "") => TestConfiguration.Read(Text($""" "AcceptProxy": {accept}, {more} """, "")).Options.Gateways["g"];

    private static string Text(string gateway, string server) =>
        $$"""{ "Pools": { "web": { "Servers": [ { {{server}} "Address": "192.0.2.1:80" } ] } }, "Gateways": { "g": { {{gateway}} "Listen": "127.0.0.1:1", "Pool": "web" } } }""";
}
