using System.Globalization;

namespace Lb;

/// <summary>Durations as configurations write them: <c>2s</c>, <c>100ms</c>, <c>5m</c>, <c>00:00:02</c>; a bare number is milliseconds, as in HAProxy.</summary>
public static class Durations
{
    private static readonly (string Unit, double Ticks)[] Units =
    [
        ("ms", TimeSpan.TicksPerMillisecond), ("us", TimeSpan.TicksPerMicrosecond), ("s", TimeSpan.TicksPerSecond),
        ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour), ("d", TimeSpan.TicksPerDay),
    ];

    /// <summary>Reads a duration. Units: us, ms, s, m, h, d; fractions are allowed (<c>1.5s</c>).</summary>
    /// <param name="text">The text; null and blank are no duration.</param>
    /// <param name="value">The duration; negative ones are read too, so that the caller can refuse them by name.</param>
    /// <returns>False when it is no duration or too large for a <see cref="TimeSpan"/>.</returns>
    public static bool TryParse(string? text, out TimeSpan value)
    {
        value = default;
        text = text?.Trim();
        if (string.IsNullOrEmpty(text)) return false;
        if (text.Contains(':', StringComparison.Ordinal)) return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out value);

        double ticks = TimeSpan.TicksPerMillisecond;
        foreach ((string unit, double factor) in Units)
        {
            if (!text.EndsWith(unit, StringComparison.OrdinalIgnoreCase)) continue;
            ticks = factor;
            text = text[..^unit.Length].TrimEnd();
            break;
        }

        const NumberStyles style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign;
        if (!double.TryParse(text, style, CultureInfo.InvariantCulture, out double number)) return false;
        double total = number * ticks;
        if (!(Math.Abs(total) < long.MaxValue)) return false;
        value = TimeSpan.FromTicks((long)Math.Round(total));
        return true;
    }

    /// <summary>Writes a duration in the largest unit that keeps it whole: <c>2s</c>, <c>1500ms</c>.</summary>
    /// <param name="value">Any duration.</param>
    public static string Format(TimeSpan value)
    {
        foreach ((string unit, double ticks) in Units.OrderByDescending(static u => u.Ticks))
        {
            if (value.Ticks % (long)ticks == 0 && (value.Ticks != 0 || unit == "s"))
                return string.Create(CultureInfo.InvariantCulture, $"{value.Ticks / (long)ticks}{unit}");
        }

        return value.ToString("c", CultureInfo.InvariantCulture);
    }
}
