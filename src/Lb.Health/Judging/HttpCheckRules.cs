namespace Lb.Health;

/// <summary>Looks for faults in what an <c>http</c> check sends and expects. Nothing may end a line or a word of the request: that would be header injection. Pure.</summary>
internal static class HttpCheckRules
{
    public static void Validate(string path, CheckOptions check, ICollection<ConfigurationError> errors)
    {
        // Empty values are refused by Core.
        if (check.Path.Length > 0 && (check.Path[0] != '/' || !IsVisible(check.Path)))
            errors.Add(new($"{path}:Path", Printable(check.Path), "must start with '/' and have only visible ASCII characters; percent-encode the others"));
        if (check.Method.Length > 0 && !check.Method.All(IsToken))
            errors.Add(new($"{path}:Method", Printable(check.Method), "must be a method such as GET, HEAD or OPTIONS"));
        if (check.Host is not null && (check.Host.Length == 0 || !IsVisible(check.Host)))
            errors.Add(new($"{path}:Host", Printable(check.Host), "must be a host name, with a port if need be, of visible ASCII characters"));
        if (!string.IsNullOrWhiteSpace(check.Expect) && !StatusRanges.TryParse(check.Expect, out _, out string? error))
            errors.Add(new($"{path}:Expect", Printable(check.Expect), error));
        if (check.ExpectBody is { Length: 0 })
            errors.Add(new($"{path}:ExpectBody", "", "must not be empty; leave it out to accept any body"));
        else if (check.ExpectBody is not null && check.Method == "HEAD")
            errors.Add(new($"{path}:ExpectBody", Printable(check.ExpectBody), "can't be found in the answer to HEAD, which has no body"));
    }

    private static bool IsVisible(string text) => text.All(static c => c is > ' ' and < '\x7f');

    // RFC 9110, 5.6.2.
    private static bool IsToken(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);

    // Errors go to logs: what a value smuggles in must not act there either.
    private static string Printable(string text) => string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c));
}
