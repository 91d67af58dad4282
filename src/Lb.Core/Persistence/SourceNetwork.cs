using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Lb;

/// <summary>The part of a client's address that counts. IPv4 is held as IPv4-mapped IPv6, which no <see cref="PeerAddress"/> of IPv6 is.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct SourceNetwork : IEquatable<SourceNetwork>
{
    private readonly ulong _high;
    private readonly ulong _low;

    private SourceNetwork(ulong high, ulong low)
    {
        _high = high;
        _low = low;
    }

    /// <summary>Keeps the leading <paramref name="mask"/> bits of an IPv4 address, or <paramref name="mask6"/> of an IPv6 address.</summary>
    public static SourceNetwork Of(in PeerAddress source, int mask, int mask6)
    {
        // All IPv4 bits are in the folded words.
        if (!source.IsV6) return new SourceNetwork(0, 0xFFFF_0000_0000ul | (source.FoldedWords & (mask == 0 ? 0u : ~0u << (32 - mask))));
        Span<byte> bytes = stackalloc byte[16];
        source.WriteBytes(bytes);
        return new SourceNetwork(
            BinaryPrimitives.ReadUInt64BigEndian(bytes) & Leading(mask6),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]) & Leading(mask6 - 64));
    }

    public bool Equals(SourceNetwork other) => _high == other._high && _low == other._low;

    public override bool Equals(object? obj) => obj is SourceNetwork other && Equals(other);

    // Word by word: a long's own hash is the exclusive or of its halves, and a client with a whole /64 could choose addresses that all have the same.
    public override int GetHashCode() => HashCode.Combine((uint)(_high >> 32), (uint)_high, (uint)(_low >> 32), (uint)_low);

    private static ulong Leading(int bits) => bits <= 0 ? 0 : bits >= 64 ? ulong.MaxValue : ulong.MaxValue << (64 - bits);
}
