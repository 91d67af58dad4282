using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <content>Addresses of interfaces.</content>
internal sealed unsafe partial class Netlink
{
    /// <summary>Lifetime of what never ends.</summary>
    public const uint Forever = uint.MaxValue;

    private const ushort NewAddress = 20;
    private const ushort DeleteAddress = 21;
    private const ushort GetAddress = 22;
    private const int AddressBody = 8;

    private const ushort AddressOfPeer = 1;
    private const ushort AddressLocal = 2;
    private const ushort AddressLabel = 3;
    private const ushort AddressLifetimes = 6;
    private const ushort AddressFlags = 8;
    private const ushort AddressTag = 11;

    // No duplicate address detection: it would keep an address from working for about 1 s after it was taken.
    private const byte FlagNoDuplicateDetection = 0x02;

    /// <summary>Adds an address, or renews the one that is there.</summary>
    /// <param name="address">The address, its prefix, label and scope.</param>
    /// <param name="index">The interface.</param>
    /// <param name="seconds">How long the kernel keeps it, or <see cref="Forever"/>.</param>
    /// <param name="tag">Number by which its origin is known (IFA_PROTO, Linux 5.18).</param>
    /// <param name="replace">True renews one that is there; false leaves it alone.</param>
    /// <returns>False when it is there and was left alone.</returns>
    /// <exception cref="NetlinkException">The kernel refuses it.</exception>
    public bool AddAddress(VirtualAddress address, int index, uint seconds, byte tag, bool replace)
    {
        NetlinkMessage message = AddressMessage(NewAddress, (ushort)(FlagCreate | (replace ? FlagReplace : FlagExclusive)), address, index);
        if (address.Label is { } label) message.Add(AddressLabel, label);

        // Preferred, valid, and two times that only the kernel fills in. IPv6: never preferred, so that it is no source unless somebody binds to it.
        Span<uint> lifetimes = [address.Address.IsV6 ? 0 : seconds, seconds, 0, 0];
        message.Add(AddressLifetimes, MemoryMarshal.AsBytes(lifetimes));
        message.Add(AddressTag, [tag]);
        int error = Change(message);
        if (error == Libc.NetlinkExists && !replace) return false;
        return error == 0 ? true : throw Failure($"adding {address}", error);
    }

    /// <summary>Removes an address.</summary>
    /// <returns>False when it, or its interface, is not there.</returns>
    /// <exception cref="NetlinkException">The kernel refuses it.</exception>
    public bool RemoveAddress(VirtualAddress address, int index)
    {
        int error = Change(AddressMessage(DeleteAddress, 0, address, index));
        if (error is Libc.NetlinkAddressNotAvailable or Libc.NetlinkNoDevice) return false;
        return error == 0 ? true : throw Failure($"removing {address}", error);
    }

    /// <summary>Reads the addresses of an interface.</summary>
    /// <param name="index">The interface, or 0 for all.</param>
    /// <param name="found">Cleared, then filled.</param>
    /// <exception cref="NetlinkException">The kernel refuses it.</exception>
    public void ReadAddresses(int index, List<InterfaceAddress> found)
    {
        found.Clear();
        NetlinkMessage message = new(_request, GetAddress, 0, AddressBody);
        MemoryMarshal.Write(message.Body[4..], index);
        int error = Dump(message, ReadAddress, ref found, static list => list.Clear());
        if (error == Libc.NetlinkNoDevice) return;
        if (error != 0) throw Failure("listing addresses", error);

        // A kernel before 4.20 does not select.
        if (index != 0) found.RemoveAll(address => address.Index != index);
    }

    private NetlinkMessage AddressMessage(ushort type, ushort flags, VirtualAddress address, int index)
    {
        NetlinkMessage message = new(_request, type, flags, AddressBody);
        message.Body[0] = FamilyOf(address.Address);
        message.Body[1] = (byte)address.PrefixLength;
        message.Body[2] = address.Address.IsV6 ? FlagNoDuplicateDetection : (byte)0;
        message.Body[3] = address.ScopeNumber;
        MemoryMarshal.Write(message.Body[4..], index);
        message.Add(AddressLocal, address.Address);
        message.Add(AddressOfPeer, address.Address);
        return message;
    }

    private static byte FamilyOf(PeerAddress address) => address.IsV6 ? (byte)10 : (byte)2;

    private static void ReadAddress(ref List<InterfaceAddress> found, ReadOnlySpan<byte> body)
    {
        if (body.Length < AddressBody) return;
        InterfaceAddress address = new() { PrefixLength = body[1], Flags = body[2], Index = (int)NetlinkMessage.Number(body[4..]), Seconds = Forever };
        PeerAddress local = default;
        PeerAddress peer = default;
        ReadOnlySpan<byte> rest = body[AddressBody..];
        while (NetlinkMessage.TryRead(ref rest, out ushort type, out ReadOnlySpan<byte> value))
        {
            switch (type)
            {
                case AddressLocal when value.Length is 4 or 16: local = PeerAddress.FromBytes(value, 0); break;
                case AddressOfPeer when value.Length is 4 or 16: peer = PeerAddress.FromBytes(value, 0); break;
                case AddressLifetimes when value.Length >= 8: address.Seconds = NetlinkMessage.Number(value[4..]); break;
                case AddressFlags: address.Flags = NetlinkMessage.Number(value); break;
                case AddressTag when value.Length >= 1: address.Tag = value[0]; break;
            }
        }

        // IPv6 names the local address only when it has a peer.
        address.Address = local.IsEmpty ? peer : local;
        found.Add(address);
    }
}

/// <summary>An address that an interface has.</summary>
internal struct InterfaceAddress
{
    /// <summary>Number of the interface.</summary>
    public int Index;

    /// <summary>The address; port 0.</summary>
    public PeerAddress Address;

    /// <summary>Length of the prefix.</summary>
    public byte PrefixLength;

    /// <summary>Flags (IFA_F_*).</summary>
    public uint Flags;

    /// <summary>Where it comes from (IFA_PROTO); 0 = not said.</summary>
    public byte Tag;

    /// <summary>Seconds it has left, or <see cref="Netlink.Forever"/>.</summary>
    public uint Seconds;

    /// <summary>True for one that duplicate address detection has not cleared yet, or has refused.</summary>
    public readonly bool IsTentative => (Flags & 0x48) != 0;
}
