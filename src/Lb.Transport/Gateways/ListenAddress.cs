using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>
/// Reads where a gateway listens: <c>0.0.0.0:80</c>, <c>*:80</c> (all IPv4), <c>[::]:80</c> (all IPv6 and IPv4), <c>[::]:80 v6only</c>,
/// <c>127.0.0.1:8000-8010</c> (a range), <c>unix:/run/lb.sock</c> or <c>fd:web</c> (a socket that was given to this process). Pure.
/// </summary>
/// <param name="EndPoint">Where to bind: an IP address with a port (0 = any free one), or a Unix socket.</param>
/// <param name="DualMode">The IPv6 wildcard takes IPv4 as well.</param>
/// <param name="IsDatagram">For UDP: a port of its own, apart from TCP's of the same number.</param>
internal sealed record ListenAddress(EndPoint EndPoint, bool DualMode, bool IsDatagram = false)
{
    /// <summary>Most ports of one range: a slip of the pen must not open tens of thousands of sockets.</summary>
    public const int LongestRange = 1024;

    private const string UnixPrefix = "unix:";
    private const string FdPrefix = "fd:";
    private const string V6Only = " v6only";
    private const string DatagramPrefix = "udp ";

    /// <summary>The name in an offer such as <c>fd:web</c>; empty for any other.</summary>
    public static string NameOfOffer(string text) => NameOf(text.StartsWith(DatagramPrefix, StringComparison.Ordinal) ? text[DatagramPrefix.Length..] : text);

    private static string NameOf(string text) => text.StartsWith(FdPrefix, StringComparison.OrdinalIgnoreCase) ? text[FdPrefix.Length..] : "";

    /// <summary>Reads one entry of <see cref="GatewayOptions.Listen"/>, which a range makes several addresses.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out IReadOnlyList<ListenAddress>? addresses, [NotNullWhen(false)] out string? error)
    {
        addresses = null;
        text = text.Trim();
        if (text.StartsWith(UnixPrefix, StringComparison.OrdinalIgnoreCase)) return TryParseUnix(text[UnixPrefix.Length..], out addresses, out error);

        if (text.StartsWith(FdPrefix, StringComparison.OrdinalIgnoreCase)) return TryParseInherited(NameOf(text), out addresses, out error);

        bool dual = !text.EndsWith(V6Only, StringComparison.OrdinalIgnoreCase);
        if (!dual) text = text[..^V6Only.Length].TrimEnd();

        int colon = text.LastIndexOf(':');
        if (colon < 0 || colon < text.LastIndexOf(']'))
        {
            error = "must be address:port, for example 0.0.0.0:80, *:80, [::]:80, 127.0.0.1:8000-8010, unix:/path or fd:name";
            return false;
        }

        if (!TryParseHost(text[..colon], out IPAddress? host))
        {
            error = $"'{text[..colon]}' must be an IPv4 address, an IPv6 address in brackets, or *";
            return false;
        }

        if (!dual && host.AddressFamily != AddressFamily.InterNetworkV6)
        {
            error = "v6only has a meaning only for an IPv6 address";
            return false;
        }

        return TryParsePorts(text[(colon + 1)..], host, dual, out addresses, out error);
    }

    private static bool TryParseHost(string text, [NotNullWhen(true)] out IPAddress? host)
    {
        host = IPAddress.Any;
        if (text is "*" or "") return true;
        bool bracketed = text.StartsWith('[') && text.EndsWith(']');
        if (!IPAddress.TryParse(bracketed ? text[1..^1] : text, out host)) return false;
        return bracketed ? host.AddressFamily == AddressFamily.InterNetworkV6 : host.AddressFamily == AddressFamily.InterNetwork && text.Split('.').Length == 4;
    }

    private static bool TryParsePorts(
        string text, IPAddress host, bool dual, [NotNullWhen(true)] out IReadOnlyList<ListenAddress>? addresses, [NotNullWhen(false)] out string? error)
    {
        addresses = null;
        error = null;
        int dash = text.IndexOf('-', StringComparison.Ordinal);
        if (!TryParsePort(dash < 0 ? text : text[..dash], out int first) || !TryParsePort(dash < 0 ? text : text[(dash + 1)..], out int last))
        {
            error = $"the port '{text}' must be 0 to 65535, or a range such as 8000-8010";
            return false;
        }

        if (last < first || (dash >= 0 && first == 0) || last - first >= LongestRange)
        {
            error = $"the range of ports '{text}' must go upwards, start above 0 and hold at most {LongestRange} ports";
            return false;
        }

        addresses = [.. Enumerable.Range(first, last - first + 1).Select(port => new ListenAddress(new IPEndPoint(host, port), dual))];
        return true;
    }

    private static bool TryParsePort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65535;

    private static bool TryParseInherited(string name, [NotNullWhen(true)] out IReadOnlyList<ListenAddress>? addresses, [NotNullWhen(false)] out string? error)
    {
        // As systemd has it: no control characters, no colon.
        bool isName = name.Length is > 0 and <= 255 && name.All(static c => char.IsAscii(c) && !char.IsControl(c) && c != ':');
        addresses = isName ? [new ListenAddress(new InheritedEndPoint(name), DualMode: false)] : null;
        error = isName ? null : "the name of a socket that systemd gives has 1 to 255 characters, without a colon";
        return isName;
    }

    private static bool TryParseUnix(string path, [NotNullWhen(true)] out IReadOnlyList<ListenAddress>? addresses, [NotNullWhen(false)] out string? error)
    {
        addresses = null;
        error = null;
        if (path.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(path) > 107)
        {
            error = "the path of a Unix socket has 1 to 107 bytes";
            return false;
        }

        addresses = [new ListenAddress(new UnixDomainSocketEndPoint(path), DualMode: false)];
        return true;
    }

    /// <summary>What it is called between two processes: ports of UDP and of TCP are apart.</summary>
    public string OfferName => IsDatagram ? $"{DatagramPrefix}{this}" : ToString();

    /// <summary>As configurations write it.</summary>
    public override string ToString() => EndPoint is UnixDomainSocketEndPoint ? UnixPrefix + EndPoint : DualMode || EndPoint is InheritedEndPoint ? EndPoint.ToString()! : EndPoint + V6Only;
}
