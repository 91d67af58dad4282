using System.Buffers.Binary;

namespace Lb.Health;

/// <summary>Echo requests and replies of ICMP (RFC 792) and ICMPv6 (RFC 4443). Pure.</summary>
internal static class IcmpEcho
{
    private const int Header = 8;

    /// <summary>A request. The kernel fills in the identifier of datagram sockets, and the checksum of ICMPv6.</summary>
    /// <param name="isV6">ICMPv6.</param>
    /// <param name="id">Identifier.</param>
    /// <param name="token">What the reply must bring back.</param>
    public static byte[] Request(bool isV6, ushort id, ReadOnlySpan<byte> token)
    {
        byte[] packet = new byte[Header + token.Length];
        packet[0] = isV6 ? (byte)128 : (byte)8;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), id);
        packet[7] = 1;
        token.CopyTo(packet.AsSpan(Header));
        if (!isV6) BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), Checksum(packet));
        return packet;
    }

    /// <summary>True when a packet is the reply that brings back <paramref name="token"/>. Raw sockets hear those to others too.</summary>
    /// <param name="packet">As received; any bytes.</param>
    /// <param name="isV6">ICMPv6.</param>
    /// <param name="hasIpHeader">True for raw IPv4 sockets, which hand out the header too.</param>
    /// <param name="token">What the request carried.</param>
    public static bool IsReply(ReadOnlySpan<byte> packet, bool isV6, bool hasIpHeader, ReadOnlySpan<byte> token)
    {
        if (hasIpHeader)
        {
            int length = packet.IsEmpty ? 0 : (packet[0] & 0xF) * 4;
            if (packet.IsEmpty || packet[0] >> 4 != 4 || length < 20 || packet.Length < length) return false;
            packet = packet[length..];
        }

        return packet.Length >= Header && packet[0] == (isV6 ? 129 : 0) && packet[1] == 0 && packet[6] == 0 && packet[7] == 1 && packet[Header..].SequenceEqual(token);
    }

    /// <summary>The Internet checksum (RFC 1071).</summary>
    public static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (; bytes.Length > 1; bytes = bytes[2..]) sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (!bytes.IsEmpty) sum += (uint)bytes[0] << 8;
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
