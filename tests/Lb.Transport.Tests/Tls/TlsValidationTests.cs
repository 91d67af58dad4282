namespace Lb.Transport.Tests.Tls;

/// <summary>What is wrong with TLS options is told by path, value and reason before anything starts.</summary>
[Trait("Row", "C1")]
[Trait("Row", "C2")]
[Trait("Row", "C5")]
public sealed class TlsValidationTests : TlsGatewayTestBase
{
    private const string Gate = "Lb:Gateways:gate:Tls:";
    private const string Server = "Lb:Pools:web:Servers:0:Tls:";

    [Fact]
    public void A_gateway_needs_a_certificate() =>
        Refused(static _ => { }, (Gate + "Certificates", null, "is required, or a CertificateDirectory"));

    [Fact]
    public void Files_that_can_not_be_used_are_named_where_they_are_set()
    {
        string bare = Files.Write("bare.pem", TestCertificates.Make("www.example.com").ExportCertificatePem()), gone = Files.PathOf("gone.pem");
        Refused(
            tls =>
            {
                tls.Certificates.Add(new CertificateOptions { CertificateFile = gone });
                tls.Certificates.Add(new CertificateOptions { CertificateFile = bare });
                tls.Certificates.Add(new CertificateOptions { CertificateFile = bare, PfxFile = gone });
                tls.Certificates.Add(new CertificateOptions { CertificateFile = bare, Password = "a", PasswordFile = gone });
                tls.CertificateDirectory = gone;
                tls.CaFile = gone;
            },
            (Gate + "Certificates:0:CertificateFile", gone, "is not there"),
            (Gate + "Certificates:1:CertificateFile", bare, "has no private key; if it is in another file, set KeyFile"),
            (Gate + "Certificates:2:PfxFile", gone, $"must not be beside a PEM file, {bare}"),
            (Gate + "Certificates:3:PasswordFile", gone, "must not be beside a Password"),
            (Gate + "CertificateDirectory", gone, "is not there"),
            (Gate + "CaFile", gone, "is not there"));
    }

    [Fact]
    public void Values_that_mean_nothing_are_refused() => Refused(
        tls =>
        {
            CertificateOptions certificate = Add(tls, "www.example.com");
            certificate.Names.Add("*.*.example.com");
            tls.MinVersion = "1.3";
            tls.MaxVersion = "1.2";
            tls.Ciphers.Add("AES128-SHA");
            tls.Ciphers.Add("4865");
            tls.Alpn.Add("");
            tls.ClientCertificate = ClientCertificate.Required;
        },
        (Gate + "Certificates:0:Names:0", "*.*.example.com", "must be a host name, or *. and a host name"),
        (Gate + "MinVersion", "1.3", "must not be above MaxVersion 1.2"),
        (Gate + "Ciphers:0", "AES128-SHA", "is no cipher suite; write it as TLS_AES_128_GCM_SHA256"),
        (Gate + "Ciphers:1", "4865", "is no cipher suite; write it as TLS_AES_128_GCM_SHA256"),
        (Gate + "Alpn:0", "", "must be 1 to 255 characters of ASCII, as h2 or http/1.1"),
        (Gate + "CaFile", null, "is required with ClientCertificate: whose certificates are accepted?"));

    [Fact]
    public void A_version_that_does_not_exist_is_refused_with_those_that_do() => Refused(
        tls =>
        {
            Add(tls, "www.example.com");
            tls.MinVersion = "1.1";
            tls.HandshakeTimeout = TimeSpan.Zero;
        },
        (Gate + "MinVersion", "1.1", "must be one of 1.2, 1.3 in this version"),
        (Gate + "HandshakeTimeout", "0s", "must be a duration above 0 and at most 24d"));

    [Fact]
    public void TLS_to_a_server_is_looked_at_too()
    {
        string gone = Files.PathOf("gone.pem");
        GatewayLab lab = Make("epoll", l => l.AddServer(configure: s => s.Tls = new ServerTlsOptions
        {
            CaFile = gone,
            KeyFile = gone,
            Verify = ServerVerify.None,
            VerifyHost = "app.example.com",
            MinVersion = "1",
        }));
        lab.Build();
        Assert.Equal(
            [
                new ConfigurationError(Server + "MinVersion", "1", "must be one of 1.2, 1.3 in this version"),
                new ConfigurationError(Server + "KeyFile", gone, "is of no use without CertificateFile"),
                new ConfigurationError(Server + "VerifyHost", "app.example.com", "is of no use with Verify none"),
                new ConfigurationError(Server + "CaFile", gone, "is not there"),
            ],
            lab.Configuration.Validate());
    }

    private void Refused(Action<GatewayTlsOptions> configure, params (string Path, string? Value, string Message)[] expected)
    {
        GatewayTlsOptions tls = new();
        configure(tls);
        GatewayLab lab = Make("epoll", l =>
        {
            l.AddServer();
            l.SetGateway(g => g.Tls = tls);
        });
        lab.Build();
        Assert.Equal(expected.Select(static e => new ConfigurationError(e.Path, e.Value, e.Message)), lab.Configuration.Validate());
    }
}
