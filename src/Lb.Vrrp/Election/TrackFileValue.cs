namespace Lb.Vrrp;

/// <summary>The number in a tracked file, by keepalived's rule: what C's <c>strtol</c> makes of its beginning, in decimal, <c>0x</c> or octal. Pure.</summary>
internal static class TrackFileValue
{
    /// <summary>Furthest from 0 that a number counts.</summary>
    public const int Most = 254;

    /// <summary>Reads the number. Nothing, or no number, is 0; what is beyond -254 to 254 is cut off there.</summary>
    /// <param name="text">What the file holds.</param>
    /// <param name="value">The number.</param>
    /// <returns>False: it is beyond 32 bits and is to be ignored.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out int value)
    {
        text = text.TrimStart();
        bool isNegative = text.StartsWith('-');
        if (isNegative || text.StartsWith('+')) text = text[1..];
        int radix = 10;
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            radix = 16;
            text = text[2..];
        }
        else if (text.StartsWith('0'))
        {
            radix = 8;
        }

        long number = 0;
        foreach (char letter in text)
        {
            int digit = char.IsAsciiHexDigit(letter) ? letter <= '9' ? letter - '0' : (letter | 0x20) - 'a' + 10 : radix;
            if (digit >= radix) break;
            number = (number * radix) + digit;
            if (number > 1L << 31) break;
        }

        if (isNegative) number = -number;
        value = (int)Math.Clamp(number, -Most, Most);
        return number is >= int.MinValue and <= int.MaxValue;
    }
}
