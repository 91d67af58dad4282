using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Lb.Transport;

/// <summary>What a PROXY header tells a server of the TLS that ends here.</summary>
internal static class TlsAnnouncement
{
    /// <summary>The group for TLS.</summary>
    /// <param name="client">The client's connection, after its handshake.</param>
    public static ProxyTls Of(TlsConnection client)
    {
        X509Certificate2? shown = client.PeerCertificate;
        return new ProxyTls
        {
            Client = shown is null ? ProxyTlsClient.Tls : ProxyTlsClient.Tls | ProxyTlsClient.CertificateOnConnection | ProxyTlsClient.CertificateInSession,
            Verify = shown is null ? 1u : 0,
            Version = client.Protocol == SslProtocols.Tls13 ? "TLSv1.3"u8 : "TLSv1.2"u8,
            Cipher = Encoding.ASCII.GetBytes(OpenSslName(client.CipherSuite)),
            CommonName = shown is null ? [] : Encoding.UTF8.GetBytes(shown.GetNameInfo(X509NameType.SimpleName, forIssuer: false)),
        };
    }

    /// <summary>The name that OpenSSL has for a suite, and the PROXY protocol with it; those of TLS 1.3 have one name only.</summary>
    public static string OpenSslName(TlsCipherSuite suite)
    {
        string name = suite.ToString();
        if (!name.Contains("_WITH_", StringComparison.Ordinal)) return name;
        name = name["TLS_".Length..].Replace("_WITH", "", StringComparison.Ordinal).Replace("AES_", "AES", StringComparison.Ordinal).Replace("_CBC", "", StringComparison.Ordinal).Replace("CCM_8", "CCM8", StringComparison.Ordinal).Replace('_', '-');
        if (name.Contains("CHACHA20", StringComparison.Ordinal)) name = name.Replace("-SHA256", "", StringComparison.Ordinal);
        return name.StartsWith("RSA-", StringComparison.Ordinal) ? name["RSA-".Length..] : name;
    }
}
