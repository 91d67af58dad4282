using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Lb;

/// <summary>How the certificate of a peer is judged, the same for health checks and for traffic. Pure; any thread.</summary>
public static class PeerCertificates
{
    /// <summary>
    /// A policy by which certificates are judged: what is not at hand is not fetched, so that a handshake talks to the peer and to nobody else, and
    /// revocation is not asked for.
    /// </summary>
    /// <param name="authorities">The authorities to trust, instead of the system's; null: the system's.</param>
    public static X509ChainPolicy Policy(X509Certificate2Collection? authorities)
    {
        X509ChainPolicy policy = new() { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (authorities is null) return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    /// <summary>Says in our words why a certificate is not accepted: the library's depend on the system.</summary>
    /// <param name="errors">What the library found.</param>
    /// <param name="chain">The chain that it built, if any.</param>
    /// <param name="certificate">The peer's certificate, if it showed one.</param>
    /// <param name="name">The name that it should have.</param>
    /// <param name="now">The time it was judged at.</param>
    public static string Explain(SslPolicyErrors errors, X509Chain? chain, X509Certificate2? certificate, string name, DateTimeOffset now)
    {
        X509ChainStatusFlags flags = X509ChainStatusFlags.NoError;
        foreach (X509ChainStatus status in chain?.ChainStatus ?? []) flags |= status.Status;
        return Explain(errors, flags, certificate, name, now);
    }

    private static string Explain(SslPolicyErrors errors, X509ChainStatusFlags chain, X509Certificate2? certificate, string name, DateTimeOffset now)
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
