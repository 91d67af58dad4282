using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Lb.Transport;

/// <summary>What a PROXY header says of a client whose TLS this gateway ends.</summary>
internal static class ProxyTlsFacts
{
    /// <summary>Adds the protocol that was agreed on.</summary>
    /// <returns>False when there is none.</returns>
    public static bool AddAlpn(scoped ref ProxyHeaderWriter writer, TlsConnection client)
    {
        ReadOnlySpan<byte> protocol = client.Alpn.Protocol.Span;
        if (protocol.IsEmpty) return false;
        writer.Add(ProxyTlvType.Alpn, protocol);
        return true;
    }

    /// <summary>Adds the name that was asked for.</summary>
    /// <returns>False when there is none.</returns>
    public static bool AddAuthority(scoped ref ProxyHeaderWriter writer, TlsConnection client)
    {
        if (client.ServerName.Length is 0 or > 253) return false;
        Span<byte> name = stackalloc byte[1024];
        writer.Add(ProxyTlvType.Authority, name[..Encoding.UTF8.GetBytes(client.ServerName, name)]);
        return true;
    }

    /// <summary>Adds version, cipher and certificate, as far as they are wanted.</summary>
    public static void AddTls(scoped ref ProxyHeaderWriter writer, ProxySending what, TlsConnection client)
    {
        // One that is not good does not get so far.
        X509Certificate2? certificate = client.PeerCertificate;
        writer.AddTls(new ProxyTls
        {
            Client = ProxyTlsClient.Tls | (certificate is null ? ProxyTlsClient.None : ProxyTlsClient.CertificateOnConnection | ProxyTlsClient.CertificateInSession),
            Verify = certificate is null ? 1u : 0u,
            Version = client.Protocol switch { SslProtocols.Tls13 => "TLSv1.3"u8, SslProtocols.Tls12 => "TLSv1.2"u8, _ => default },
            CommonName = what.HasFlag(ProxySending.CommonName) && certificate is not null ? Short(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false)) : default,
            Cipher = what.HasFlag(ProxySending.Cipher) ? Short(client.CipherSuite.ToString()) : default,
        });
    }

    private static ReadOnlySpan<byte> Short(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return bytes.Length <= 255 ? bytes : default;
    }
}
