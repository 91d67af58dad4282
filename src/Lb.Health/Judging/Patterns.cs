using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Lb.Health;

/// <summary>Regular expressions of configurations. They meet what servers send, so their time grows with its length and no faster. Pure.</summary>
internal static class Patterns
{
    public static bool TryParse(string text, [NotNullWhen(true)] out Regex? regex, [NotNullWhen(false)] out string? error)
    {
        regex = null;
        try
        {
            regex = new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            error = null;
            return true;
        }
        catch (NotSupportedException)
        {
            error = "must be a regular expression without look-arounds, back-references and atomic groups, which would need backtracking";
            return false;
        }
        catch (ArgumentException fault)
        {
            error = $"is no regular expression: {fault.Message}";
            return false;
        }
    }
}
