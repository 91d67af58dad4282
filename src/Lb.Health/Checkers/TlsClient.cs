using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Health;

/// <summary>The TLS side of checks: one object makes the handshakes of all servers of a check. Any thread.</summary>
internal sealed class TlsClient
{
    private readonly CheckTlsOptions _options;
    private readonly TimeProvider _time;
    private readonly string? _name;
    private readonly X509Certificate2Collection? _authorities;
    private readonly SslStreamCertificateContext? _own;
    private readonly List<SslApplicationProtocol> _protocols;

    /// <summary>Reads the files that the options name.</summary>
    /// <param name="options">As configured.</param>
    /// <param name="host">The check's Host, which stands in for a name that is not set; may be null, may have a port.</param>
    /// <param name="time">The clock that certificates are judged by.</param>
    /// <exception cref="ArgumentException">A file can't be used.</exception>
    public TlsClient(CheckTlsOptions options, string? host, TimeProvider time)
    {
        _options = options;
        _time = time;
        _name = options.Sni ?? WithoutPort(host);
        _protocols = [.. options.Alpn.Select(static p => new SslApplicationProtocol(p))];
        try
        {
            if (options.CaFile is { } authorities)
            {
                _authorities = [];
                _authorities.ImportFromPemFile(authorities);
                if (_authorities.Count == 0) throw new ArgumentException($"Tls: CaFile {authorities} has no certificate", nameof(options));
            }

            if (options.ClientCertificate is { } own)
            {
                X509Certificate2Collection all = [];
                all.ImportFromPemFile(own);
                _own = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(own), all, offline: true);
            }
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"Tls: a file can't be used: {error.Message}", nameof(options), error);
        }
    }

    /// <summary>Tries the files, so that a configuration with wrong ones is refused.</summary>
    public static void Validate(string path, CheckTlsOptions options, ICollection<ConfigurationError> errors)
    {
        foreach ((string key, string? file) in ((string, string?)[])[("CaFile", options.CaFile), ("ClientCertificate", options.ClientCertificate)])
        {
            if (file is null) continue;
            CheckTlsOptions one = key == "CaFile" ? new() { CaFile = file } : new() { ClientCertificate = file };
            try
            {
                _ = new TlsClient(one, null, TimeProvider.System);
            }
            catch (ArgumentException)
            {
                errors.Add(new($"{path}:{key}", file, File.Exists(file) ? $"is no PEM file with {(key == "CaFile" ? "certificates" : "a certificate and its key")}, or can't be read" : "is not there"));
            }
        }
    }

    /// <summary>Makes a handshake. A resumed session would not show a changed certificate, so it is always a whole one.</summary>
    /// <returns>A stream that owns the socket, or null and L6TOUT or L6RSP.</returns>
    public async ValueTask<(SslStream? Stream, ProbeResult Failure)> HandshakeAsync(Socket socket, ProbeTarget target, CancellationToken ct)
    {
        string name = _name ?? target.HostName ?? target.EndPoint switch
        {
            IPEndPoint ip => ip.Address.ToString(),
            DnsEndPoint dns => dns.Host,
            _ => "localhost",
        };
        DateTimeOffset now = _time.GetUtcNow();
        string? fault = null;
        FirstBytesStream bytes = new(socket);
        SslStream? stream = new(bytes, leaveInnerStreamOpen: false);
        try
        {
            await stream.AuthenticateAsClientAsync(Settings(name, now, reason => fault = reason), ct).ConfigureAwait(false);
            if (_protocols.Count > 0 && stream.NegotiatedApplicationProtocol.Protocol.IsEmpty)
                return (null, Refused($"the server chose none of {string.Join(", ", _options.Alpn)}"));
            SslStream made = stream;
            stream = null;
            return (made, default);
        }
        catch (OperationCanceledException)
        {
            return (null, new ProbeResult(CheckStatus.Layer6Timeout, 0, "no TLS handshake in time"));
        }
        catch (Exception error) when (error is AuthenticationException or IOException or SocketException)
        {
            return (null, Refused(fault ?? TlsFaults.OfAnswer(bytes.First)));
        }
        finally
        {
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static ProbeResult Refused(string text) => new(CheckStatus.Layer6Response, 0, text);

    private static string? WithoutPort(string? host)
    {
        if (host is null) return null;
        if (host.StartsWith('[')) return host[1..(host.IndexOf(']', StringComparison.Ordinal) is > 0 and var end ? end : host.Length)];
        int colon = host.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || host.LastIndexOf(':') != colon ? host : host[..colon];
    }

    private SslClientAuthenticationOptions Settings(string name, DateTimeOffset now, Action<string> refused)
    {
        X509ChainPolicy policy = PeerCertificates.Policy(_authorities);
        policy.VerificationTime = now.LocalDateTime;
        return new SslClientAuthenticationOptions
        {
            TargetHost = name,
            ApplicationProtocols = _protocols.Count == 0 ? null : _protocols,
            EnabledSslProtocols = _options.MinimumVersion == "1.3" ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowTlsResume = false,
            CertificateChainPolicy = policy,
            ClientCertificateContext = _own,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (!_options.Verify || errors == SslPolicyErrors.None) return true;
                refused(PeerCertificates.Explain(errors, chain, certificate as X509Certificate2, name, now));
                return false;
            },
        };
    }
}
