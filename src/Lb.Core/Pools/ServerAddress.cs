using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Lb;

/// <summary>Reads where a server is: <c>192.0.2.1:80</c>, <c>[2001:db8::1]:80</c>, <c>host.example:80</c> or <c>unix:/run/app.sock</c>. Pure.</summary>
public static class ServerAddress
{
    private const string UnixPrefix = "unix:";

    /// <summary>Reads an address; host names are not looked up.</summary>
    /// <param name="text">The text.</param>
    /// <param name="endPoint">An <see cref="IPEndPoint"/>, a <see cref="DnsEndPoint"/> or a <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="error">What is wrong, for people.</param>
    /// <returns>False when it is none of these, or the port is missing or not 1 to 65535.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out EndPoint? endPoint, [NotNullWhen(false)] out string? error)
    {
        endPoint = null;
        error = null;
        text = text?.Trim() ?? "";
        if (text.StartsWith(UnixPrefix, StringComparison.OrdinalIgnoreCase)) return TryParseUnix(text[UnixPrefix.Length..], out endPoint, out error);

        int colon = text.LastIndexOf(':');
        if (colon <= 0 || colon < text.LastIndexOf(']'))
        {
            error = "must be host:port, for example 192.0.2.1:80, [2001:db8::1]:80, host.example:80, or unix:/path";
            return false;
        }

        if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port is < 1 or > 65535)
        {
            error = $"the port '{text[(colon + 1)..]}' must be 1 to 65535";
            return false;
        }

        string host = text[..colon];
        if (IPAddress.TryParse(host, out IPAddress? ip) && (ip.AddressFamily == AddressFamily.InterNetwork ? IsWhole(ip, host) : host[0] == '['))
        {
            endPoint = new IPEndPoint(ip, port);
            return true;
        }

        // An IPv6 address without brackets can't be told from its port; "[" without "]" and the like are no names either.
        if (Uri.CheckHostName(host) != UriHostNameType.Dns || ip is not null || host.All(static c => char.IsAsciiDigit(c) || c == '.'))
        {
            error = $"'{host}' is neither an IPv4 address, an IPv6 address in brackets, nor a host name";
            return false;
        }

        endPoint = new DnsEndPoint(host, port);
        return true;
    }

    /// <summary>True unless it is an IPv4 address in another notation than four decimal numbers: "80", "10.1" or the octal "010.0.0.1" are slips.</summary>
    internal static bool IsWhole(IPAddress ip, string text) =>
        ip.AddressFamily != AddressFamily.InterNetwork || text == ip.ToString() || text.StartsWith(ip + ":", StringComparison.Ordinal);

    /// <summary>True when one host can have it: written out in whole, and neither "any" nor a multicast, broadcast or reserved address.</summary>
    internal static bool IsHost(IPAddress ip, string text) =>
        IsWhole(ip, text) && !ip.Equals(IPAddress.Any) && !ip.Equals(IPAddress.IPv6Any) && !ip.IsIPv6Multicast
        && !(ip.AddressFamily == AddressFamily.InterNetwork && ip.GetAddressBytes()[0] >= 224);

    /// <summary>The path of a Unix socket, which the kernel limits to 107 bytes.</summary>
    internal static bool TryParseUnix(string path, [NotNullWhen(true)] out EndPoint? endPoint, [NotNullWhen(false)] out string? error)
    {
        endPoint = null;
        error = null;
        if (path.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(path) > 107)
        {
            error = "the path of a Unix socket has 1 to 107 bytes";
            return false;
        }

        endPoint = new UnixDomainSocketEndPoint(path);
        return true;
    }
}
