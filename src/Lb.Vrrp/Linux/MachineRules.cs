using System.Net.NetworkInformation;

namespace Lb.Vrrp;

/// <summary>What of a configuration of routers only this machine can tell: networks of its interfaces, programs, users.</summary>
internal static class MachineRules
{
    public static void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
        Dictionary<string, AddressPrefix[]> networks = options.SkipPortChecks || options.Routers.Count == 0 ? [] : Networks();
        foreach ((string name, RouterOptions router) in options.Routers)
        {
            string path = $"{options.Path}:Routers:{name}";
            CommandRules.Validate(path, router, errors);
            Check($"{path}:Addresses", router.Addresses, router.Interface, networks, errors);
            Check($"{path}:ExcludedAddresses", router.ExcludedAddresses, router.Interface, networks, errors);
        }
    }

    // An interface that is not there yet is no error: the router waits for it, in fault.
    private static void Check(string path, IList<VirtualAddressOptions> addresses, string device, Dictionary<string, AddressPrefix[]> networks, ICollection<ConfigurationError> errors)
    {
        for (int i = 0; i < addresses.Count; i++)
        {
            VirtualAddressOptions address = addresses[i];
            string at = address.Interface ?? device;
            if (address.OffLink || !AddressPrefix.TryParse(address.Address, out AddressPrefix prefix, out _) || !networks.TryGetValue(at, out AddressPrefix[]? all)) continue;
            AddressPrefix[] family = [.. all.Where(n => n.Address.Length == prefix.Address.Length && n.Address != prefix.Address)];
            if (family.Length == 0 || Array.Exists(family, n => n.Contains(prefix.Address))) continue;
            errors.Add(new($"{path}:{i}:Address", address.Address,
                $"is in none of the networks of {at}: {string.Join(", ", family)}; nobody there would find it. Set OffLink if it is meant so"));
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
