namespace Lb.Core.Tests.Configuration;

/// <summary>TLS of gateways and servers, read from a configuration.</summary>
public sealed class TlsBindingTests
{
    [Fact]
    [Trait("Row", "C1")]
    [Trait("Row", "C2")]
    public void TLS_of_a_gateway_is_read()
    {
        GatewayTlsOptions tls = Read(
            """
            "Tls": { "Certificates": [ { "CertificateFile": "a.pem", "KeyFile": "a.key", "Names": "*.example.com" }, { "PfxFile": "b.pfx", "Password": "x", "PasswordFile": "y" } ],
              "CertificateDirectory": "certs", "StrictSni": true, "MinVersion": "1.3", "MaxVersion": "1.2", "Ciphers": [ "TLS_AES_128_GCM_SHA256" ], "Alpn": [ "h2", "http/1.1" ],
              "HandshakeTimeout": "3s", "ClientCertificate": "optional", "CaFile": "ca.pem", "OcspStapling": true, "ReloadInterval": "1m" }
            """,
            "").Gateways["g"].Tls!;
        Assert.Equal(("a.pem", "a.key", "*.example.com"), (tls.Certificates[0].CertificateFile, tls.Certificates[0].KeyFile, Assert.Single(tls.Certificates[0].Names)));
        Assert.Equal(("b.pfx", "x", "y"), (tls.Certificates[1].PfxFile, tls.Certificates[1].Password, tls.Certificates[1].PasswordFile));
        Assert.Equal(("certs", true, "1.3", "1.2", "ca.pem", true), (tls.CertificateDirectory, tls.StrictSni, tls.MinVersion, tls.MaxVersion, tls.CaFile, tls.OcspStapling));
        Assert.Equal(["TLS_AES_128_GCM_SHA256"], tls.Ciphers);
        Assert.Equal(["h2", "http/1.1"], tls.Alpn);
        Assert.Equal((TimeSpan.FromSeconds(3), ClientCertificate.Optional, TimeSpan.FromMinutes(1)), (tls.HandshakeTimeout, tls.ClientCertificate, tls.ReloadInterval));
        Assert.Null(Read("", "").Gateways["g"].Tls);
    }

    [Fact]
    [Trait("Row", "C5")]
    public void TLS_of_a_server_is_read_and_reaches_the_server()
    {
        LbOptions options = Read(
            "",
            """
            "Tls": { "Verify": "none", "CaFile": "ca.pem", "Sni": "a.example", "VerifyHost": "b.example", "CertificateFile": "c.pem", "KeyFile": "c.key", "Alpn": "h2", "MinVersion": "1.3" }
            """);
        ServerTlsOptions tls = options.Pools["web"].Servers[0].Tls!;
        Assert.Equal((ServerVerify.None, "ca.pem", "a.example", "b.example"), (tls.Verify, tls.CaFile, tls.Sni, tls.VerifyHost));
        Assert.Equal(("c.pem", "c.key", "h2", "1.3"), (tls.CertificateFile, tls.KeyFile, Assert.Single(tls.Alpn), tls.MinVersion));

        ServerPool pool = new("web", options.Pools["web"]);
        Assert.Same(tls, pool.Servers[0].Connecting.Tls);
        pool.Reconcile([new() { Address = "192.0.2.1:80" }]);
        Assert.Same(ServerConnecting.Plain, pool.Servers[0].Connecting);
    }

    private static LbOptions Read(string gateway, string server) => TestConfiguration.Read(
        $$"""
        { "Pools": { "web": { "Servers": [ { {{server}}{{(server.Length > 0 ? "," : "")}} "Address": "192.0.2.1:80" } ] } },
          "Gateways": { "g": { {{gateway}}{{(gateway.Length > 0 ? "," : "")}} "Listen": "127.0.0.1:1", "Pool": "web" } } }
        """).Options;
}
