using System.Buffers.Binary;
using System.Numerics;

namespace Lb;

/// <summary>XXH64 (Yann Collet, xxHash specification 0.1.1): fast, well mixed, the same on every machine. Not for secrets.</summary>
internal static class XxHash64
{
    private const ulong P1 = 0x9E3779B185EBCA87;
    private const ulong P2 = 0xC2B2AE3D27D4EB4F;
    private const ulong P3 = 0x165667B19E3779F9;
    private const ulong P4 = 0x85EBCA77C2B2AE63;
    private const ulong P5 = 0x27D4EB2F165667C5;

    public static ulong Hash(ReadOnlySpan<byte> data, ulong seed = 0)
    {
        ulong length = (ulong)data.Length;
        ulong hash;
        if (data.Length >= 32)
        {
            ulong a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
            while (data.Length >= 32)
            {
                a = Round(a, Read64(data));
                b = Round(b, Read64(data[8..]));
                c = Round(c, Read64(data[16..]));
                d = Round(d, Read64(data[24..]));
                data = data[32..];
            }

            hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
            hash = Merge(Merge(Merge(Merge(hash, a), b), c), d);
        }
        else
        {
            hash = seed + P5;
        }

        hash += length;
        for (; data.Length >= 8; data = data[8..])
            hash = (BitOperations.RotateLeft(hash ^ Round(0, Read64(data)), 27) * P1) + P4;
        if (data.Length >= 4)
        {
            hash = (BitOperations.RotateLeft(hash ^ (BinaryPrimitives.ReadUInt32LittleEndian(data) * P1), 23) * P2) + P3;
            data = data[4..];
        }

        foreach (byte value in data) hash = BitOperations.RotateLeft(hash ^ (value * P5), 11) * P1;

        hash = (hash ^ hash >> 33) * P2;
        hash = (hash ^ hash >> 29) * P3;
        return hash ^ hash >> 32;
    }

    private static ulong Read64(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt64LittleEndian(data);

    private static ulong Round(ulong sum, ulong value) => BitOperations.RotateLeft(sum + (value * P2), 31) * P1;

    private static ulong Merge(ulong hash, ulong sum) => ((hash ^ Round(0, sum)) * P1) + P4;
}
