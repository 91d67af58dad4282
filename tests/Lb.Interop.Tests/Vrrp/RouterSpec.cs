using System.Globalization;
using System.Text;

namespace Lb.Interop.Tests.Vrrp;

/// <summary>One virtual router, the same on all nodes but for the priority, and how each program is told of it.</summary>
/// <param name="Id">VRID.</param>
/// <param name="Version">2 or 3.</param>
/// <param name="IsV6">IPv6.</param>
/// <param name="IsUnicast">Peers are the other hosts of <paramref name="Hosts"/>.</param>
/// <param name="Centiseconds">Time between adverts.</param>
/// <param name="Hosts">Hosts of unicast peers, 1 to this.</param>
/// <param name="Password">PASS authentication; null = none.</param>
internal sealed record RouterSpec(int Id, int Version = 3, bool IsV6 = false, bool IsUnicast = false, int Centiseconds = 10, int Hosts = 2, string? Password = null)
{
    /// <summary>The address that clients use.</summary>
    public string Address => IsV6 ? $"fd77::{Id:x}:1" : $"10.77.0.{Id}";

    /// <summary>All addresses: of IPv6 the first is link-local.</summary>
    public string[] Addresses => IsV6 ? [$"fe80::{Id:x}:1", Address] : [Address];

    private string Seconds => (Centiseconds / 100.0).ToString(CultureInfo.InvariantCulture);

    /// <summary>A member of <c>Routers</c>.</summary>
    /// <param name="host">Number of the host.</param>
    /// <param name="priority">Its priority.</param>
    /// <param name="more">Further members, in JSON.</param>
    public string ForLb(int host, int priority, params string[] more)
    {
        List<string> members =
        [
            """ "Interface": "eth0" """, $""" "RouterId": {Id} """, $""" "Version": {Version} """, $""" "Priority": {priority} """,
            $""" "AdvertisementInterval": "{Centiseconds * 10}ms" """,
            $$""" "Addresses": [ {{string.Join(", ", Addresses.Select(a => $$"""{ "Address": "{{a}}/{{Prefix}}" }"""))}} ] """,
        ];
        if (IsUnicast) members.Add($$""" "Unicast": { "Source": "{{HostAddress(host)}}", "Peers": [ {{string.Join(", ", Peers(host).Select(static p => $"\"{p}\""))}} ] } """);
        if (Password is not null) members.Add($$""" "Authentication": { "Type": "pass", "Password": "{{Password}}" } """);
        return $$"""      "r{{Id}}": { {{string.Join(", ", members.Concat(more).Select(static m => m.Trim()))}} }""";
    }

    /// <summary>A <c>vrrp_instance</c> of keepalived.</summary>
    public string ForKeepalived(int host, int priority, string more = "")
    {
        StringBuilder text = new($"vrrp_instance r{Id} {{\n state BACKUP\n interface eth0\n virtual_router_id {Id}\n version {Version}\n priority {priority}\n advert_int {Seconds}\n {more}\n");
        if (Version == 3) text.Append(" accept\n");
        if (Password is not null) text.Append(CultureInfo.InvariantCulture, $" authentication {{\n auth_type PASS\n auth_pass {Password}\n }}\n");
        if (IsUnicast) text.Append(CultureInfo.InvariantCulture, $" unicast_src_ip {HostAddress(host)}\n unicast_peer {{\n{string.Join('\n', Peers(host))}\n }}\n");
        return text.Append(CultureInfo.InvariantCulture, $" virtual_ipaddress {{\n{string.Join('\n', Addresses.Select(a => $"{a}/{Prefix}"))}\n }}\n}}\n").ToString();
    }

    /// <summary>Lines of an interface of FRR.</summary>
    public string ForFrr(int priority) =>
        $" vrrp {Id} version {Version}\n vrrp {Id} priority {priority}\n vrrp {Id} advertisement-interval {Centiseconds * 10}\n"
        + string.Concat(Addresses.Select(a => $" vrrp {Id} {(IsV6 ? "ipv6" : "ip")} {a}\n"));

    public int Prefix => IsV6 ? 64 : 24;

    private string HostAddress(int host) => IsV6 ? $"fd77::{host}" : $"10.77.0.{host}";

    private IEnumerable<string> Peers(int host) => Enumerable.Range(1, Hosts).Where(h => h != host).Select(HostAddress);
}
