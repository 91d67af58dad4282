using System.Net;

namespace Lb.Interop.Tests.Peers;

/// <summary>Name servers on 127.0.0.1.</summary>
internal static class NameServers
{
    public static readonly (string Program, string Package) NeedsNsd = ("/usr/sbin/nsd", "nsd");
    public static readonly (string Program, string Package) NeedsDnsmasq = ("/usr/sbin/dnsmasq", "dnsmasq-base");

    /// <summary>Starts NSD with the zone <c>example.</c>, and <c>broken.</c>, whose file is not there.</summary>
    /// <param name="home">Where its files are.</param>
    /// <param name="endPoint">Where it listens.</param>
    /// <param name="records">Records of <c>example.</c> beside its SOA and NS.</param>
    public static Task<Peer> StartNsdAsync(PeerHome home, IPEndPoint endPoint, string records)
    {
        home.Write("example.zone", $"$ORIGIN example.\n$TTL 60\n@ SOA ns hostmaster 2025112101 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n{records}\n");
        string configuration = home.Write("nsd.conf",
            $"""
            server:
              ip-address: 127.0.0.1
              port: {endPoint.Port}
              username: ""
              chroot: ""
              server-count: 1
              zonesdir: "{home.Directory}"
              database: ""
              pidfile: "{home.PathOf("nsd.pid")}"
              xfrdfile: "{home.PathOf("xfrd.state")}"
              zonelistfile: "{home.PathOf("zone.list")}"
              xfrdir: "{home.Directory}"
            remote-control:
              control-enable: no
            zone:
              name: example
              zonefile: example.zone
            zone:
              name: broken
              zonefile: not-there.zone

            """);
        return Peer.StartAsync(home, endPoint, [NeedsNsd.Program, "-d", "-c", configuration]);
    }

    /// <summary>Starts dnsmasq, which asks nobody else.</summary>
    /// <param name="home">Where its files are.</param>
    /// <param name="endPoint">Where it listens.</param>
    /// <param name="arguments">What it knows.</param>
    public static Task<Peer> StartDnsmasqAsync(PeerHome home, IPEndPoint endPoint, params string[] arguments) =>
        Peer.StartAsync(
            home,
            endPoint,
            [
                NeedsDnsmasq.Program, "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file=", "--user=root", "--log-facility=-",
                $"--port={endPoint.Port}", .. arguments,
            ]);
}
