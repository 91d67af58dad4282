using System.Net.Security;
using System.Security.Authentication;

namespace Lb.Transport;

/// <summary>What the words of the options mean to the framework. Pure.</summary>
internal static class TlsVersions
{
    public static SslProtocols Between(string oldest, string newest) =>
        (oldest == "1.3" ? SslProtocols.None : SslProtocols.Tls12) | (newest == "1.2" ? SslProtocols.None : SslProtocols.Tls13);

    public static List<SslApplicationProtocol>? Protocols(IList<string> names) =>
        names.Count == 0 ? null : [.. names.Select(static n => new SslApplicationProtocol(n))];

    /// <summary>A cipher suite by its IANA name.</summary>
    public static bool TryParseSuite(string name, out TlsCipherSuite suite) =>
        Enum.TryParse(name, out suite) && Enum.IsDefined(suite) && !char.IsAsciiDigit(name[0]);
}
