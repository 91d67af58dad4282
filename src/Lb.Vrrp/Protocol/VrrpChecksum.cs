using System.Buffers.Binary;

namespace Lb.Vrrp;

/// <summary>The Internet checksum (RFC 1071) of VRRP messages, with and without a pseudo-header. Pure.</summary>
internal static class VrrpChecksum
{
    /// <summary>Number of the protocol (IANA).</summary>
    public const int Protocol = 112;

    /// <summary>Adds bytes to a sum that is not folded yet. All parts but the last must be of even length.</summary>
    /// <param name="bytes">At most 65 535.</param>
    /// <param name="sum">The sum so far.</param>
    public static ulong Add(ReadOnlySpan<byte> bytes, ulong sum)
    {
        for (; bytes.Length >= 2; bytes = bytes[2..]) sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        return bytes.IsEmpty ? sum : sum + ((ulong)bytes[0] << 8);
    }

    /// <summary>
    /// Adds the pseudo-header: for IPv4 source, destination, zero and protocol, length (that of TCP, RFC 9293 3.1: how RFC 5798 5.2.8 is read), for IPv6
    /// source, destination, 32-bit length, next header (RFC 8200 8.1). In both the sum of the words is the same.
    /// </summary>
    /// <param name="source">Who sends.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="length">Length of what is summed.</param>
    /// <param name="sum">The sum so far.</param>
    public static ulong AddPseudoHeader(in PeerAddress source, in PeerAddress destination, int length, ulong sum)
    {
        Span<byte> bytes = stackalloc byte[32];
        int written = source.WriteBytes(bytes);
        written += destination.WriteBytes(bytes[written..]);
        return Add(bytes[..written], sum) + Protocol + (uint)length;
    }

    /// <summary>Folds a sum: the value of the field, or 0 when the sum went over a right field.</summary>
    /// <param name="sum">The sum.</param>
    public static ushort Fold(ulong sum)
    {
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
