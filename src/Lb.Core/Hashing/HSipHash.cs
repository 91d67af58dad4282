using System.Buffers.Binary;
using System.Numerics;

namespace Lb;

/// <summary>
/// Linux's <c>hsiphash</c> as 64-bit kernels compute it: SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF") cut to its low 32 bits.
/// 32-bit kernels use HalfSipHash-1-3 instead, which gives other values.
/// </summary>
internal static class HSipHash
{
    public static uint Hash(ReadOnlySpan<byte> data, ulong key0, ulong key1)
    {
        ulong v0 = 0x736f6d6570736575 ^ key0, v1 = 0x646f72616e646f6d ^ key1;
        ulong v2 = 0x6c7967656e657261 ^ key0, v3 = 0x7465646279746573 ^ key1;

        // The last word is what is left of the data, with the length in its highest byte.
        ulong last = (ulong)data.Length << 56;
        for (; data.Length >= 8; data = data[8..])
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(data);
            v3 ^= word;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
        }

        for (int i = 0; i < data.Length; i++) last |= (ulong)data[i] << (8 * i);

        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;
        v2 ^= 0xff;
        for (int n = 0; n < 3; n++) Round(ref v0, ref v1, ref v2, ref v3);
        return (uint)(v0 ^ v1 ^ v2 ^ v3);
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v2 += v3;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 = BitOperations.RotateLeft(v0, 32) + v3;
        v2 += v1;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
