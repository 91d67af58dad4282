namespace Lb;

/// <summary>How a check speaks TLS (HAProxy <c>check-ssl</c>). Files are read when the configuration is applied. Not thread-safe: filled once, then read.</summary>
public sealed class CheckTlsOptions
{
    /// <summary>Whether the certificate must be valid now, from a known authority, and for the name asked (HAProxy <c>verify required</c>). Default true.</summary>
    public bool Verify { get; set; } = true;

    /// <summary>PEM file of the authorities to trust, instead of the system's (HAProxy <c>ca-file</c>).</summary>
    public string? CaFile { get; set; }

    /// <summary>The name that is asked for and that the certificate must have (HAProxy <c>check-sni</c>); default: the check's Host, else the server's address.</summary>
    public string? Sni { get; set; }

    /// <summary>Protocols to offer, as <c>h2</c> or <c>http/1.1</c>; the server must choose one of them (HAProxy <c>check-alpn</c>). Empty: none is offered.</summary>
    public IList<string> Alpn { get; } = [];

    /// <summary>The oldest version allowed, <c>1.2</c> (default) or <c>1.3</c> (HAProxy <c>ssl-min-ver</c>).</summary>
    [OneOf("1.2", "1.3")]
    public string MinimumVersion { get; set; } = "1.2";

    /// <summary>PEM file with a certificate and its private key, for servers that ask for one (HAProxy <c>crt</c>).</summary>
    public string? ClientCertificate { get; set; }
}
