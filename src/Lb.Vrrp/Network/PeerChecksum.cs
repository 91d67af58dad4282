using System.Buffers.Binary;

namespace Lb.Vrrp;

/// <summary>The destination is part of the checksum of VRRPv3: an advert to several peers needs a checksum for each.</summary>
internal static class PeerChecksum
{
    /// <summary>Where the checksum stands in a message of either version.</summary>
    public const int Offset = 6;

    private const int Head = 8;

    /// <summary>Whether the sum covers the addresses: not in version 2, nor in RFC 9568's form over IPv4, where the message alone sums up to nought.</summary>
    public static bool CoversAddresses(ReadOnlySpan<byte> message, bool isV6)
    {
        if (message.Length < Head || message[0] >> 4 == 2) return false;
        if (isV6) return true;

        // A trailer of authentication may stand behind what is summed up.
        int withoutTrailer = Math.Min(message.Length, Head + 4 * message[3]);
        return Sum(message) != 0xFFFF && Sum(message[..withoutTrailer]) != 0xFFFF;
    }

    /// <summary>Corrects the checksum for another destination (RFC 1624, equation 3).</summary>
    /// <param name="message">The message.</param>
    /// <param name="from">The destination the checksum is right for.</param>
    /// <param name="to">The one it shall be right for, of the same family.</param>
    public static void Readdress(Span<byte> message, in PeerAddress from, in PeerAddress to)
    {
        Span<byte> addresses = stackalloc byte[32];
        int half = from.WriteBytes(addresses);
        to.WriteBytes(addresses[half..]);
        for (int i = 0; i < half; i++) addresses[i] = (byte)~addresses[i];

        uint sum = (ushort)~BinaryPrimitives.ReadUInt16BigEndian(message[Offset..]) + Sum(addresses[..(2 * half)]);
        BinaryPrimitives.WriteUInt16BigEndian(message[Offset..], (ushort)~Fold(sum));
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (; bytes.Length > 1; bytes = bytes[2..]) sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (bytes.Length == 1) sum += (uint)bytes[0] << 8;
        return Fold(sum);
    }

    private static uint Fold(uint sum)
    {
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return sum;
    }
}
