using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Transport;

/// <summary>The server's role: which certificate a client gets, and by which settings. Immutable: other certificates are another one.</summary>
internal sealed class TlsServer : TlsRole
{
    private const byte UnrecognizedName = 112;
    private readonly CertificateSet<SslServerAuthenticationOptions> _certificates;

    /// <summary>Makes everything ready that handshakes share.</summary>
    /// <param name="options">Valid ones.</param>
    /// <param name="certificates">One or more.</param>
    /// <exception cref="CertificateException">The authorities' file can't be used.</exception>
    public TlsServer(GatewayTlsOptions options, IReadOnlyList<LoadedCertificate> certificates)
    {
        HandshakeTimeout = options.HandshakeTimeout;
        X509ChainPolicy? clients = options.ClientCertificate == ClientCertificate.None ? null : PeerCertificates.Policy(CertificateFiles.LoadAuthorities(options.CaFile!));
        List<SslApplicationProtocol>? protocols = TlsVersions.Protocols(options.Alpn);
        CipherSuitesPolicy? ciphers = CiphersOf(options);
        _certificates = new([.. certificates.Select(c => (Settings(options, c, clients, protocols, ciphers), c.Names))], options.StrictSni);
    }

    public override bool IsServer => true;

    public override TimeSpan HandshakeTimeout { get; }

    public override Task AuthenticateAsync(SslStream stream, TlsConnection connection) => stream.AuthenticateAsServerAsync(
        static (_, hello, state, _) =>
        {
            (TlsServer role, TlsConnection connection) = ((TlsServer, TlsConnection))state!;
            return new ValueTask<SslServerAuthenticationOptions>(role.Choose(connection, hello.ServerName));
        },
        (this, connection));

    private SslServerAuthenticationOptions Choose(TlsConnection connection, string name)
    {
        name = HostName.ToAscii(name);
        connection.Asked(name);
        if (_certificates.Find(name) is { } found) return found;
        string fault = name.Length == 0 ? "the client named no host" : $"no certificate for {name}";
        connection.Refuse(UnrecognizedName, fault);
        throw new AuthenticationException(fault);
    }

    private static SslServerAuthenticationOptions Settings(
        GatewayTlsOptions options, LoadedCertificate certificate, X509ChainPolicy? clients, List<SslApplicationProtocol>? protocols, CipherSuitesPolicy? ciphers)
    {
        SslServerAuthenticationOptions settings = new()
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate.Certificate, certificate.Chain, offline: !options.OcspStapling),
            EnabledSslProtocols = TlsVersions.Between(options.MinVersion, options.MaxVersion),
            ApplicationProtocols = protocols,
            AllowRenegotiation = false,
            CipherSuitesPolicy = ciphers,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (clients is null) return settings;
        bool isRequired = options.ClientCertificate == ClientCertificate.Required;
        settings.ClientCertificateRequired = true;
        settings.CertificateChainPolicy = clients;
        settings.RemoteCertificateValidationCallback = (_, shown, _, errors) => shown is null ? !isRequired : errors == SslPolicyErrors.None;
        return settings;
    }

    private static CipherSuitesPolicy? CiphersOf(GatewayTlsOptions options)
    {
        if (options.Ciphers.Count == 0 || OperatingSystem.IsWindows() || OperatingSystem.IsAndroid()) return null;
        List<TlsCipherSuite> suites = [];
        foreach (string name in options.Ciphers)
        {
            if (TlsVersions.TryParseSuite(name, out TlsCipherSuite suite)) suites.Add(suite);
        }

        return new CipherSuitesPolicy(suites);
    }
}
