using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Health;

/// <summary>Says in our words why a TLS handshake failed: the library's depend on the system. Pure.</summary>
internal static class TlsFaults
{
    /// <summary>What the first bytes of a server say of a handshake that failed: an alert comes in plain text when nothing else was agreed (RFC 8446, 6).</summary>
    public static string OfAnswer(ReadOnlySpan<byte> first)
    {
        if (first.IsEmpty) return "closed without an answer";
        if (first[0] is < 20 or > 24 || (first.Length > 1 && first[1] != 3)) return "not TLS";
        if (first[0] != 21) return "handshake failed";
        string? alert = first.Length < 7 ? null : first[6] switch
        {
            40 => "no common settings (handshake_failure)",
            42 => "our certificate is bad (bad_certificate)",
            70 => "no common version (protocol_version)",
            71 => "our ciphers are too weak (insufficient_security)",
            80 => "a fault of its own (internal_error)",
            86 => "a fall-back that it does not need (inappropriate_fallback)",
            112 => "a name that it does not know (unrecognized_name)",
            116 => "it wants a certificate (certificate_required)",
            120 => "no common protocol (no_application_protocol)",
            var other => string.Create(CultureInfo.InvariantCulture, $"alert {other}"),
        };
        return alert is null ? "handshake refused" : $"handshake refused: {alert}";
    }

    /// <summary>Why a certificate is not accepted.</summary>
    /// <param name="errors">What the library found.</param>
    /// <param name="chain">Flags of the whole chain.</param>
    /// <param name="certificate">The server's certificate.</param>
    /// <param name="name">The name that was asked for.</param>
    /// <param name="now">The time it was judged at.</param>
    public static string OfCertificate(SslPolicyErrors errors, X509ChainStatusFlags chain, X509Certificate2? certificate, string name, DateTimeOffset now)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)) return "no certificate";
        if (chain.HasFlag(X509ChainStatusFlags.NotTimeValid))
        {
            if (now.UtcDateTime > certificate.NotAfter.ToUniversalTime()) return $"certificate expired on {Day(certificate.NotAfter)}";
            return now.UtcDateTime < certificate.NotBefore.ToUniversalTime() ? $"certificate is not valid before {Day(certificate.NotBefore)}" : "a certificate of the chain has expired";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return $"certificate is not for {name} but for {Names(certificate)}";
        if (chain.HasFlag(X509ChainStatusFlags.UntrustedRoot) || chain.HasFlag(X509ChainStatusFlags.PartialChain))
        {
            return certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)
                ? "certificate is signed by itself and not trusted"
                : "certificate of an unknown authority";
        }

        return chain.HasFlag(X509ChainStatusFlags.NotValidForUsage) ? "certificate is not for servers" : $"certificate is not valid: {chain}";
    }

    private static string Day(DateTime local) => local.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Names(X509Certificate2 certificate)
    {
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension is not X509SubjectAlternativeNameExtension names) continue;
            string all = string.Join(", ", names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(static (IPAddress a) => a.ToString())));
            if (all.Length > 0) return all;
        }

        string common = certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        return common.Length > 0 ? common : "nobody";
    }
}
