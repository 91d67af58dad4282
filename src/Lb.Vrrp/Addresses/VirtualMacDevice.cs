using System.Globalization;

namespace Lb.Vrrp;

/// <summary>
/// The device that carries the virtual MAC address of one router: a macvlan on the router's interface. Addresses on it are answered for with the virtual
/// MAC, so that neighbours need not learn anything when another node takes over (RFC 9568 7.3, 8.1.2).
/// </summary>
/// <remarks>
/// Mode and settings are those that keepalived 2.2.7 makes. On the device: private (devices on one interface do not talk to each other), arp_ignore 1,
/// accept_local 1, no reverse path filter, no IPv6 address of its own; for IPv6 the link-local address of the interface below as well, never preferred, so that
/// adverts can leave from here. On the interface below: arp_ignore 1, that it does not answer for the virtual addresses with its own MAC; this is not taken
/// back, because another router may need it. A device of this name that an earlier run has left is replaced; one that somebody else has made with the
/// right MAC is used and left. Not thread-safe.
/// </remarks>
internal sealed class VirtualMacDevice : IDisposable
{
    /// <summary>Mode of macvlan: private.</summary>
    public const uint Private = 1;

    /// <summary>The alias by which a device of ours is known.</summary>
    public const string Alias = "Lb.Vrrp";

    private const int LongestName = 15;

    private readonly string _below;
    private readonly bool _v6;
    private bool _ours;

    /// <summary>Describes it. Nothing is touched yet.</summary>
    /// <param name="below">Name of the interface below.</param>
    /// <param name="routerId">Number of the router, 1 to 255.</param>
    /// <param name="isV6">Family of the router.</param>
    /// <param name="name">Name of the device, at most 15 characters; null = <c>vrrp.VRID</c> or <c>vrrp6.VRID</c>.</param>
    public VirtualMacDevice(string below, byte routerId, bool isV6, string? name = null)
    {
        _below = below;
        _v6 = isV6;
        Name = name ?? string.Create(CultureInfo.InvariantCulture, $"{(isV6 ? "vrrp6" : "vrrp")}.{routerId}");
        if (Name.Length > LongestName) throw new ArgumentException($"'{Name}' is longer than {LongestName} characters.", nameof(name));
        Mac = MacAddress.OfRouter(routerId, isV6);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The virtual MAC address.</summary>
    public MacAddress Mac { get; }

    /// <summary>Its number; 0 until it was made.</summary>
    public int Index { get; private set; }

    /// <summary>True when it was there before, by somebody else's doing: it is not removed.</summary>
    public bool IsAdopted => Index != 0 && !_ours;

    /// <summary>Whether the device that <see cref="Create"/> has made or taken over is still there. Somebody may delete it; one made in its place is another.</summary>
    public bool Exists
    {
        get
        {
            if (Index == 0) return false;
            using Netlink netlink = new();
            return netlink.FindLink(Name)?.Index == Index;
        }
    }

    /// <summary>Makes the device, or takes over the one that is there; made again when it is gone. It is down afterwards, unless it was there and up.</summary>
    /// <exception cref="NetlinkException">There is no interface below, the name is taken by something else, or the kernel refuses it.</exception>
    /// <exception cref="IOException">A setting can't be written; nothing is left behind.</exception>
    public void Create()
    {
        (Index, _ours) = (0, false);
        using Netlink netlink = new();
        NetworkLink below = netlink.RequireLink(_below);
        NetworkLink? found = netlink.FindLink(Name);
        bool fits = found is { Kind: "macvlan" } && found.Parent == below.Index && MacAddress.From(found.HardwareAddress) == Mac;
        if (found is { Kind: "macvlan", Alias: Alias })
        {
            // Of a run that was killed: what it has left on it goes along.
            netlink.RemoveLink(found.Index);
            found = null;
        }

        if (found is null)
        {
            netlink.AddMacvlan(Name, below.Index, Mac.ToBytes(), Private);
            _ours = true;
        }
        else if (!fits)
        {
            throw new NetlinkException($"making the macvlan device {Name}", Libc.NetlinkExists, $"an interface of this name exists and is no macvlan on {_below} with the address {Mac}");
        }

        try
        {
            Index = netlink.RequireLink(Name).Index;
            if (_ours) netlink.SetAlias(Index, Alias);
            Configure();
        }
        catch
        {
            Remove(netlink);
            throw;
        }
    }

    /// <summary>Takes it up: it may send, and answers for its addresses. IPv6: it also gets the link-local address of the interface below.</summary>
    /// <exception cref="NetlinkException">The device is gone, with the interface below for example.</exception>
    public void Up()
    {
        using Netlink netlink = new();
        netlink.SetUp(Index, up: true);
        if (!_v6) return;
        List<InterfaceAddress> addresses = [];
        netlink.ReadAddresses(netlink.RequireLink(_below).Index, addresses);
        foreach (InterfaceAddress address in addresses)
        {
            if (!address.Address.IsV6 || !IsLinkLocal(address.Address) || address.Tag == NetlinkAddressOwner.Tag) continue;
            VirtualAddress shared = new() { Address = address.Address, PrefixLength = 64, Interface = Name };
            netlink.AddAddress(shared, Index, Netlink.Forever, 0, replace: true);
            return;
        }
    }

    /// <summary>Removes the device with its addresses, if it is ours.</summary>
    public void Dispose()
    {
        if (Index == 0) return;
        using Netlink netlink = new();
        Remove(netlink);
    }

    private void Remove(Netlink netlink)
    {
        int index = Index != 0 ? Index : netlink.FindLink(Name)?.Index ?? 0;
        Index = 0;
        if (!_ours || index == 0) return;
        _ours = false;
        netlink.RemoveLink(index);
    }

    private void Configure()
    {
        // A filter that holds for all interfaces is not loosened by 0; of the two numbers the higher one counts, and 2 asks only whether the source can be reached at all.
        int everywhere = Sysctl.Read("ipv4/conf/all/rp_filter") ?? 0;
        Sysctl.Write($"ipv4/conf/{Name}/rp_filter", everywhere == 1 ? 2 : 0);
        Sysctl.Write($"ipv4/conf/{Name}/arp_ignore", 1);
        Sysctl.Write($"ipv4/conf/{Name}/accept_local", 1);
        Sysctl.Write($"ipv4/conf/{Name}/promote_secondaries", 1);
        Sysctl.Write($"ipv6/conf/{Name}/addr_gen_mode", 1);
        Sysctl.Write($"ipv6/conf/{Name}/accept_dad", 0);
        Sysctl.Write($"ipv6/conf/{Name}/autoconf", 0);
        Sysctl.Write($"ipv6/conf/{Name}/accept_ra", 0);
        Sysctl.Write($"ipv6/conf/{Name}/disable_ipv6", _v6 ? 0 : 1);
        if (!_v6) Sysctl.Write($"ipv4/conf/{_below}/arp_ignore", 1);
    }

    private static bool IsLinkLocal(PeerAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.WriteBytes(bytes);
        return bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80;
    }
}
