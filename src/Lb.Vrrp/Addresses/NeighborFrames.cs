using System.Buffers.Binary;

namespace Lb.Vrrp;

/// <summary>Ethernet frames of ARP (RFC 826) and neighbour discovery (RFC 4861), whole and ready to send.</summary>
internal static class NeighborFrames
{
    public const int ArpSize = 42;
    public const int DiscoverySize = 86;

    /// <summary>ARP operation.</summary>
    public const byte ArpRequest = 1;

    /// <summary>ICMPv6 types.</summary>
    public const byte Solicitation = 135, Advertisement = 136;

    private const byte Router = 0x80;
    private const byte Override = 0x20;
    private const int V6Header = 14;
    private const int Message = V6Header + 40;
    private const int MessageSize = DiscoverySize - Message;

    /// <summary>
    /// Gratuitous ARP: "<paramref name="address"/> is at <paramref name="mac"/>". The target hardware address, which nobody reads, is all ones, as in
    /// keepalived's frames.
    /// </summary>
    /// <param name="mac">Our MAC address: the virtual one, if there is one.</param>
    /// <param name="address">The IPv4 address.</param>
    public static byte[] GratuitousArp(ReadOnlySpan<byte> mac, PeerAddress address)
    {
        byte[] frame = Arp(mac, ArpRequest, address, address);
        frame.AsSpan(32, 6).Fill(0xFF);
        return frame;
    }

    /// <summary>Probe: asks who has <paramref name="address"/> without claiming it (RFC 5227 2.1.1).</summary>
    /// <param name="mac">Our MAC address.</param>
    /// <param name="address">The IPv4 address.</param>
    public static byte[] ArpProbe(ReadOnlySpan<byte> mac, PeerAddress address) => Arp(mac, ArpRequest, PeerAddress.FromV4(0, 0), address);

    /// <summary>Unsolicited neighbour advertisement to all nodes (RFC 4861 7.2.6).</summary>
    /// <param name="mac">Our MAC address: the virtual one, if there is one.</param>
    /// <param name="address">The IPv6 address.</param>
    /// <param name="isRouter">The R flag: what this host really is. A host that sees it cleared no longer routes by way of us.</param>
    public static byte[] UnsolicitedAdvertisement(ReadOnlySpan<byte> mac, PeerAddress address, bool isRouter)
    {
        byte[] frame = Discovery(mac, Advertisement, address);
        ReadOnlySpan<byte> allNodes = [0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        allNodes.CopyTo(frame.AsSpan(38));
        address.WriteBytes(frame.AsSpan(22));
        frame[58] = (byte)(isRouter ? Router | Override : Override);

        // Option: target link-layer address, 1 unit of 8 bytes.
        frame[78] = 2;
        frame[79] = 1;
        mac.CopyTo(frame.AsSpan(80));
        Finish(frame);
        return frame;
    }

    /// <summary>Solicitation as duplicate address detection sends it: from nobody, to those whose address may be this one (RFC 4862 5.4.2).</summary>
    /// <param name="mac">Our MAC address.</param>
    /// <param name="address">The IPv6 address.</param>
    public static byte[] SolicitationProbe(ReadOnlySpan<byte> mac, PeerAddress address)
    {
        byte[] frame = Discovery(mac, Solicitation, address);
        ReadOnlySpan<byte> solicitedNode = [0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF];
        solicitedNode.CopyTo(frame.AsSpan(38));
        frame.AsSpan(75, 3).CopyTo(frame.AsSpan(51));

        // Option: a nonce (RFC 7527), by which a host knows its own probe that a switch sends back.
        frame[78] = 14;
        frame[79] = 1;
        mac.CopyTo(frame.AsSpan(80));
        Finish(frame);
        return frame;
    }

    /// <summary>The ones' complement sum of an ICMPv6 message with its pseudo-header; 0 for a message whose checksum is right.</summary>
    /// <param name="frame">The frame from its Ethernet header on.</param>
    public static ushort Checksum(ReadOnlySpan<byte> frame)
    {
        int size = BinaryPrimitives.ReadUInt16BigEndian(frame[18..]);
        uint sum = (uint)size + frame[20];
        ReadOnlySpan<byte> summed = frame.Slice(22, 32 + size);
        for (int i = 0; i + 1 < summed.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(summed[i..]);
        if (summed.Length % 2 != 0) sum += (uint)(summed[^1] << 8);
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }

    private static byte[] Arp(ReadOnlySpan<byte> mac, byte operation, PeerAddress sender, PeerAddress target)
    {
        byte[] frame = new byte[ArpSize];
        frame.AsSpan(0, 6).Fill(0xFF);
        mac.CopyTo(frame.AsSpan(6));

        // EtherType ARP; Ethernet, IPv4, address lengths 6 and 4, the operation.
        ReadOnlySpan<byte> header = [8, 6, 0, 1, 8, 0, 6, 4, 0, operation];
        header.CopyTo(frame.AsSpan(12));
        mac.CopyTo(frame.AsSpan(22));
        sender.WriteBytes(frame.AsSpan(28));
        target.WriteBytes(frame.AsSpan(38));
        return frame;
    }

    private static byte[] Discovery(ReadOnlySpan<byte> mac, byte type, PeerAddress target)
    {
        byte[] frame = new byte[DiscoverySize];
        mac.CopyTo(frame.AsSpan(6));

        // EtherType IPv6; version, payload length, next header ICMPv6, hop limit 255: proof that no router has passed it on.
        ReadOnlySpan<byte> header = [0x86, 0xDD, 0x60, 0, 0, 0, 0, MessageSize, 58, 255];
        header.CopyTo(frame.AsSpan(12));
        frame[Message] = type;
        target.WriteBytes(frame.AsSpan(Message + 8));
        return frame;
    }

    private static void Finish(Span<byte> frame)
    {
        // The Ethernet address of a multicast group: 33-33 and its last four bytes (RFC 2464 7).
        frame[0] = frame[1] = 0x33;
        frame.Slice(50, 4).CopyTo(frame[2..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[(Message + 2)..], Checksum(frame));
    }
}
