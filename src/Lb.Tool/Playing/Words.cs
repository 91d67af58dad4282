using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Lb.Tool;

/// <summary>
/// Splits a line into words at white space. Double quotes, anywhere in a word, hold white space together (<c>hdr:X-Name="a b"</c>); inside
/// them <c>\"</c> and <c>\\</c> stand for <c>"</c> and <c>\</c>. A word that begins with <c>#</c> begins a comment. Pure.
/// </summary>
internal static class Words
{
    public static bool TrySplit(string line, out IReadOnlyList<string> words, [NotNullWhen(false)] out string? error)
    {
        List<string> found = [];
        StringBuilder word = new();
        words = found;
        error = null;
        bool inWord = false, inQuotes = false;
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            if (inQuotes)
            {
                if (c == '"') inQuotes = false;
                else if (c == '\\' && i + 1 < line.Length && line[i + 1] is '"' or '\\') word.Append(line[++i]);
                else word.Append(c);
            }
            else if (char.IsWhiteSpace(c))
            {
                if (inWord) found.Add(word.ToString());
                word.Clear();
                inWord = false;
            }
            else if (c == '#' && !inWord)
            {
                break;
            }
            else
            {
                inWord = true;
                if (c == '"') inQuotes = true;
                else word.Append(c);
            }
        }

        if (inWord) found.Add(word.ToString());
        if (!inQuotes) return true;
        error = "a quote is not closed";
        return false;
    }
}
