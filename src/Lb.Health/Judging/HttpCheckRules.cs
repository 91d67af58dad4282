namespace Lb.Health;

/// <summary>Looks for faults in what an <c>http</c> check sends and expects. Nothing may end a line or a word of the request: that would be header injection. Pure.</summary>
internal static class HttpCheckRules
{
    /// <summary>Looks at a whole check.</summary>
    public static void Validate(string path, CheckOptions check, ICollection<ConfigurationError> errors) => HttpPlan.Read(path, check, errors);

    /// <summary>Looks at one request.</summary>
    public static void Validate(string path, CheckRequestOptions request, ICollection<ConfigurationError> errors)
    {
        // Empty values of the check are refused by Core.
        if (request.Path is { Length: > 0 } target && (target[0] != '/' || !IsVisible(target)))
            errors.Add(new($"{path}:Path", Printable(target), "must start with '/' and have only visible ASCII characters; percent-encode the others"));
        if (request.Method is { Length: > 0 } method && !IsToken(method))
            errors.Add(new($"{path}:Method", Printable(method), "must be a method such as GET, HEAD or OPTIONS"));
        if (request.Host is { } host && (host.Length == 0 || !IsVisible(host)))
            errors.Add(new($"{path}:Host", Printable(host), "must be a host name, with a port if need be, of visible ASCII characters"));
        if (!string.IsNullOrWhiteSpace(request.Expect) && !StatusRanges.TryParse(request.Expect, out _, out string? error))
            errors.Add(new($"{path}:Expect", Printable(request.Expect), error));
        if (request.ExpectBody is { Length: 0 })
            errors.Add(new($"{path}:ExpectBody", "", "must not be empty; leave it out to accept any body"));
        else if (request.ExpectBody is not null && request.Method == "HEAD")
            errors.Add(new($"{path}:ExpectBody", Printable(request.ExpectBody), "can't be found in the answer to HEAD, which has no body"));
        if (request.Digest is { } digest && (digest.Length != 32 || !digest.All(char.IsAsciiHexDigit)))
            errors.Add(new($"{path}:Digest", Printable(digest), "must be an MD5 of 32 hex digits"));
        if (request.Method == "HEAD" && (request.Digest is not null || request.Expects.Any(static e => e.Body is not null || e.BodyRegex is not null)))
            errors.Add(new($"{path}:Method", "HEAD", "gets answers without a body, of which nothing can be expected"));
        foreach ((string name, string value) in request.Headers)
        {
            if (!IsToken(name))
                errors.Add(new($"{path}:Headers:{Printable(name)}", Printable(value), "must be the name of a header"));
            else if (name.ToUpperInvariant() is "HOST" or "CONTENT-LENGTH" or "TRANSFER-ENCODING")
                errors.Add(new($"{path}:Headers:{name}", Printable(value), "can't be set here: it follows from Host and Body"));
            else if (value.Any(static c => c is < ' ' and not '\t' or >= '\x7f'))
                errors.Add(new($"{path}:Headers:{name}", Printable(value), "must have only visible ASCII characters and spaces"));
        }
    }

    /// <summary>True for a method's or a header's name (RFC 9110, 5.6.2).</summary>
    public static bool IsToken(string text) =>
        text.Length > 0 && text.All(static c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));

    private static bool IsVisible(string text) => text.All(static c => c is > ' ' and < '\x7f');

    private static string Printable(string text) => CheckRules.Printable(text);
}
