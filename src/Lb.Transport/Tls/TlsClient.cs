using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Transport;

/// <summary>The client's role: TLS to one server of a pool. Immutable; any loop.</summary>
internal sealed class TlsClient : TlsRole
{
    private readonly ServerTlsOptions _options;
    private readonly X509ChainPolicy? _trust;
    private readonly SslStreamCertificateContext? _own;
    private readonly string _name;
    private readonly string? _broken;

    /// <summary>Reads the files that the options name.</summary>
    /// <param name="options">As configured.</param>
    /// <param name="server">Who is asked for by its host name, if it has one, else judged by its IP address.</param>
    public TlsClient(ServerTlsOptions options, Server server)
    {
        _options = options;
        _name = options.Sni ?? server.HostName ?? (server.EndPoint is IPEndPoint ip ? ip.Address.ToString() : "localhost");
        try
        {
            (_trust, _own) = Read(options);
        }
        catch (CertificateException error)
        {
            // Gone since the configuration was checked: every attempt fails, and says so.
            _broken = error.Message;
        }
    }

    /// <summary>Reads the files that the options name.</summary>
    /// <exception cref="CertificateException">A file can't be used.</exception>
    public static (X509ChainPolicy Trust, SslStreamCertificateContext? Own) Read(ServerTlsOptions options)
    {
        X509ChainPolicy trust = PeerCertificates.Policy(options.CaFile is { } file ? CertificateFiles.LoadAuthorities(file) : null);
        if (options.CertificateFile is null) return (trust, null);
        LoadedCertificate own = CertificateFiles.Load(new CertificateOptions { CertificateFile = options.CertificateFile, KeyFile = options.KeyFile });
        return (trust, SslStreamCertificateContext.Create(own.Certificate, own.Chain, offline: true));
    }

    public override bool IsServer => false;

    /// <summary>The time to connect holds for the handshake too.</summary>
    public override TimeSpan HandshakeTimeout => TimeSpan.Zero;

    public override Task AuthenticateAsync(SslStream stream, TlsConnection connection) => _broken is not null ? Task.FromException(new AuthenticationException(_broken)) : stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
    {
        TargetHost = _name,
        ApplicationProtocols = TlsVersions.Protocols(_options.Alpn),
        EnabledSslProtocols = TlsVersions.Between(_options.MinVersion, "1.3"),
        AllowRenegotiation = false,
        CertificateChainPolicy = _trust,
        ClientCertificateContext = _own,
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Accepts(connection, certificate as X509Certificate2, chain, errors),
    });

    private bool Accepts(TlsConnection connection, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (_options.Verify == ServerVerify.None) return true;
        string wanted = _options.VerifyHost ?? _name;
        if (_options.VerifyHost is { } host && certificate is not null)
        {
            errors &= ~SslPolicyErrors.RemoteCertificateNameMismatch;
            if (!Matches(certificate, host)) errors |= SslPolicyErrors.RemoteCertificateNameMismatch;
        }

        if (errors == SslPolicyErrors.None) return true;
        connection.Explain(PeerCertificates.Explain(errors, chain, certificate, wanted, connection.Loop.Time.GetUtcNow()));
        return false;
    }

    private static bool Matches(X509Certificate2 certificate, string host) => certificate.MatchesHostname(host, allowWildcards: true, allowCommonName: false);
}
