namespace Lb;

/// <summary>
/// TLS on a gateway's listeners (HAProxy <c>bind … ssl crt</c>): clients speak TLS to it, servers get what is inside. Certificates and keys are read when the
/// configuration is applied and again when the files change. Not thread-safe: filled once, then read.
/// </summary>
public sealed class GatewayTlsOptions
{
    /// <summary>
    /// The certificates, one or more, unless there is a <see cref="CertificateDirectory"/> (HAProxy <c>crt</c>). A client gets the one that has the name it asks
    /// for: an exact name goes before a wildcard, which stands for one label; without a match the first one.
    /// </summary>
    public IList<CertificateOptions> Certificates { get; } = [];

    /// <summary>
    /// A directory; every <c>.pem</c>, <c>.crt</c>, <c>.pfx</c> and <c>.p12</c> in it is a certificate, in the order of their names, after
    /// <see cref="Certificates"/>. A key that is not in the file is looked for beside it as <c>NAME.key</c>.
    /// </summary>
    public string? CertificateDirectory { get; set; }

    /// <summary>Refuses a client that names no host, or one that no certificate has, with the alert unrecognized_name (HAProxy <c>strict-sni</c>). Default false.</summary>
    public bool StrictSni { get; set; }

    /// <summary>The oldest version allowed, <c>1.2</c> (default) or <c>1.3</c> (HAProxy <c>ssl-min-ver</c>).</summary>
    [OneOf("1.2", "1.3")]
    public string MinVersion { get; set; } = "1.2";

    /// <summary>The newest version allowed, <c>1.2</c> or <c>1.3</c> (default; HAProxy <c>ssl-max-ver</c>).</summary>
    [OneOf("1.2", "1.3")]
    public string MaxVersion { get; set; } = "1.3";

    /// <summary>
    /// The cipher suites allowed, by their IANA names as <c>TLS_AES_128_GCM_SHA256</c>, of both versions; empty (default): the system's. Not on Windows. A
    /// list of its own rules out the resumption of sessions (HAProxy <c>ciphers</c>, <c>ciphersuites</c>).
    /// </summary>
    public IList<string> Ciphers { get; } = [];

    /// <summary>Application protocols offered, the best first, as <c>h2</c> or <c>http/1.1</c> (HAProxy <c>alpn</c>). Empty (default): none is chosen.</summary>
    public IList<string> Alpn { get; } = [];

    /// <summary>Longest time from the accept to the end of the handshake; default 10 s.</summary>
    [Positive]
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether clients are asked for a certificate of their own (HAProxy <c>verify</c>); default <see cref="Lb.ClientCertificate.None"/>.</summary>
    public ClientCertificate ClientCertificate { get; set; }

    /// <summary>PEM file of the authorities whose client certificates are accepted (HAProxy <c>ca-file</c>). Required with <see cref="ClientCertificate"/>.</summary>
    public string? CaFile { get; set; }

    /// <summary>Staples the authority's answer about the certificate, where the platform fetches it (Linux). The gateway then talks to the authority. Default false.</summary>
    public bool OcspStapling { get; set; }

    /// <summary>How often the files are looked at for a change, 0 = never; default 10 s.</summary>
    [NotNegative]
    public TimeSpan ReloadInterval { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>A certificate, its chain and its key: a PEM file (with the key in it or in a second one) or a PFX file.</summary>
public sealed class CertificateOptions
{
    /// <summary>PEM file: the certificate, then those of its authorities, the root left out.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>PEM file of the private key; default: it is in <see cref="CertificateFile"/>.</summary>
    public string? KeyFile { get; set; }

    /// <summary>PKCS #12 file, instead of <see cref="CertificateFile"/>.</summary>
    public string? PfxFile { get; set; }

    /// <summary>Password of the PFX file or of an encrypted key. Better: <see cref="PasswordFile"/>.</summary>
    public string? Password { get; set; }

    /// <summary>File whose first line is the password.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>The names it is chosen for, wildcards as <c>*.example.com</c>; empty (default): those in the certificate.</summary>
    public IList<string> Names { get; } = [];
}

/// <summary>Whether clients must show a certificate.</summary>
public enum ClientCertificate
{
    /// <summary>They are not asked.</summary>
    None,

    /// <summary>They are asked; who has none comes in all the same, who shows a wrong one does not.</summary>
    Optional,

    /// <summary>Who has none, or a wrong one, is refused.</summary>
    Required,
}

/// <summary>
/// TLS to a server (HAProxy <c>server … ssl</c>). Files are read when the configuration is applied. Not thread-safe: filled once, then read.
/// </summary>
public sealed class ServerTlsOptions
{
    /// <summary>Whether the server's certificate must be valid now, from a known authority and for its name; default <see cref="ServerVerify.Required"/>.</summary>
    public ServerVerify Verify { get; set; }

    /// <summary>PEM file of the authorities to trust, instead of the system's (HAProxy <c>ca-file</c>).</summary>
    public string? CaFile { get; set; }

    /// <summary>The name that is asked for (HAProxy <c>sni</c>); default: the host name in the server's address. One given by an IP address is asked for no name.</summary>
    public string? Sni { get; set; }

    /// <summary>The name that the certificate must have (HAProxy <c>verifyhost</c>); default: <see cref="Sni"/>, else the host name or the IP address.</summary>
    public string? VerifyHost { get; set; }

    /// <summary>PEM file with a certificate for servers that ask for one (HAProxy <c>crt</c>).</summary>
    public string? CertificateFile { get; set; }

    /// <summary>PEM file of its private key; default: it is in <see cref="CertificateFile"/>.</summary>
    public string? KeyFile { get; set; }

    /// <summary>Application protocols offered, the best first, as <c>h2</c> or <c>http/1.1</c> (HAProxy <c>alpn</c>); default: none.</summary>
    public IList<string> Alpn { get; } = [];

    /// <summary>The oldest version allowed, <c>1.2</c> (default) or <c>1.3</c> (HAProxy <c>ssl-min-ver</c>).</summary>
    [OneOf("1.2", "1.3")]
    public string MinVersion { get; set; } = "1.2";
}

/// <summary>Whether a server's certificate is looked at (HAProxy <c>verify</c>).</summary>
public enum ServerVerify
{
    /// <summary>It must be valid.</summary>
    Required,

    /// <summary>Any will do: whoever can answer at that address is taken for the server.</summary>
    None,
}
