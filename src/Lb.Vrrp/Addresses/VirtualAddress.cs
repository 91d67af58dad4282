using System.Globalization;

namespace Lb.Vrrp;

/// <summary>One virtual address as the kernel wants it. Not changed after it was made.</summary>
internal sealed record VirtualAddress
{
    /// <summary>The address; port 0.</summary>
    public required PeerAddress Address { get; init; }

    /// <summary>Length of its prefix, 0 to 32 or 128.</summary>
    public required int PrefixLength { get; init; }

    /// <summary>Name of its interface.</summary>
    public required string Interface { get; init; }

    /// <summary>Label of an IPv4 address; null = the interface's name.</summary>
    public string? Label { get; init; }

    /// <summary>Scope as the kernel numbers it: 0 global, 200 site, 253 link, 254 host.</summary>
    public byte ScopeNumber { get; init; }

    /// <summary>Makes it from checked options.</summary>
    /// <param name="options">Address, label and scope.</param>
    /// <param name="routerInterface">Interface when the address names none.</param>
    /// <exception cref="FormatException">It is no address with a prefix, or the scope or the label can't be.</exception>
    public static VirtualAddress Parse(VirtualAddressOptions options, string routerInterface)
    {
        if (!AddressPrefix.TryParse(options.Address, out AddressPrefix prefix, out string? error)) throw new FormatException($"'{options.Address}' {error}.");
        string device = options.Interface ?? routerInterface;
        if (options.Label is { } label)
        {
            if (prefix.Address.IsV6) throw new FormatException($"'{options.Address}' is IPv6, which has no labels.");
            if (label.Length > 15 || !label.StartsWith(device, StringComparison.Ordinal)) throw new FormatException($"The label '{label}' does not begin with '{device}', or is longer than 15 characters.");
        }

        return new VirtualAddress { Address = prefix.Address, PrefixLength = prefix.Bits, Interface = device, Label = options.Label, ScopeNumber = ScopeOf(options.Scope) };
    }

    /// <summary><c>192.0.2.1/24 on eth0</c>.</summary>
    public override string ToString() => $"{(Address.IsEmpty ? null : Address.ToIPEndPoint().Address)}/{PrefixLength.ToString(CultureInfo.InvariantCulture)} on {Interface}";

    private static byte ScopeOf(string scope) => scope switch
    {
        "global" => 0,
        "site" => 200,
        "link" => 253,
        "host" => 254,
        _ => throw new FormatException($"'{scope}' is no scope: global, site, link or host."),
    };
}
