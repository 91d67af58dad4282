using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Lb.Health;

/// <summary>Bytes as a configuration writes them: text with escapes, or hex digits. Pure.</summary>
internal static class PayloadText
{
    /// <summary>Reads text: UTF-8, with the escapes <c>\r \n \t \0 \\ \xHH</c>, which forms of configuration without escapes of their own need.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out byte[]? bytes, [NotNullWhen(false)] out string? error)
    {
        bytes = null;
        error = null;
        List<byte> found = new(text.Length);
        for (int i = 0; i < text.Length;)
        {
            int end = text.IndexOf('\\', i);
            if (end < 0) end = text.Length;
            found.AddRange(Encoding.UTF8.GetBytes(text[i..end]));
            if (end == text.Length) break;
            char escape = end + 1 < text.Length ? text[end + 1] : '\0';
            i = end + 2;
            switch (escape)
            {
                case 'r': found.Add((byte)'\r'); break;
                case 'n': found.Add((byte)'\n'); break;
                case 't': found.Add((byte)'\t'); break;
                case '0': found.Add(0); break;
                case '\\': found.Add((byte)'\\'); break;
                case 'x' when i + 2 <= text.Length && char.IsAsciiHexDigit(text[i]) && char.IsAsciiHexDigit(text[i + 1]):
                    found.Add(Convert.FromHexString(text.AsSpan(i, 2))[0]);
                    i += 2;
                    break;
                default:
                    error = @"has a '\' that begins none of the escapes \r \n \t \0 \\ \xHH";
                    return false;
            }
        }

        bytes = [.. found];
        return true;
    }

    /// <summary>Reads pairs of hex digits; spaces between them are allowed.</summary>
    public static bool TryParseHex(string text, [NotNullWhen(true)] out byte[]? bytes, [NotNullWhen(false)] out string? error)
    {
        string digits = text.Replace(" ", "", StringComparison.Ordinal);
        bool good = digits.Length % 2 == 0 && digits.All(char.IsAsciiHexDigit);
        bytes = good ? Convert.FromHexString(digits) : null;
        error = good ? null : "must be pairs of hex digits, as 50494e47";
        return good;
    }
}
