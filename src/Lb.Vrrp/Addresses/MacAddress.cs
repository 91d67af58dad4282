using System.Buffers.Binary;
using System.Globalization;

namespace Lb.Vrrp;

/// <summary>An Ethernet address, held by value.</summary>
/// <param name="Value">Its 48 bits.</param>
internal readonly record struct MacAddress(ulong Value)
{
    /// <summary>Bytes of an address.</summary>
    public const int Length = 6;

    /// <summary>The virtual MAC address of a router: 00-00-5E-00-01-VRID for IPv4, 00-00-5E-00-02-VRID for IPv6 (RFC 9568 7.3).</summary>
    /// <param name="routerId">The router's number, 1 to 255.</param>
    /// <param name="isV6">Which family.</param>
    public static MacAddress OfRouter(byte routerId, bool isV6) => new((isV6 ? 0x00005E000200UL : 0x00005E000100UL) | routerId);

    /// <summary>Reads its 6 bytes.</summary>
    public static MacAddress From(ReadOnlySpan<byte> bytes) => new(((ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes) << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]));

    /// <summary>Its 6 bytes. Allocates.</summary>
    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(Value >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(2), (uint)Value);
        return bytes;
    }

    /// <summary><c>00:00:5e:00:01:33</c>.</summary>
    public override string ToString() => string.Join(':', ToBytes().Select(static part => part.ToString("x2", CultureInfo.InvariantCulture)));
}
