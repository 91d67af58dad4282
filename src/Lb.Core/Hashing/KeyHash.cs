using System.Numerics;

namespace Lb;

/// <summary>How a key becomes 32 bits (HAProxy <c>hash-type … function</c>). A wire contract: nodes must agree on it.</summary>
public enum HashFunction
{
    /// <summary>The hash of the sdbm database: HAProxy's default. Uneven modulo 64 and its multiples; use with avalanche.</summary>
    Sdbm,

    /// <summary>Bernstein's second. Uneven modulo 33.</summary>
    Djb2,

    /// <summary>HAProxy's own, made for short keys that differ little.</summary>
    Wt6,

    /// <summary>CRC-32 of Ethernet and zip.</summary>
    Crc32,

    /// <summary>No hash: the key is a decimal number, as text.</summary>
    None,
}

/// <summary>HAProxy's hash functions of short keys (<c>src/hash.c</c>), byte by byte as they are defined.</summary>
internal static class KeyHash
{
    public static uint Compute(HashFunction function, ReadOnlySpan<byte> key) => function switch
    {
        HashFunction.Djb2 => Djb2(key),
        HashFunction.Wt6 => Wt6(key),
        HashFunction.Crc32 => Crc32(key),
        HashFunction.None => Number(key),
        _ => Sdbm(key),
    };

    public static uint Sdbm(ReadOnlySpan<byte> key)
    {
        uint hash = 0;
        foreach (byte c in key) hash = c + (hash << 6) + (hash << 16) - hash;
        return hash;
    }

    public static uint Djb2(ReadOnlySpan<byte> key)
    {
        uint hash = 5381;
        foreach (byte c in key) hash = (hash * 33) + c;
        return hash;
    }

    public static uint Wt6(ReadOnlySpan<byte> key)
    {
        // Two words that turn by amounts which depend on the data.
        uint a = 0xa53c965a, b = 0x5ca6953a;
        int turnA = 6, turnB = 18;
        foreach (byte c in key)
        {
            a = ~(a ^ c);
            b = ~(b + c);
            (a, b) = (BitOperations.RotateLeft(b, turnA), BitOperations.RotateLeft(a, turnB));
            uint mixed = ((a >> 16) ^ b) & 0xffff;
            turnA = (int)(mixed & 31);
            turnB = (int)(mixed >> 11);
        }

        return a ^ b;
    }

    /// <param name="key">The bytes.</param>
    /// <param name="before">The CRC-32 of the bytes before these, to go on with.</param>
    public static uint Crc32(ReadOnlySpan<byte> key, uint before = 0)
    {
        uint hash = ~before;
        foreach (byte c in key) hash = (hash >> 8) ^ Crc32Table[(byte)(hash ^ c)];
        return ~hash;
    }

    // What C's atol makes of it: digits after blanks and a sign, up to the first other character.
    private static uint Number(ReadOnlySpan<byte> key)
    {
        key = key.TrimStart(" \t\r\n\v\f"u8);
        bool negative = key.StartsWith("-"u8);
        if (negative || key.StartsWith("+"u8)) key = key[1..];
        ulong value = 0;
        foreach (byte c in key)
        {
            if (!char.IsAsciiDigit((char)c)) break;
            value = (value * 10) + (ulong)(c - '0');
        }

        return (uint)(negative ? 0 - value : value);
    }

    private static readonly uint[] Crc32Table = MakeTable(0xedb88320);

    private static uint[] MakeTable(uint polynomial)
    {
        uint[] table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ ((value & 1) * polynomial);
            table[i] = value;
        }

        return table;
    }
}
