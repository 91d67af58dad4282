using System.Globalization;

namespace Lb.Tool;

/// <summary>Judges network, kernel settings and firewall against what virtual routers need. Pure.</summary>
internal static class RouterExamination
{
    // What the kernel charges a socket for a short packet, and the pause that its buffer should outlast.
    private const double BytesOfPacket = 768;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static IEnumerable<Finding> Examine(LbOptions options, MachineFacts facts) =>
    [
        .. options.Routers.SelectMany(r => Interface(r.Key, r.Value, facts)), .. SharedNetworks(options, facts), .. Settings(options, facts), .. Firewall(options, facts),
    ];

    /// <summary>The virtual addresses of all routers, with the interfaces they are put on.</summary>
    public static IEnumerable<(AddressPrefix Prefix, string Device)> VirtualAddresses(LbOptions options) =>
        from router in options.Routers.Values
        from address in router.Addresses.Concat(router.ExcludedAddresses)
        let prefix = AddressPrefix.TryParse(address.Address, out AddressPrefix found, out _) ? found : default
        where !prefix.Address.IsEmpty
        select (prefix, address.Interface ?? router.Interface);

    private static IEnumerable<Finding> Interface(string name, RouterOptions router, MachineFacts facts)
    {
        HashSet<string> devices = [router.Interface, .. router.Addresses.Concat(router.ExcludedAddresses).Select(static a => a.Interface).OfType<string>()];
        if (router.HeartbeatInterface is { } second) devices.Add(second);
        foreach (string device in devices)
        {
            if (!facts.Devices.TryGetValue(device, out DeviceFacts? found))
                yield return Finding.Fail($"router {name}: there is no interface {device}; there are: {string.Join(", ", facts.Devices.Keys.Order(StringComparer.Ordinal))}", "ip link show");
            else if (!found.IsUp) yield return Finding.Fail($"router {name}: the link of {device} is down", $"ip link set dev {device} up");
            else if (device == router.Interface) yield return Source(name, router, device, found, facts);
            else yield return Finding.Ok($"router {name}: {device} is up");
        }
    }

    private static Finding Source(string name, RouterOptions router, string device, DeviceFacts found, MachineFacts facts)
    {
        bool isV6 = IsV6(router);
        if (router.Unicast?.Source is { } wanted && PeerAddress.TryParse(wanted, out PeerAddress source))
        {
            // All of 127.0.0.0/8 is this machine's.
            bool isOurs = System.Net.IPAddress.IsLoopback(source.ToIPEndPoint().Address) || facts.Devices.Values.Any(d => d.Addresses.Any(a => a.Address == source));
            return isOurs ? Finding.Ok($"router {name}: {device} is up, adverts leave from {wanted}") : Finding.Fail($"router {name}: Unicast:Source {wanted} is no address of this machine", $"ip address add {wanted} dev {device}");
        }

        HashSet<PeerAddress> own = [.. router.Addresses.Select(static a => AddressPrefix.TryParse(a.Address, out AddressPrefix p, out _) ? p.Address : default)];
        AddressPrefix first = found.Addresses.FirstOrDefault(a => a.Address.IsV6 == isV6 && !own.Contains(a.Address) && (!isV6 || a.Address.ToIPEndPoint().Address.IsIPv6LinkLocal));
        return !first.Address.IsEmpty ? Finding.Ok($"router {name}: {device} is up, adverts leave from {first.Address.ToIPEndPoint().Address}")
            : isV6 ? Finding.Fail($"router {name}: {device} has no link-local address to send adverts from", $"sysctl -w net.ipv6.conf.{device}.disable_ipv6=0; ip link set dev {device} addrgenmode eui64")
            : Finding.Fail($"router {name}: {device} has no IPv4 address of its own to send adverts from", $"ip address add ADDRESS/PREFIX dev {device}");
    }

    // Two interfaces in one network both answer for every address of the machine.
    private static IEnumerable<Finding> SharedNetworks(LbOptions options, MachineFacts facts)
    {
        HashSet<string> told = new(StringComparer.Ordinal);
        HashSet<PeerAddress> virtuals = [.. VirtualAddresses(options).Select(static a => a.Prefix.Address)];
        foreach (RouterOptions router in options.Routers.Values)
        {
            if (!facts.Devices.TryGetValue(router.Interface, out DeviceFacts? device)) continue;
            foreach ((string other, DeviceFacts found) in facts.Devices)
            {
                bool isShared = other != router.Interface && found.Addresses.Any(a => !a.Address.IsV6 && !virtuals.Contains(a.Address) && device.Addresses.Any(o => o.Bits < 32 && o.Contains(a.Address)));
                if (!isShared || !told.Add(router.Interface + other)) continue;
                bool isQuiet = Effective(facts, "arp_ignore", router.Interface) >= 1 && Effective(facts, "arp_ignore", other) >= 1 && Effective(facts, "arp_announce", other) >= 1;
                bool isStrict = Effective(facts, "rp_filter", router.Interface) == 1 || Effective(facts, "rp_filter", other) == 1;
                if (!isQuiet) yield return Finding.Warn($"{router.Interface} and {other} are in one network: both answer for the virtual addresses", "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2");
                if (isStrict) yield return Finding.Warn($"{router.Interface} and {other} are in one network, and rp_filter is 1: packets at the wrong one are dropped", $"sysctl -w net.ipv4.conf.{router.Interface}.rp_filter=2 net.ipv4.conf.{other}.rp_filter=2");
            }
        }
    }

    private static IEnumerable<Finding> Settings(LbOptions options, MachineFacts facts)
    {
        if (options.Routers.Count == 0) yield break;
        List<Finding> wrong = [];
        foreach (string device in VirtualAddresses(options).Where(static a => !a.Prefix.Address.IsV6 && a.Prefix.Bits < 32).Select(static a => a.Device).Distinct(StringComparer.Ordinal))
        {
            if (facts.Devices.ContainsKey(device) && Effective(facts, "promote_secondaries", device) == 0)
                wrong.Add(Finding.Warn($"{device}: whoever removes its own address removes the virtual ones too (promote_secondaries is 0)", $"sysctl -w net.ipv4.conf.{device}.promote_secondaries=1"));
        }

        if (options.Routers.Values.Any(static r => r.VirtualMac.Enabled) && !facts.CanWriteSettings)
            wrong.Add(Finding.Fail("VirtualMac: the settings of its device can't be written (/proc/sys/net)", "in a container: a writable /proc/sys; otherwise CAP_NET_ADMIN, and ProtectKernelTunables=no in the systemd unit"));

        // Each link has one socket, which joins one group.
        if (options.Routers.Values.Any(static r => r.Unicast is null && !IsV6(r)) && facts.Number("net/ipv4/igmp_max_memberships") is < 1)
            wrong.Add(Finding.Fail("multicast groups can't be joined (igmp_max_memberships is 0)", "sysctl -w net.ipv4.igmp_max_memberships=20"));

        double packets = options.Routers.Values.Where(static r => r.AdvertisementInterval > TimeSpan.Zero)
            .GroupBy(static r => (r.Interface, IsV6(r)), static r => Pause / r.AdvertisementInterval, static (_, rates) => rates.Sum()).DefaultIfEmpty().Max();
        if (facts.Number("net/core/rmem_default") is { } buffer && packets * BytesOfPacket > buffer)
            wrong.Add(Finding.Warn(string.Create(CultureInfo.InvariantCulture, $"{packets:F0} adverts a second: a pause of 1 s overruns the receive buffer of {buffer} bytes"), string.Create(CultureInfo.InvariantCulture, $"sysctl -w net.core.rmem_default={packets * BytesOfPacket * 2:F0}")));
        if (wrong.Count == 0) wrong.Add(Finding.Ok("kernel settings"));
        foreach (Finding finding in wrong) yield return finding;
    }

    private static IEnumerable<Finding> Firewall(LbOptions options, MachineFacts facts)
    {
        if (options.Routers.Count == 0) yield break;
        if (facts.Firewalls.Count == 0) yield return Finding.Warn("firewall: not looked at, neither nft nor iptables is installed");
        foreach (FirewallFacts firewall in facts.Firewalls)
        {
            if (firewall.Rules is null)
            {
                yield return Finding.Warn($"firewall: {firewall.Tool} can't be read: {firewall.Error}", "run lb doctor as root");
                continue;
            }

            bool isNft = firewall.Tool.StartsWith("nft", StringComparison.Ordinal);
            List<Finding> wrong = [];
            foreach ((string name, RouterOptions router) in options.Routers)
            {
                bool isV6 = IsV6(router);
                if (!isNft && isV6 != firewall.Tool.StartsWith("ip6", StringComparison.Ordinal)) continue;
                int? port = router.Unicast?.UdpPort;
                FirewallVerdict verdict = isNft ? FirewallRules.JudgeNft(firewall.Rules, isV6, port, router.Interface) : FirewallRules.JudgeIptables(firewall.Rules, port, router.Interface);
                string what = port is null ? "protocol 112" : string.Create(CultureInfo.InvariantCulture, $"UDP port {port}");
                string match = isNft ? port is null ? "meta l4proto 112" : string.Create(CultureInfo.InvariantCulture, $"udp dport {port}") : port is null ? "-p 112" : string.Create(CultureInfo.InvariantCulture, $"-p udp --dport {port}");
                string cure = isNft ? $"nft insert rule inet filter input iifname {router.Interface} {match} accept   (table and chain as yours are called)"
                    : $"{(isV6 ? "ip6tables" : "iptables")} -I INPUT -i {router.Interface} {match} -j ACCEPT";
                if (verdict == FirewallVerdict.DropsAll) wrong.Add(Finding.Fail($"firewall: {firewall.Tool}: drops what no rule accepts, and none accepts {what} (router {name})", cure));
                if (verdict == FirewallVerdict.DropsAdverts) wrong.Add(Finding.Fail($"firewall: {firewall.Tool}: a rule drops {what} (router {name})", cure));
            }

            if (wrong.Count == 0) wrong.Add(Finding.Ok($"firewall: {firewall.Tool}: lets adverts pass"));
            foreach (Finding finding in wrong) yield return finding;
        }
    }

    private static bool IsV6(RouterOptions router) => router.Addresses.Count > 0 && AddressPrefix.TryParse(router.Addresses[0].Address, out AddressPrefix first, out _) && first.Address.IsV6;

    // The kernel takes the larger one of an interface's number and that for all.
    private static long Effective(MachineFacts facts, string setting, string device) =>
        Math.Max(facts.Number($"net/ipv4/conf/all/{setting}") ?? 0, facts.Number($"net/ipv4/conf/{device}/{setting}") ?? 0);
}
