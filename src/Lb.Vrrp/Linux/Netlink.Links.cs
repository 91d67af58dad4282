using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <content>Network interfaces.</content>
internal sealed unsafe partial class Netlink
{
    private const ushort NewLink = 16;
    private const ushort DeleteLink = 17;
    private const ushort GetLink = 18;
    private const int LinkBody = 16;

    private const ushort LinkHardwareAddress = 1;
    private const ushort LinkName = 3;
    private const ushort LinkParent = 5;
    private const ushort LinkInfo = 18;
    private const ushort InfoKind = 1;
    private const ushort InfoData = 2;
    private const ushort LinkAlias = 20;
    private const ushort MacvlanMode = 1;

    /// <summary>Finds an interface by its name.</summary>
    /// <returns>The interface, or null when there is none of this name.</returns>
    /// <exception cref="NetlinkException">The kernel refuses it.</exception>
    public NetworkLink? FindLink(string name)
    {
        NetlinkMessage message = new(_request, GetLink, 0, LinkBody);
        message.Add(LinkName, name);
        NetworkLink? found = null;
        int error = Call(message, 0, ReadLink, ref found);
        if (error == Libc.NetlinkNoDevice) return null;
        return error == 0 ? found : throw Failure($"looking for {name}", error);
    }

    /// <summary>Finds an interface that must be there.</summary>
    /// <exception cref="NetlinkException">There is none of this name.</exception>
    public NetworkLink RequireLink(string name) => FindLink(name) ?? throw new NetlinkException($"interface {name}", Libc.NetlinkNoDevice);

    /// <summary>Reads all interfaces.</summary>
    /// <exception cref="NetlinkException">The kernel refuses it.</exception>
    public List<NetworkLink> ReadLinks()
    {
        List<NetworkLink> found = [];
        NetlinkMessage message = new(_request, GetLink, 0, LinkBody);
        int error = Dump(message, ReadLinks, ref found, static list => list.Clear());
        return error == 0 ? found : throw Failure("listing interfaces", error);
    }

    /// <summary>Makes a macvlan device, which is down.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="parent">Number of the interface below.</param>
    /// <param name="hardwareAddress">Its MAC address, 6 bytes.</param>
    /// <param name="mode">Mode: 1 private, 2 VEPA, 4 bridge, 8 passthru.</param>
    /// <exception cref="NetlinkException">The kernel refuses it: there is one of this name, or it knows no macvlan.</exception>
    public void AddMacvlan(string name, int parent, ReadOnlySpan<byte> hardwareAddress, uint mode)
    {
        NetlinkMessage message = new(_request, NewLink, FlagCreate | FlagExclusive, LinkBody);
        message.Add(LinkName, name);
        message.Add(LinkHardwareAddress, hardwareAddress);
        message.Add(LinkParent, (uint)parent);
        int info = message.Begin(LinkInfo);
        message.Add(InfoKind, "macvlan"u8);
        int data = message.Begin(InfoData);
        message.Add(MacvlanMode, mode);
        message.End(data);
        message.End(info);
        int error = Change(message);
        if (error != 0) throw Failure($"making the macvlan device {name}", error);
    }

    /// <summary>Gives an interface a text that says whose it is; <c>ip link</c> shows it.</summary>
    /// <exception cref="NetlinkException">The kernel refuses it.</exception>
    public void SetAlias(int index, string alias)
    {
        NetlinkMessage message = LinkMessage(NewLink, index);
        message.Add(LinkAlias, alias);
        int error = Change(message);
        if (error != 0) throw Failure("naming the owner of the interface", error);
    }

    /// <summary>Takes an interface up or down.</summary>
    /// <exception cref="NetlinkException">The kernel refuses it.</exception>
    public void SetUp(int index, bool up)
    {
        NetlinkMessage message = LinkMessage(NewLink, index);
        MemoryMarshal.Write(message.Body[8..], up ? 1u : 0u);
        MemoryMarshal.Write(message.Body[12..], 1u);
        int error = Change(message);
        if (error != 0) throw Failure(up ? "taking the interface up" : "taking the interface down", error);
    }

    /// <summary>Sets the MAC address of an interface.</summary>
    /// <exception cref="NetlinkException">The kernel refuses it.</exception>
    public void SetHardwareAddress(int index, ReadOnlySpan<byte> hardwareAddress)
    {
        NetlinkMessage message = LinkMessage(NewLink, index);
        message.Add(LinkHardwareAddress, hardwareAddress);
        int error = Change(message);
        if (error != 0) throw Failure("setting the MAC address", error);
    }

    /// <summary>Removes an interface.</summary>
    /// <returns>False when it is not there.</returns>
    /// <exception cref="NetlinkException">The kernel refuses it.</exception>
    public bool RemoveLink(int index)
    {
        int error = Change(LinkMessage(DeleteLink, index));
        if (error == Libc.NetlinkNoDevice) return false;
        return error == 0 ? true : throw Failure("removing the interface", error);
    }

    private NetlinkMessage LinkMessage(ushort type, int index)
    {
        NetlinkMessage message = new(_request, type, 0, LinkBody);
        MemoryMarshal.Write(message.Body[4..], index);
        return message;
    }

    private static void ReadLinks(ref List<NetworkLink> found, ReadOnlySpan<byte> body)
    {
        NetworkLink? link = null;
        ReadLink(ref link, body);
        if (link is not null) found.Add(link);
    }

    private static void ReadLink(ref NetworkLink? found, ReadOnlySpan<byte> body)
    {
        if (body.Length < LinkBody) return;
        NetworkLink link = new() { Index = (int)NetlinkMessage.Number(body[4..]), Flags = NetlinkMessage.Number(body[8..]) };
        ReadOnlySpan<byte> rest = body[LinkBody..];
        while (NetlinkMessage.TryRead(ref rest, out ushort type, out ReadOnlySpan<byte> value))
        {
            switch (type)
            {
                case LinkName: link.Name = NetlinkMessage.Text(value); break;
                case LinkHardwareAddress: link.HardwareAddress = value.ToArray(); break;
                case LinkParent: link.Parent = (int)NetlinkMessage.Number(value); break;
                case LinkAlias: link.Alias = NetlinkMessage.Text(value); break;
                case LinkInfo: ReadInfo(link, value); break;
            }
        }

        found = link;
    }

    private static void ReadInfo(NetworkLink link, ReadOnlySpan<byte> info)
    {
        ReadOnlySpan<byte> data = default;
        while (NetlinkMessage.TryRead(ref info, out ushort type, out ReadOnlySpan<byte> value))
        {
            if (type == InfoKind) link.Kind = NetlinkMessage.Text(value);
            if (type == InfoData) data = value;
        }

        if (link.Kind != "macvlan") return;
        while (NetlinkMessage.TryRead(ref data, out ushort type, out ReadOnlySpan<byte> value))
        {
            if (type == MacvlanMode) link.Mode = NetlinkMessage.Number(value);
        }
    }
}

/// <summary>What the kernel says of an interface.</summary>
internal sealed class NetworkLink
{
    /// <summary>Its number.</summary>
    public int Index { get; set; }

    /// <summary>Its name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Its flags (IFF_*).</summary>
    public uint Flags { get; set; }

    /// <summary>Its MAC address; empty when it has none.</summary>
    public byte[] HardwareAddress { get; set; } = [];

    /// <summary>Number of the interface below; 0 = none.</summary>
    public int Parent { get; set; }

    /// <summary>Its kind: <c>macvlan</c>, <c>veth</c>...; null = hardware.</summary>
    public string? Kind { get; set; }

    /// <summary>Mode of a macvlan device.</summary>
    public uint Mode { get; set; }

    /// <summary>Text that somebody gave it.</summary>
    public string? Alias { get; set; }

    /// <summary>True when it was taken up.</summary>
    public bool IsUp => (Flags & 1) != 0;
}
