using System.Globalization;
using Microsoft.Extensions.Options;

namespace Lb;

/// <summary>Checks the virtual routers' options: each value by the generated validators, and what only makes sense together. Pure.</summary>
internal static class RouterValidation
{
    /// <summary>What a device name may be in Linux.</summary>
    private const int LongestDevice = 15;

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(1000);
    private static readonly TimeSpan LongestInterval3 = TimeSpan.FromMilliseconds(40_950);
    private static readonly TimeSpan LongestAhead = TimeSpan.FromSeconds(1);

    public static void Validate(LbOptions options, List<ConfigurationError> errors)
    {
        Rules.Run(new VrrpRules(), $"{options.Path}:Vrrp", options.Vrrp, errors);
        if (options.Vrrp.QueueAhead > LongestAhead) errors.Add(new($"{options.Path}:Vrrp:QueueAhead", Durations.Format(options.Vrrp.QueueAhead), "must not be above 1s"));
        ValidateGroup($"{options.Path}:Vrrp:MulticastGroup4", options.Vrrp.MulticastGroup4, isV6: false, errors);
        ValidateGroup($"{options.Path}:Vrrp:MulticastGroup6", options.Vrrp.MulticastGroup6, isV6: true, errors);

        Dictionary<string, string> ids = new(StringComparer.Ordinal), addresses = new(StringComparer.Ordinal);
        foreach ((string name, RouterOptions router) in options.Routers)
        {
            string path = $"{options.Path}:Routers:{name}";
            bool? isV6 = ValidateRouter(path, router, errors);
            RouterTrackValidation.Validate(path, router, options, errors);
            Unique(ids, $"{router.Interface}/{router.RouterId}/{isV6}", $"{path}:RouterId", router.RouterId.ToString(CultureInfo.InvariantCulture),
                $"on {router.Interface}; a virtual router's number is unique on its interface and family", errors);
            foreach ((string at, VirtualAddressOptions address) in AddressesOf(path, router))
            {
                if (AddressPrefix.TryParse(address.Address, out AddressPrefix prefix, out _))
                    Unique(addresses, prefix.Address.ToString(), $"{at}:Address", address.Address, "and an address belongs to one virtual router, once", errors);
            }
        }
    }

    /// <summary>Every virtual address with its path.</summary>
    public static IEnumerable<(string Path, VirtualAddressOptions Address)> AddressesOf(string path, RouterOptions router) =>
        router.Addresses.Select((a, i) => ($"{path}:Addresses:{i}", a)).Concat(router.ExcludedAddresses.Select((a, i) => ($"{path}:ExcludedAddresses:{i}", a)));

    /// <returns>The family of the election; null when it can't be told.</returns>
    private static bool? ValidateRouter(string path, RouterOptions router, List<ConfigurationError> errors)
    {
        Rules.Run(new RouterRules(), path, router, errors);
        Rules.Run(new AnnounceRules(), $"{path}:Announce", router.Announce, errors);
        Rules.Run(new NotifyRules(), $"{path}:Notify", router.Notify, errors);
        ValidateDevice($"{path}:Interface", router.Interface, errors);
        ValidateInterval(path, router, errors);
        bool? isV6 = ValidateAddresses(path, router, errors);
        if (isV6 == true && router.Version == 2)
            errors.Add(new($"{path}:Version", "2", "does not know IPv6 (RFC 3768); set 3"));
        if (router.AlsoVersion2 && (router.Version != 3 || isV6 == true || router.AdvertisementInterval.Ticks % TimeSpan.TicksPerSecond != 0))
            errors.Add(new($"{path}:AlsoVersion2", "true", "needs Version 3, IPv4 and an interval of whole seconds"));
        foreach ((string key, TimeSpan value) in new[] { ("PreemptDelay", router.PreemptDelay), ("StartupDelay", router.StartupDelay) })
        {
            if (value > LongestDelay) errors.Add(new($"{path}:{key}", Durations.Format(value), "must be 0 to 1000s"));
        }

        if (!router.Preempt && router.Start == RouterStart.Active && router.Priority != 255)
            errors.Add(new($"{path}:Start", "active", "does not go with Preempt false: it would claim what it must not take; set backup"));
        if (!router.Preempt && router.PreemptDelay > TimeSpan.Zero)
            errors.Add(new($"{path}:PreemptDelay", Durations.Format(router.PreemptDelay), "has no effect with Preempt false"));
        if (router.AddressLifetime != TimeSpan.Zero
            && (router.AddressLifetime < TimeSpan.FromSeconds(2) || router.AddressLifetime > TimeSpan.FromHours(1) || router.AddressLifetime.Ticks % TimeSpan.TicksPerSecond != 0))
            errors.Add(new($"{path}:AddressLifetime", Durations.Format(router.AddressLifetime), "must be whole seconds from 2s to 1h, or 0 for ever"));
        ValidateNetwork(path, router, isV6, errors);
        ValidateAuthentication($"{path}:Authentication", router, errors);
        if (router.Strict) ValidateStrict(path, router, errors);
        return isV6;
    }

    private static void ValidateInterval(string path, RouterOptions router, List<ConfigurationError> errors)
    {
        TimeSpan interval = router.AdvertisementInterval;
        string? error = router.Version == 2
            ? interval < TimeSpan.FromSeconds(1) || interval > TimeSpan.FromSeconds(255) || interval.Ticks % TimeSpan.TicksPerSecond != 0
                ? "must be 1s to 255s in whole seconds with version 2" : null
            : interval < TimeSpan.FromMilliseconds(10) || interval > LongestInterval3 || interval.Ticks % (10 * TimeSpan.TicksPerMillisecond) != 0
                ? "must be 10ms to 40.95s in steps of 10ms with version 3" : null;
        if (error is not null) errors.Add(new($"{path}:AdvertisementInterval", Durations.Format(interval), error));
    }

    private static bool? ValidateAddresses(string path, RouterOptions router, List<ConfigurationError> errors)
    {
        if (router.Addresses.Count == 0) errors.Add(new($"{path}:Addresses", null, "a virtual router needs at least one address"));
        if (router.Addresses.Count > 255) errors.Add(new($"{path}:Addresses", null, "an advert names at most 255 addresses; put the others into ExcludedAddresses"));
        bool? family = null;
        foreach ((string at, VirtualAddressOptions address) in AddressesOf(path, router))
        {
            Rules.Run(new VirtualAddressRules(), at, address, errors);
            if (address.Interface is { } device) ValidateDevice($"{at}:Interface", device, errors);
            if (string.IsNullOrWhiteSpace(address.Address)) continue;
            if (!AddressPrefix.TryParse(address.Address, out AddressPrefix prefix, out string? error))
            {
                errors.Add(new($"{at}:Address", address.Address, error));
                continue;
            }

            bool isV6 = prefix.Address.IsV6;
            if (at.StartsWith($"{path}:Addresses", StringComparison.Ordinal))
            {
                family ??= isV6;
                if (family != isV6) errors.Add(new($"{at}:Address", address.Address, "is of the other family than those before; one router is IPv4 or IPv6, excluded addresses may be of both"));
            }

            if (!isV6 && prefix.Bits < 31 && IsEdge(prefix)) errors.Add(new($"{at}:Address", address.Address, "is the first or last address of its network, which no host can have"));
            if (Reserved(prefix.Address) is { } reserved) errors.Add(new($"{at}:Address", address.Address, reserved));
            if (address.Label is not { } label) continue;
            if (isV6) errors.Add(new($"{at}:Label", label, "is for IPv4 addresses only"));
            else if (label.Length > LongestDevice || !label.StartsWith(address.Interface ?? router.Interface, StringComparison.Ordinal))
                errors.Add(new($"{at}:Label", label, $"must begin with the interface's name, {address.Interface ?? router.Interface}, and have at most 15 characters"));
        }

        if (family == true && router.Version == 3 && AddressPrefix.TryParse(router.Addresses[0].Address, out AddressPrefix first, out _) && !first.Address.ToIPEndPoint().Address.IsIPv6LinkLocal)
            errors.Add(new($"{path}:Addresses:0:Address", router.Addresses[0].Address, "must be link-local (fe80::…): the first IPv6 address of a router is (RFC 9568 5.2.9)"));
        return family;
    }

    private static bool IsEdge(AddressPrefix prefix)
    {
        Span<byte> bytes = stackalloc byte[16];
        prefix.Address.WriteBytes(bytes);
        uint host = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes) & (uint)(0xFFFF_FFFFUL >> prefix.Bits);
        return host == 0 || host == (uint)(0xFFFF_FFFFUL >> prefix.Bits);
    }

    private static string? Reserved(PeerAddress address)
    {
        System.Net.IPAddress ip = address.ToIPEndPoint().Address;
        Span<byte> bytes = stackalloc byte[16];
        int first = address.WriteBytes(bytes) > 0 ? bytes[0] : 0;
        if (System.Net.IPAddress.IsLoopback(ip)) return "is a loopback address; nobody but this node could use it";
        if (ip.IsIPv6Multicast || (!address.IsV6 && first >= 224)) return "is a multicast or reserved address";
        return ip.Equals(System.Net.IPAddress.Any) || ip.Equals(System.Net.IPAddress.IPv6Any) ? "is the unspecified address" : null;
    }

    private static void ValidateNetwork(string path, RouterOptions router, bool? isV6, List<ConfigurationError> errors)
    {
        if (router.HeartbeatInterface is { } second)
        {
            ValidateDevice($"{path}:HeartbeatInterface", second, errors);
            if (second == router.Interface) errors.Add(new($"{path}:HeartbeatInterface", second, "must be another interface than Interface"));
            if (router.Unicast is not null) errors.Add(new($"{path}:HeartbeatInterface", second, "goes with multicast only"));
        }

        if (router.VirtualMac.Name is { } name) ValidateDevice($"{path}:VirtualMac:Name", name, errors);
        if (router.Unicast is not { } unicast) return;
        Rules.Run(new UnicastRules(), $"{path}:Unicast", unicast, errors);
        if (unicast.Peers.Count == 0) errors.Add(new($"{path}:Unicast:Peers", null, "needs at least one peer"));
        if (unicast.MinimumTtl > unicast.MaximumTtl)
            errors.Add(new($"{path}:Unicast:MinimumTtl", unicast.MinimumTtl.ToString(CultureInfo.InvariantCulture), "must not be above MaximumTtl"));
        HashSet<string> seen = new(StringComparer.Ordinal);
        for (int i = 0; i < unicast.Peers.Count; i++)
        {
            ValidatePeer($"{path}:Unicast:Peers:{i}", unicast.Peers[i], isV6, errors);
            if (!seen.Add(unicast.Peers[i])) errors.Add(new($"{path}:Unicast:Peers:{i}", unicast.Peers[i], "is named twice"));
            if (unicast.Peers[i] == unicast.Source) errors.Add(new($"{path}:Unicast:Peers:{i}", unicast.Peers[i], "is this node's own Source"));
        }

        if (unicast.Source is { } source) ValidatePeer($"{path}:Unicast:Source", source, isV6, errors);
        if (router.VirtualMac is { Enabled: true, TransmitBase: false })
            errors.Add(new($"{path}:VirtualMac:TransmitBase", "false", "must be true with Unicast: unicast adverts leave from the interface itself"));
    }

    private static void ValidatePeer(string path, string text, bool? isV6, List<ConfigurationError> errors)
    {
        if (!PeerAddress.TryParse(text, out PeerAddress peer) || peer.Port != 0) errors.Add(new(path, text, "must be an IP address"));
        else if (isV6 is { } family && family != peer.IsV6) errors.Add(new(path, text, $"must be {(family ? "IPv6" : "IPv4")}, as Addresses are"));
    }

    private static void ValidateAuthentication(string path, RouterOptions router, List<ConfigurationError> errors)
    {
        RouterAuthenticationOptions authentication = router.Authentication;
        Rules.Run(new AuthenticationRules(), path, authentication, errors);
        if (Is("pass"))
        {
            // The value is a secret, and errors are shown and logged.
            if (router.Version != 2) errors.Add(new($"{path}:Type", "pass", "is of version 2 only; version 3 has no place for it"));
            if (authentication.Password is not { Length: >= 1 and <= 8 } password || !password.All(char.IsAscii)) errors.Add(new($"{path}:Password", null, "must be 1 to 8 characters of ASCII"));
        }

        if (!Is("hmac")) return;
        if (authentication.Keys.Count == 0) errors.Add(new($"{path}:Keys", null, "needs at least one key"));
        foreach ((string id, string key) in authentication.Keys)
        {
            if (!byte.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out _)) errors.Add(new($"{path}:Keys:{id}", null, "the number of a key must be 0 to 255"));
            bool isHex = key.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
            if (isHex && (key.Length % 2 != 0 || !key.Skip(2).All(char.IsAsciiHexDigit))) errors.Add(new($"{path}:Keys:{id}", null, "is not hexadecimal"));
            else if ((isHex ? (key.Length - 2) / 2 : System.Text.Encoding.UTF8.GetByteCount(key)) is < 16 or > 64) errors.Add(new($"{path}:Keys:{id}", null, "must be 16 to 64 bytes"));
        }

        bool Is(string type) => string.Equals(authentication.Type, type, StringComparison.OrdinalIgnoreCase);
    }

    private static void ValidateStrict(string path, RouterOptions router, List<ConfigurationError> errors)
    {
        const string Reason = "is not allowed with Strict";
        if (router.Unicast is not null) errors.Add(new($"{path}:Unicast", null, Reason));
        if (!string.Equals(router.Authentication.Type, "none", StringComparison.OrdinalIgnoreCase)) errors.Add(new($"{path}:Authentication:Type", router.Authentication.Type, Reason));
        if (router.AlsoVersion2) errors.Add(new($"{path}:AlsoVersion2", "true", Reason));
        if (router.Checksum == RouterChecksum.PseudoHeader) errors.Add(new($"{path}:Checksum", "pseudo-header", Reason));
    }

    private static void ValidateDevice(string path, string name, List<ConfigurationError> errors)
    {
        if (name.Length > LongestDevice || name.Any(static c => c is '/' || char.IsWhiteSpace(c)) || name is "." or "..")
            errors.Add(new(path, name, "is no name of a network interface: at most 15 characters, no space and no slash"));
    }

    private static void ValidateGroup(string path, string text, bool isV6, List<ConfigurationError> errors)
    {
        bool isGroup = PeerAddress.TryParse(text, out PeerAddress group) && group.Port == 0 && group.IsV6 == isV6;
        Span<byte> bytes = stackalloc byte[16];
        if (isGroup && group.WriteBytes(bytes) > 0 && (isV6 ? bytes[0] == 0xFF : bytes[0] is >= 224 and < 240)) return;
        errors.Add(new(path, text, $"must be an {(isV6 ? "IPv6" : "IPv4")} multicast address"));
    }

    private static void Unique(Dictionary<string, string> seen, string key, string path, string value, string rule, List<ConfigurationError> errors)
    {
        if (!seen.TryAdd(key, path)) errors.Add(new(path, value, $"is already at {seen[key]} {rule}"));
    }
}

[OptionsValidator]
internal sealed partial class RouterRules : IValidateOptions<RouterOptions>;

[OptionsValidator]
internal sealed partial class VirtualAddressRules : IValidateOptions<VirtualAddressOptions>;

[OptionsValidator]
internal sealed partial class UnicastRules : IValidateOptions<RouterUnicastOptions>;

[OptionsValidator]
internal sealed partial class AuthenticationRules : IValidateOptions<RouterAuthenticationOptions>;

[OptionsValidator]
internal sealed partial class AnnounceRules : IValidateOptions<RouterAnnounceOptions>;

[OptionsValidator]
internal sealed partial class NotifyRules : IValidateOptions<RouterNotifyOptions>;

[OptionsValidator]
internal sealed partial class VrrpRules : IValidateOptions<VrrpOptions>;
