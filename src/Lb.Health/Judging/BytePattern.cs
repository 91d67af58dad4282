using System.Diagnostics.CodeAnalysis;

namespace Lb.Health;

/// <summary>The beginning of a datagram as hex digits, with <c>?</c> for any digit (keepalived writes X). Immutable; pure.</summary>
internal sealed class BytePattern
{
    private readonly byte[] _values;
    private readonly byte[] _masks;

    private BytePattern(byte[] values, byte[] masks)
    {
        _values = values;
        _masks = masks;
    }

    public static bool TryParse(string text, [NotNullWhen(true)] out BytePattern? pattern, [NotNullWhen(false)] out string? error)
    {
        pattern = null;
        error = "must be pairs of hex digits, with ? for any digit, as 50??4e4?";
        string digits = text.Replace(" ", "", StringComparison.Ordinal);
        if (digits.Length % 2 != 0 || !digits.All(static c => char.IsAsciiHexDigit(c) || c is '?' or 'x' or 'X')) return false;
        pattern = new BytePattern(
            Convert.FromHexString(string.Concat(digits.Select(static c => char.IsAsciiHexDigit(c) ? c : '0'))),
            Convert.FromHexString(string.Concat(digits.Select(static c => char.IsAsciiHexDigit(c) ? 'f' : '0'))));
        error = null;
        return true;
    }

    /// <summary>Where the bytes first differ, which may be their end; -1 when they begin as they should.</summary>
    public int Mismatch(ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < _values.Length; i++)
        {
            if (i >= bytes.Length || (bytes[i] & _masks[i]) != _values[i]) return i;
        }

        return -1;
    }
}
