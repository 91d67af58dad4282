using System.Buffers.Binary;

namespace Lb;

/// <summary>
/// MurmurHash2 of 64 bits (Austin Appleby's MurmurHash64A), with the seed of <c>std::hash</c> in GNU's C++ library, which Envoy's rings use. Not for secrets.
/// </summary>
internal static class Murmur2
{
    private const ulong StandardSeed = 0xC70F6907;
    private const ulong Multiplier = 0xC6A4A7935BD1E995;

    public static ulong Hash(ReadOnlySpan<byte> data, ulong seed = StandardSeed)
    {
        ulong hash = seed ^ ((ulong)data.Length * Multiplier);
        for (; data.Length >= 8; data = data[8..])
            hash = (hash ^ (Shift(BinaryPrimitives.ReadUInt64LittleEndian(data) * Multiplier) * Multiplier)) * Multiplier;

        if (data.Length > 0)
        {
            ulong last = 0;
            for (int i = 0; i < data.Length; i++) last |= (ulong)data[i] << (8 * i);
            hash = (hash ^ last) * Multiplier;
        }

        return Shift(Shift(hash) * Multiplier);
    }

    private static ulong Shift(ulong value) => value ^ value >> 47;
}
