using System.Globalization;
using System.Text;

namespace Lb.Health;

/// <summary>The line that an agent sends (HAProxy <c>agent-check</c>): words between blanks and commas, and a description behind a <c>#</c>. Pure.</summary>
internal static class AgentWords
{
    /// <summary>The longest line taken.</summary>
    public const int LongestLine = 1024;

    private const int MostPercent = 25_600;
    private const int MostConnections = 16_000_000;

    /// <summary>Reads a line; of several words of one kind the last holds.</summary>
    /// <param name="line">The line without its end.</param>
    /// <returns>
    /// L7OK, or L7STS for down, fail, failed and stopped, with what the words ask for; L7RSP when a word is not known, with what the others ask for.
    /// </returns>
    public static ProbeResult Read(ReadOnlySpan<byte> line)
    {
        string text = Encoding.UTF8.GetString(line);
        int hash = DescriptionAt(text);
        string description = hash < 0 ? "" : text[(hash + 1)..].Trim();
        string[] words = (hash < 0 ? text : text[..hash]).Split([' ', '\t', ',', '\r'], StringSplitOptions.RemoveEmptyEntries);

        ProbeAdvice advice = new();
        string? unknown = null;
        foreach (string word in words)
        {
            if (Take(word, advice) is { } next) advice = next;
            else unknown ??= word;
        }

        string said = string.Join(' ', words);
        if (description.Length > 0) said = said.Length == 0 ? description : $"{said}: {description}";
        if (unknown is not null) return new ProbeResult(CheckStatus.Layer7Response, 0, $"unknown word {unknown}") { Advice = advice == new ProbeAdvice() ? null : advice };
        if (words.Length == 0) return new ProbeResult(CheckStatus.Layer7Response, 0, "no word");
        return new ProbeResult(advice.Health == ServerHealth.Down ? CheckStatus.Layer7Status : CheckStatus.Layer7Ok, 0, said) { Advice = advice };
    }

    /// <summary>Replaces <c>\n</c>, <c>\r</c>, <c>\t</c> and <c>\\</c>.</summary>
    /// <param name="text">At most 1024 characters.</param>
    /// <param name="plain">The text meant.</param>
    public static bool TryUnescape(string text, out string plain)
    {
        plain = "";
        if (text.Length > LongestLine) return false;
        StringBuilder built = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                built.Append(text[i]);
                continue;
            }

            char? meant = (++i < text.Length ? text[i] : '\0') switch
            {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '\\' => '\\',
                _ => null,
            };
            if (meant is null) return false;
            built.Append(meant.Value);
        }

        plain = built.ToString();
        return true;
    }

    // A hash sign within a word is part of it, as in HAProxy.
    private static int DescriptionAt(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '#' && (i == 0 || text[i - 1] is ' ' or '\t' or ',')) return i;
        }

        return -1;
    }

    private static ProbeAdvice? Take(string word, ProbeAdvice advice)
    {
        switch (word.ToUpperInvariant())
        {
            case "UP":
                return advice with { Health = ServerHealth.Up };
            case "DOWN" or "FAIL" or "FAILED" or "STOPPED":
                return advice with { Health = ServerHealth.Down };
            case "READY":
                return advice with { State = ServerAdmin.Ready };
            case "DRAIN":
                return advice with { State = ServerAdmin.Drain };
            case "MAINT":
                return advice with { State = ServerAdmin.Maintenance };
        }

        if (word.StartsWith("maxconn:", StringComparison.OrdinalIgnoreCase))
            return TryNumber(word.AsSpan(8), out int limit) ? advice with { MaxConnections = Math.Min(limit, MostConnections) } : null;
        bool named = word.StartsWith("weight:", StringComparison.OrdinalIgnoreCase);
        ReadOnlySpan<char> weight = named ? word.AsSpan(7) : word;
        if (weight.EndsWith("%"))
            return TryNumber(weight[..^1], out int percent) ? advice with { WeightPercent = Math.Min(percent, MostPercent), Weight = null } : null;
        return named && TryNumber(weight, out int absolute) && absolute <= 256 ? advice with { Weight = absolute, WeightPercent = null } : null;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
