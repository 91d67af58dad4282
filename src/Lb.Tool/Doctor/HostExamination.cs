using System.Globalization;
using System.Net;

namespace Lb.Tool;

/// <summary>Judges rights and limits of this process against what a configuration needs. Pure.</summary>
internal static class HostExamination
{
    private const int BindService = 10;
    private const int NetAdmin = 12;
    private const int NetRaw = 13;
    private const int SysNice = 23;

    // A gateway without a limit of its own should not fall short at a thousand clients.
    private const long FewFiles = 4096;

    public static IEnumerable<Finding> Examine(LbOptions options, MachineFacts facts) =>
        [.. Capabilities(options, facts), .. Ports(options, facts), .. Pings(options, facts), .. Files(options, facts), .. Clock(options, facts), .. Ring(options, facts), .. Listening(options, facts)];

    /// <summary>Without a configuration: what virtual routers and gateways usually need.</summary>
    public static IEnumerable<Finding> Examine(MachineFacts facts)
    {
        (string Name, int Number)[] all = [("CAP_NET_RAW", NetRaw), ("CAP_NET_ADMIN", NetAdmin), ("CAP_NET_BIND_SERVICE", BindService), ("CAP_SYS_NICE", SysNice)];
        string[] missing = [.. all.Where(c => !Has(facts, c.Number)).Select(static c => c.Name)];
        yield return missing.Length == 0 ? Finding.Ok($"capabilities: {string.Join(", ", all.Select(static c => c.Name))}")
            : Finding.Warn($"capabilities: without {string.Join(", ", missing)}; virtual routers need CAP_NET_RAW and CAP_NET_ADMIN, low ports CAP_NET_BIND_SERVICE", $"in the systemd unit: AmbientCapabilities={string.Join(' ', missing)}");
        if (facts.OpenFiles is { } limit) yield return Finding.Ok(string.Create(CultureInfo.InvariantCulture, $"open files: {limit}"));
        foreach (Finding finding in Clock(new LbOptions(), facts)) yield return finding;
        yield return facts.RingError is null ? Finding.Ok("io_uring: adverts could be queued ahead") : Finding.Warn($"io_uring: {facts.RingError}; only Vrrp:QueueAhead needs it");
    }

    private static IEnumerable<Finding> Capabilities(LbOptions options, MachineFacts facts)
    {
        List<string> needed = [];
        if (options.Routers.Values.Any(static r => r.Unicast?.UdpPort is null || r.AssignAddresses)) needed.Add("CAP_NET_RAW");
        if (options.Routers.Values.Any(static r => r.AssignAddresses || r.VirtualMac.Enabled || (r.Priority != 255 && (!r.Accept || r.Strict)))) needed.Add("CAP_NET_ADMIN");
        string[] missing = [.. needed.Where(c => !Has(facts, c == "CAP_NET_RAW" ? NetRaw : NetAdmin))];
        if (missing.Length > 0)
            yield return Finding.Fail($"capabilities: {string.Join(" and ", missing)} missing, virtual routers need {string.Join(" and ", needed)}", $"in the systemd unit: AmbientCapabilities={string.Join(' ', needed)}; or run it as root");
        else if (needed.Count > 0) yield return Finding.Ok($"capabilities: {string.Join(", ", needed)}");

        if (options.Vrrp.RealTimePriority is not (> 0 and var priority)) yield break;
        string wanted = string.Create(CultureInfo.InvariantCulture, $"real-time priority {priority}");
        yield return Has(facts, SysNice) || facts.RealTimePriority >= priority
            ? Finding.Ok(wanted)
            : Finding.Warn($"{wanted}: CAP_SYS_NICE missing, the VRRP thread will run without it", "in the systemd unit: AmbientCapabilities=CAP_SYS_NICE");
    }

    private static IEnumerable<Finding> Ports(LbOptions options, MachineFacts facts)
    {
        long first = facts.Number("net/ipv4/ip_unprivileged_port_start") ?? 1024;
        foreach ((string name, GatewayOptions gateway) in options.Gateways)
        {
            string[] low = [.. gateway.Listen.Where(text => PortOf(text) is > 0 and var port && port < first)];
            if (low.Length == 0) continue;
            string what = $"gateway {name}: {string.Join(", ", low)}";
            yield return Has(facts, BindService)
                ? Finding.Ok($"{what}: CAP_NET_BIND_SERVICE")
                : Finding.Fail(string.Create(CultureInfo.InvariantCulture, $"{what}: ports below {first} need CAP_NET_BIND_SERVICE"),
                    string.Create(CultureInfo.InvariantCulture, $"sysctl -w net.ipv4.ip_unprivileged_port_start={low.Min(PortOf)}; or in the systemd unit: AmbientCapabilities=CAP_NET_BIND_SERVICE"));
        }

        // On the node that is Backup the address is not there.
        HashSet<PeerAddress> virtuals = [.. RouterExamination.VirtualAddresses(options).Select(static a => a.Prefix.Address)];
        foreach ((string name, GatewayOptions gateway) in options.Gateways)
        {
            foreach (string text in gateway.Listen)
            {
                if (!IPEndPoint.TryParse(text, out IPEndPoint? at) || !virtuals.Contains(PeerAddress.From(new IPEndPoint(at.Address, 0)))) continue;
                if (gateway.Freebind || gateway.Transparent)
                {
                    yield return Finding.Ok($"gateway {name}: listens on the virtual address {text} by itself");
                    continue;
                }

                string setting = at.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? "ipv6" : "ipv4";
                yield return facts.Number($"net/{setting}/ip_nonlocal_bind") == 1
                    ? Finding.Ok($"gateway {name}: listens on the virtual address {text}")
                    : Finding.Fail($"gateway {name}: {text} is a virtual address, which this node does not always have", $"sysctl -w net.{setting}.ip_nonlocal_bind=1; or set Freebind: true; or listen on {(setting == "ipv6" ? "[::]" : "0.0.0.0")}:{at.Port.ToString(CultureInfo.InvariantCulture)}");
            }
        }
    }

    private static IEnumerable<Finding> Pings(LbOptions options, MachineFacts facts)
    {
        if (!options.Pools.Values.Any(static p => p.Checks.Any(static c => string.Equals(c.Type, "icmp", StringComparison.OrdinalIgnoreCase)))) yield break;
        string[] range = (facts.Setting("net/ipv4/ping_group_range") ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        bool may = Has(facts, NetRaw) || (range.Length == 2 && long.TryParse(range[0], out long least) && long.TryParse(range[1], out long most) && facts.Groups.Any(g => g >= least && g <= most));
        yield return may ? Finding.Ok("icmp checks may ping") : Finding.Fail("icmp checks may not ping", "sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"");
    }

    private static IEnumerable<Finding> Files(LbOptions options, MachineFacts facts)
    {
        if (options.Gateways.Count == 0 || facts.OpenFiles is not { } limit) yield break;

        // A proxied connection takes two.
        long asked = options.Gateways.Values.Sum(static g => 2L * g.MaxConnections), wanted = Math.Max(asked, FewFiles);
        CultureInfo culture = CultureInfo.InvariantCulture;
        yield return limit >= wanted
            ? Finding.Ok(string.Create(culture, $"open files: {limit}"))
            : Finding.Warn(string.Create(culture, $"open files: {limit}, {(asked > FewFiles ? $"MaxConnections needs {asked}" : $"enough for some {limit / 2} connections")}"), string.Create(culture, $"in the systemd unit: LimitNOFILE={wanted + 1024}"));
    }

    private static IEnumerable<Finding> Clock(LbOptions options, MachineFacts facts)
    {
        bool matters = options.Routers.Values.Any(static r => Is(r.Authentication.Type, "hmac") && Is(r.Authentication.Replay, "time"));
        const string Cure = "timedatectl set-ntp true; or set Authentication:Replay to monotonic";
        if (matters)
        {
            yield return facts.ClockIsSynchronized switch
            {
                true => Finding.Ok("clock: synchronized"),
                false => Finding.Fail("clock: not synchronized, and adverts with the time in them are discarded when the nodes' clocks differ", Cure),
                null => Finding.Warn("clock: the kernel does not say whether it is synchronized, and the time in adverts needs it", Cure),
            };
        }
        else if (facts.ClockIsSynchronized is { } isSynchronized)
        {
            yield return isSynchronized ? Finding.Ok("clock: synchronized") : Finding.Warn("clock: not synchronized; nothing here needs it, but logs of the nodes can't be compared", "timedatectl set-ntp true");
        }

        static bool Is(string value, string word) => string.Equals(value, word, StringComparison.OrdinalIgnoreCase);
    }

    private static IEnumerable<Finding> Ring(LbOptions options, MachineFacts facts)
    {
        if (options.Vrrp.QueueAhead <= TimeSpan.Zero) yield break;
        yield return facts.RingError is null
            ? Finding.Ok("io_uring: adverts can be queued ahead")
            : Finding.Warn($"io_uring: {facts.RingError}; adverts are sent by the thread", "sysctl -w kernel.io_uring_disabled=0; in a container also a seccomp profile that allows io_uring_setup");
    }

    // What the kernel does not refuse and does not do either.
    private static IEnumerable<Finding> Listening(LbOptions options, MachineFacts facts)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        int backlog = options.Gateways.Values.Select(static g => g.Backlog).DefaultIfEmpty().Max();
        if (facts.Number("net/core/somaxconn") is { } most && most < backlog)
            yield return Finding.Warn(string.Create(culture, $"accept queues: Backlog is {backlog}, and the kernel cuts it to {most}"), string.Create(culture, $"sysctl -w net.core.somaxconn={backlog}"));
        long fastOpen = facts.Number("net/ipv4/tcp_fastopen") ?? 0;
        if (options.Gateways.Values.Any(static g => g.Tcp.FastOpen > 0) && (fastOpen & 2) == 0)
            yield return Finding.Warn(string.Create(culture, $"Tcp:FastOpen of gateways: the kernel does not take it (net.ipv4.tcp_fastopen is {fastOpen})"), "sysctl -w net.ipv4.tcp_fastopen=3");
        if (options.Pools.Values.Any(static p => p.Tcp?.FastOpen == true || p.Servers.Any(static s => s.Tcp?.FastOpen == true)) && (fastOpen & 1) == 0)
            yield return Finding.Warn(string.Create(culture, $"Tcp:FastOpen towards servers: the kernel does not do it (net.ipv4.tcp_fastopen is {fastOpen})"), "sysctl -w net.ipv4.tcp_fastopen=3");
    }

    private static bool Has(MachineFacts facts, int capability) => (facts.Capabilities >> capability & 1) != 0;

    // The first of a range; 0 = none.
    private static int PortOf(string listen)
    {
        string port = listen[(listen.LastIndexOf(':') + 1)..].Split('-', ' ')[0];
        return !listen.StartsWith("unix:", StringComparison.OrdinalIgnoreCase) && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
    }
}
