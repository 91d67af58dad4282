using System.Buffers.Binary;
using System.Globalization;

namespace Lb;

/// <summary>IP addresses as text, strictly and without allocating: no leading zeros, no scope, no brackets. Pure.</summary>
internal static class AddressText
{
    /// <summary>Most bytes that <see cref="WriteV6"/> writes.</summary>
    public const int MaxV6Length = 39;

    /// <summary>Reads a number without sign, leading zeros or anything else.</summary>
    public static bool TryReadNumber(ReadOnlySpan<byte> text, uint most, out uint value)
    {
        value = 0;
        if (text.IsEmpty || (text[0] == '0' && text.Length > 1)) return false;
        foreach (byte c in text)
        {
            if (!char.IsAsciiDigit((char)c)) return false;
            ulong longer = (value * 10UL) + (c - (uint)'0');
            if (longer > most) return false;
            value = (uint)longer;
        }

        return true;
    }

    /// <summary>Reads four numbers with dots between them.</summary>
    /// <param name="text">All of it.</param>
    /// <param name="bytes">At least 4 bytes, in network order.</param>
    public static bool TryReadV4(ReadOnlySpan<byte> text, Span<byte> bytes)
    {
        for (int i = 0; i < 4; i++)
        {
            int dot = i < 3 ? text.IndexOf((byte)'.') : text.Length;
            if (dot < 0 || !TryReadNumber(text[..dot], 255, out uint value)) return false;
            bytes[i] = (byte)value;
            if (i < 3) text = text[(dot + 1)..];
        }

        return true;
    }

    /// <summary>Reads eight groups of up to four hexadecimal digits; one <c>::</c> stands for at least one of them, and the last two may be IPv4.</summary>
    /// <param name="text">All of it.</param>
    /// <param name="bytes">16 bytes, in network order.</param>
    public static bool TryReadV6(ReadOnlySpan<byte> text, Span<byte> bytes)
    {
        int written = 0, gap = -1;
        if (text.StartsWith("::"u8))
        {
            gap = 0;
            text = text[2..];
            if (text.IsEmpty)
            {
                bytes[..16].Clear();
                return true;
            }
        }

        while (true)
        {
            int colon = text.IndexOf((byte)':');
            ReadOnlySpan<byte> group = colon < 0 ? text : text[..colon];
            if (colon < 0 && group.Contains((byte)'.'))
            {
                if (written > 12 || !TryReadV4(group, bytes[written..])) return false;
                written += 4;
                break;
            }

            if (written > 14 || !TryReadGroup(group, out ushort value)) return false;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[written..], value);
            written += 2;
            if (colon < 0) break;
            text = text[(colon + 1)..];
            if (text.IsEmpty || text[0] != ':') continue;
            if (gap >= 0) return false;
            gap = written;
            text = text[1..];
            if (text.IsEmpty) break;
        }

        if (gap < 0) return written == 16;
        if (written > 14) return false;
        int moved = written - gap;
        bytes[gap..written].CopyTo(bytes[(16 - moved)..]);
        bytes[gap..(16 - moved)].Clear();
        return true;
    }

    private static bool TryReadGroup(ReadOnlySpan<byte> text, out ushort value)
    {
        value = 0;
        if (text.Length is 0 or > 4) return false;
        foreach (byte c in text)
        {
            if (!char.IsAsciiHexDigit((char)c)) return false;
            value = (ushort)((value << 4) | (char.IsAsciiDigit((char)c) ? c - '0' : (c | 0x20) - 'a' + 10));
        }

        return true;
    }

    /// <summary>Writes an IPv6 address as RFC 5952 wants it: lower case, the longest run of two zero groups or more as <c>::</c>.</summary>
    /// <param name="bytes">16 bytes, in network order.</param>
    /// <param name="destination">At least <see cref="MaxV6Length"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteV6(ReadOnlySpan<byte> bytes, Span<byte> destination)
    {
        (int start, int length) = LongestGap(bytes);
        int written = 0;
        for (int i = 0; i < 8; i++)
        {
            if (i == start)
            {
                "::"u8.CopyTo(destination[written..]);
                written += 2;
                i += length - 1;
                continue;
            }

            if (i > 0 && i != start + length) destination[written++] = (byte)':';
            BinaryPrimitives.ReadUInt16BigEndian(bytes[(i * 2)..]).TryFormat(destination[written..], out int digits, "x", CultureInfo.InvariantCulture);
            written += digits;
        }

        return written;
    }

    private static (int Start, int Length) LongestGap(ReadOnlySpan<byte> bytes)
    {
        (int Start, int Length) longest = (-10, 1);
        for (int i = 0, run = 0; i < 8; i++)
        {
            run = bytes[i * 2] == 0 && bytes[(i * 2) + 1] == 0 ? run + 1 : 0;
            if (run > longest.Length) longest = (i - run + 1, run);
        }

        return longest;
    }
}
