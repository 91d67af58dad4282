using Lb.Interop.Tests.Peers;
using Lb.Vrrp.Tests;

namespace Lb.Interop.Tests.Vrrp;

/// <summary>A router program on a host: started, killed, ended, started again.</summary>
internal abstract class Node(HostNetwork network, int host) : IAsyncDisposable
{
    public static readonly (string, string) NeedKeepalived = ("/usr/sbin/keepalived", "keepalived");
    public static readonly (string, string) NeedFrr = ("/usr/lib/frr/vrrpd", "frr");
    public static readonly (string, string) NeedTshark = ("/usr/bin/tshark", "tshark");

    private readonly List<Peer> _running = [];
    private Task _ended = Task.CompletedTask;

    public int Host => host;

    public PeerHome Home { get; } = new();

    /// <summary>What the program that was started last has written.</summary>
    public Heard<string> Lines => _running[^1].Lines;

    protected TestNamespace Space => network.Host(host);

    /// <summary>Starts it; it may not be ready yet.</summary>
    public abstract void Start();

    /// <summary>Kills it with SIGKILL.</summary>
    public async Task KillAsync()
    {
        foreach (Peer peer in _running) await peer.KillAsync();
        _running.Clear();
    }

    /// <summary>Ends it in order: it was asked to when this returns.</summary>
    public Task EndAsync()
    {
        Peer[] running = [.. _running.AsEnumerable().Reverse()];
        _running.Clear();
        return _ended = Task.WhenAll(running.Select(static peer => peer.EndAsync()));
    }

    /// <summary>Until what was asked to end has ended.</summary>
    public Task EndedAsync() => _ended;

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await _ended;
        Home.Dispose();
    }

    protected Peer Run(params string[] command)
    {
        Peer peer = Peer.Start(Home, ["/usr/sbin/ip", "netns", "exec", Space.Name, .. command]);
        _running.Add(peer);
        return peer;
    }
}

/// <summary>The built <c>lb run</c>.</summary>
internal sealed class LbNode(HostNetwork network, int host) : Node(network, host)
{
    private readonly HostNetwork _network = network;

    /// <summary>The file that it runs: the routers of <c>Routers</c>, and what else.</summary>
    /// <param name="routers">Members of <c>Routers</c>.</param>
    /// <param name="more">Further members of <c>Lb</c>, in JSON.</param>
    public LbNode With(string[] routers, params string[] more)
    {
        string rest = string.Concat(more.Select(static m => $",\n    {m}"));
        Home.Write("lb.json", $$"""
            {
              "Lb": {
                "Routers": {
            {{string.Join(",\n", routers)}}
                }{{rest}}
              }
            }
            """);
        return this;
    }

    public override void Start() =>
        Run(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "/usr/bin/dotnet", Path.Combine(AppContext.BaseDirectory, "lb.dll"), "run", "-c", Home.PathOf("lb.json"));

    public async Task WhenSaysAsync(string text, int from = 0) => await Lines.WhenAsync(line => line.Contains(text, StringComparison.Ordinal), from, text);

    /// <summary>Ends when a router is in a state, by its log.</summary>
    public Task WhenIsAsync(RouterSpec router, string state, int from = 0) => WhenSaysAsync($"Router r{router.Id}: ", $"-> {state},", from);

    public Task<TimeSpan> WhenAnswersAsync(RouterSpec router) => _network.WhenAnsweredAsync(router.Address, Host);

    private async Task WhenSaysAsync(string one, string other, int from) =>
        await Lines.WhenAsync(line => line.Contains(one, StringComparison.Ordinal) && line.Contains(other, StringComparison.Ordinal), from, one + other);
}

/// <summary>keepalived.</summary>
internal sealed class KeepalivedNode(HostNetwork network, int host) : Node(network, host)
{
    public KeepalivedNode With(params string[] instances)
    {
        Home.Write("keepalived.conf", $"global_defs {{\n router_id h{Host}\n}}\n{string.Concat(instances)}");
        return this;
    }

    public override void Start()
    {
        // Its file of the process id is left by a kill, and would keep it from starting.
        string pid = Home.PathOf($"{Guid.NewGuid()}");
        Run("/usr/sbin/keepalived", "-n", "-P", "-l", "-D", "-f", Home.PathOf("keepalived.conf"), "-p", $"{pid}.main", "-r", $"{pid}.vrrp");
    }
}

/// <summary>zebra and vrrpd of FRR.</summary>
internal sealed class FrrNode(HostNetwork network, int host) : Node(network, host)
{
    /// <summary>Makes the devices that it wants: a macvlan with the virtual MAC address for each router, which has the addresses for good.</summary>
    public FrrNode With(params (RouterSpec Router, int Priority)[] routers)
    {
        foreach ((RouterSpec router, _) in routers)
        {
            string device = $"vrrp{(router.IsV6 ? 6 : 4)}-{router.Id}";
            Space.Ip("link", "add", device, "link", "eth0", "address", $"00:00:5e:00:{(router.IsV6 ? "02" : "01")}:{router.Id:x2}", "type", "macvlan", "mode", "bridge");
            if (router.IsV6) Space.Ip("link", "set", device, "addrgenmode", "none");
            foreach (string address in router.Addresses) Space.Ip("address", "add", $"{address}/{router.Prefix}", "dev", device);
            Space.Ip("link", "set", device, "up");
            Space.Run(() => Set($"ipv4/conf/{device}/rp_filter", "0"));
        }

        Space.Run(static () =>
        {
            Set("ipv4/conf/all/arp_ignore", "1");
            Set("ipv4/ip_forward", "1");
        });
        Home.Write("frr.conf", $"log stdout\ndebug vrrp protocol\ninterface eth0\n{string.Concat(routers.Select(static r => r.Router.ForFrr(r.Priority)))}");
        return this;
    }

    public override void Start()
    {
        string run = Home.OpenDirectory($"{Guid.NewGuid()}"), file = Home.PathOf("frr.conf");
        foreach (string daemon in new[] { "zebra", "vrrpd" })
            Run($"/usr/lib/frr/{daemon}", "-f", file, "-i", $"{run}/{daemon}.pid", "-z", $"{run}/zserv.api", "--vty_socket", run);
    }

    private static void Set(string name, string value) => File.WriteAllText($"/proc/sys/net/{name}", value);
}
