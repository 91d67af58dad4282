using System.Net.NetworkInformation;

namespace Lb.Vrrp;

/// <summary>What of a configuration of routers only this machine can tell: networks of its interfaces, programs, users.</summary>
internal static class MachineRules
{
    /// <summary>Programs and users that routers name.</summary>
    public static void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
        foreach ((string name, RouterOptions router) in options.Routers) CommandRules.Validate($"{options.Path}:Routers:{name}", router, errors);
        if (options.ExaminesMachine) FindOffLink(options, errors);
    }

    /// <summary>
    /// Virtual addresses that nobody on their link would find. What an interface has may change from one moment to the next, so this keeps nothing from
    /// running; an interface that is not there is waited for.
    /// </summary>
    public static void FindOffLink(LbOptions options, ICollection<ConfigurationError> errors)
    {
        if (options.Routers.Count == 0) return;
        Dictionary<string, AddressPrefix[]> networks = Networks();
        (string Path, VirtualAddressOptions Address, string Device)[] all =
        [
            .. options.Routers.SelectMany(r => r.Value.Addresses.Select((a, i) => ($"{options.Path}:Routers:{r.Key}:Addresses:{i}:Address", a, a.Interface ?? r.Value.Interface))
                .Concat(r.Value.ExcludedAddresses.Select((a, i) => ($"{options.Path}:Routers:{r.Key}:ExcludedAddresses:{i}:Address", a, a.Interface ?? r.Value.Interface)))),
        ];
        HashSet<PeerAddress> virtuals = [.. all.Select(static a => AddressPrefix.TryParse(a.Address.Address, out AddressPrefix prefix, out _) ? prefix.Address : default)];
        foreach ((string path, VirtualAddressOptions address, string device) in all)
        {
            if (address.OffLink || !AddressPrefix.TryParse(address.Address, out AddressPrefix prefix, out _) || !networks.TryGetValue(device, out AddressPrefix[]? found)) continue;
            AddressPrefix[] own = [.. found.Where(n => n.Address.Length == prefix.Address.Length && !virtuals.Contains(n.Address))];
            if (own.Length == 0 || Array.Exists(own, n => n.Contains(prefix.Address))) continue;
            errors.Add(new(path, address.Address, $"is in none of the networks of {device}: {string.Join(", ", own)}; nobody there would find it. Set OffLink if it is meant so"));
        }
    }

    private static Dictionary<string, AddressPrefix[]> Networks()
    {
        Dictionary<string, AddressPrefix[]> networks = new(StringComparer.Ordinal);
        Span<byte> bytes = stackalloc byte[16];
        foreach (NetworkInterface device in NetworkInterface.GetAllNetworkInterfaces())
        {
            List<AddressPrefix> found = [];
            foreach (UnicastIPAddressInformation address in device.GetIPProperties().UnicastAddresses)
            {
                if (address.Address.TryWriteBytes(bytes, out int length)) found.Add(new AddressPrefix(PeerAddress.FromBytes(bytes[..length], 0), address.PrefixLength));
            }

            networks[device.Name] = [.. found];
        }

        return networks;
    }
}
