using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Lb;

/// <summary>
/// Where connections to a server come from (HAProxy <c>source</c>): <c>192.0.2.1</c>, <c>[2001:db8::1]:40000</c>, <c>192.0.2.1:40000-49999</c> or
/// <c>clientip</c>, the client's own address. Immutable; any thread.
/// </summary>
public sealed record SourceAddress
{
    private SourceAddress()
    {
    }

    /// <summary>The address of this machine; null: the client's address.</summary>
    public IPAddress? Address { get; private init; }

    /// <summary>First port that is used; 0 = the system chooses.</summary>
    public int FirstPort { get; private init; }

    /// <summary>Last port that is used.</summary>
    public int LastPort { get; private init; }

    /// <summary>True when connections come from the client's own address (HAProxy <c>usesrc clientip</c>).</summary>
    public bool IsClient => Address is null;

    /// <summary>Reads it.</summary>
    /// <param name="text">As configurations write it.</param>
    /// <param name="source">What it says.</param>
    /// <param name="error">What is wrong with it.</param>
    /// <returns>False: it can't be read.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out SourceAddress? source, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        source = null;
        error = null;
        text = text.Trim();
        if (text.Equals("clientip", StringComparison.OrdinalIgnoreCase))
        {
            source = new SourceAddress();
            return true;
        }

        int colon = text.LastIndexOf(':');
        bool hasPort = colon >= 0 && (text.IndexOf(':', StringComparison.Ordinal) == colon || (text[0] == '[' && colon == text.LastIndexOf(']') + 1));
        string host = (hasPort ? text[..colon] : text).Trim('[', ']'), ports = hasPort ? text[(colon + 1)..] : "0";
        IPAddress? address = IPAddress.Any;
        if (host != "*" && (!IPAddress.TryParse(host, out address) || (address.AddressFamily == AddressFamily.InterNetwork && host.Split('.').Length != 4)))
        {
            error = "must be an address of this machine such as 192.0.2.1, 192.0.2.1:40000-49999 or [2001:db8::1], or clientip";
            return false;
        }

        int dash = ports.IndexOf('-', StringComparison.Ordinal);
        if (!TryParsePort(dash < 0 ? ports : ports[..dash], out int first) || !TryParsePort(dash < 0 ? ports : ports[(dash + 1)..], out int last)
            || last < first || (dash >= 0 && first == 0))
        {
            error = $"the port '{ports}' must be 0 to 65535, or a range such as 40000-49999";
            return false;
        }

        source = new SourceAddress { Address = address, FirstPort = first, LastPort = last };
        return true;
    }

    private static bool TryParsePort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65535;
}
