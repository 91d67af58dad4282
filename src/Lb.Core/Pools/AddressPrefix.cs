using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Lb;

/// <summary>An IP address with the length of its network's prefix: <c>192.168.88.86/24</c>. A value; any thread.</summary>
/// <param name="Address">The address; its port is 0.</param>
/// <param name="Bits">Bits of the prefix, 0 to 32 (IPv4) or 0 to 128 (IPv6).</param>
public readonly record struct AddressPrefix(PeerAddress Address, int Bits)
{
    /// <summary>Reads <c>192.168.88.86/24</c> or <c>2001:db8::86/64</c>; without a length it is the address alone, /32 or /128.</summary>
    /// <param name="text">The text.</param>
    /// <param name="prefix">The address and its prefix.</param>
    /// <param name="error">What is wrong, for people.</param>
    /// <returns>False when it is none.</returns>
    public static bool TryParse(string? text, out AddressPrefix prefix, [NotNullWhen(false)] out string? error)
    {
        prefix = default;
        error = null;
        text = text?.Trim() ?? "";
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string host = slash < 0 ? text : text[..slash];
        if (host.Contains('[', StringComparison.Ordinal) || !PeerAddress.TryParse(host, out PeerAddress address) || address.Port != 0)
        {
            error = "must be an IP address with its prefix, for example 192.168.88.86/24 or 2001:db8::86/64";
            return false;
        }

        int most = address.Length * 8, bits = most;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out bits) || bits > most))
        {
            error = string.Create(CultureInfo.InvariantCulture, $"the prefix '{text[(slash + 1)..]}' must be 0 to {most}");
            return false;
        }

        prefix = new AddressPrefix(address, bits);
        return true;
    }

    /// <summary>The network alone: all bits behind the prefix are 0.</summary>
    public AddressPrefix Network
    {
        get
        {
            int behind = (Address.Length * 8) - Bits;
            return Address.IsEmpty ? default : new(PeerAddress.FromNumber(behind >= 128 ? 0 : Address.Number >> behind << behind, Address.Length), Bits);
        }
    }

    /// <summary>True when the address is in the network of this one.</summary>
    /// <param name="other">An address; one of the other family is not.</param>
    public bool Contains(PeerAddress other)
    {
        if (other.Length != Address.Length || Address.IsEmpty) return false;
        Span<byte> ours = stackalloc byte[16], theirs = stackalloc byte[16];
        Address.WriteBytes(ours);
        other.WriteBytes(theirs);
        int whole = Bits / 8, rest = Bits % 8;
        return ours[..whole].SequenceEqual(theirs[..whole]) && (rest == 0 || (ours[whole] ^ theirs[whole]) >> (8 - rest) == 0);
    }

    /// <summary><c>192.168.88.86/24</c>.</summary>
    public override string ToString() => Address.IsEmpty ? "-" : string.Create(CultureInfo.InvariantCulture, $"{Address.ToIPEndPoint().Address}/{Bits}");
}
