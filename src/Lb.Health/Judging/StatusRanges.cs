using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Lb.Health;

/// <summary>HTTP status codes as a configuration writes them: <c>200-399</c> or <c>200,204,301-302</c>. Immutable; pure.</summary>
internal sealed class StatusRanges
{
    private readonly (int From, int To)[] _ranges;

    private StatusRanges((int, int)[] ranges)
    {
        _ranges = ranges;
    }

    /// <summary>Reads the text. Codes are 100 to 599; spaces around them are allowed.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out StatusRanges? ranges, [NotNullWhen(false)] out string? error)
    {
        ranges = null;
        error = null;
        List<(int, int)> found = [];
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2 || !TryParseCode(ends[0], out int from) || !TryParseCode(ends[^1], out int to))
            {
                error = $"'{part.Trim()}' must be a status code or a range of them, 100 to 599, as in 200-399 or 200,204,301-302";
                return false;
            }

            if (from > to)
            {
                error = $"the range '{part.Trim()}' ends before it begins";
                return false;
            }

            found.Add((from, to));
        }

        ranges = new StatusRanges([.. found]);
        return true;
    }

    public bool Contains(int code)
    {
        foreach ((int from, int to) in _ranges)
        {
            if (code >= from && code <= to) return true;
        }

        return false;
    }

    private static bool TryParseCode(string text, out int code) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out code) && code is >= 100 and <= 599;
}
