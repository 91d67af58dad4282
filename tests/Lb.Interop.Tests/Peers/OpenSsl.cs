using System.Net;
using System.Security.Cryptography.X509Certificates;
using Lb.Contracts.Checkers;

namespace Lb.Interop.Tests.Peers;

/// <summary>TLS servers of OpenSSL's own program; one connection after the other.</summary>
internal static class OpenSsl
{
    public static readonly (string Program, string Package) Need = ("/usr/bin/openssl", "openssl");

    public static readonly (string Program, string Package) NeedsCurl = ("/usr/bin/curl", "curl");

    /// <summary>Starts <c>openssl s_server</c>.</summary>
    /// <param name="home">Where its files are.</param>
    /// <param name="endPoint">Where it listens.</param>
    /// <param name="certificate">What it shows.</param>
    /// <param name="arguments">Settings beside those.</param>
    public static Task<Peer> StartAsync(PeerHome home, IPEndPoint endPoint, X509Certificate2 certificate, params string[] arguments) =>
        Peer.StartAsync(home, endPoint, [Need.Program, "s_server", "-accept", endPoint.ToString(), "-cert", Certificates.Write(certificate, home.PathOf($"{endPoint.Port}.pem")), "-quiet", .. arguments]);
}
