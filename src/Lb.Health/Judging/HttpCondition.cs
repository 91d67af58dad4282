using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Lb.Health;

/// <summary>One condition on an HTTP answer (HAProxy <c>http-check expect</c>). Immutable; pure.</summary>
/// <param name="Options">As configured.</param>
/// <param name="Status">Status codes of a condition on them.</param>
/// <param name="Regex">Regular expression of whatever the condition is on.</param>
/// <param name="Text">Text of a condition on the body.</param>
internal sealed record HttpCondition(CheckExpectOptions Options, StatusRanges? Status, Regex? Regex, byte[]? Text)
{
    public bool IsOnStatus => Options.Status is not null || Options.StatusRegex is not null;

    public bool IsOnBody => Options.Body is not null || Options.BodyRegex is not null;

    /// <summary>Reads a condition; faults are added to <paramref name="errors"/>.</summary>
    public static HttpCondition Read(string path, CheckExpectOptions options, ICollection<ConfigurationError> errors)
    {
        StatusRanges? status = null;
        Regex? regex = null;
        byte[]? text = options.Body is null ? null : Encoding.UTF8.GetBytes(options.Body);
        string?[] kinds = [options.Status, options.StatusRegex, options.Body, options.BodyRegex, options.Header];
        if (kinds.Count(static k => k is not null) != 1) errors.Add(new(path, null, "must have exactly one of Status, StatusRegex, Body, BodyRegex and Header"));
        if (options.Header is null && (options.Value is not null || options.ValueRegex is not null)) errors.Add(new($"{path}:Header", null, "is required for Value and ValueRegex"));
        if (options.Value is not null && options.ValueRegex is not null) errors.Add(new($"{path}:ValueRegex", options.ValueRegex, "means nothing beside Value; set one of them"));
        if (options.Header is { } name && !HttpCheckRules.IsToken(name)) errors.Add(new($"{path}:Header", CheckRules.Printable(name), "must be the name of a header"));
        if (options.Body is { Length: 0 }) errors.Add(new($"{path}:Body", "", "must not be empty"));
        if (options.Status is { } codes && !StatusRanges.TryParse(codes, out status, out string? error)) errors.Add(new($"{path}:Status", CheckRules.Printable(codes), error));
        foreach ((string key, string? value) in ((string, string?)[])[("StatusRegex", options.StatusRegex), ("BodyRegex", options.BodyRegex), ("ValueRegex", options.ValueRegex)])
        {
            if (value is not null && !Patterns.TryParse(value, out regex, out error)) errors.Add(new($"{path}:{key}", CheckRules.Printable(value), error));
        }

        return new HttpCondition(options, status, regex, text);
    }

    /// <summary>What is wrong with a head, or null; a condition on the body finds nothing.</summary>
    /// <param name="code">The status code.</param>
    /// <param name="head">The head from the status line on, as <see cref="HttpHead"/> has accepted it.</param>
    public string? JudgeHead(int code, ReadOnlySpan<byte> head)
    {
        if (IsOnBody) return null;
        string? what;
        bool met;
        if (IsOnStatus)
        {
            met = Status?.Contains(code) ?? Regex!.IsMatch(code.ToString(CultureInfo.InvariantCulture));
            what = $"status {Options.Status ?? Options.StatusRegex}";
        }
        else
        {
            met = HasHeader(head);
            what = $"header {Options.Header}{(Options.Value is { } value ? $": {value}" : Options.ValueRegex is { } regex ? $" like {regex}" : "")}";
        }

        return met == !Options.Not ? null : Options.Not ? $"unwanted {what}" : $"no {what}";
    }

    private bool HasHeader(ReadOnlySpan<byte> head)
    {
        int end = head.IndexOf("\r\n"u8);
        while (end >= 0)
        {
            head = head[(end + 2)..];
            end = head.IndexOf("\r\n"u8);
            ReadOnlySpan<byte> line = end < 0 ? head : head[..end];
            int colon = line.IndexOf((byte)':');
            if (colon < 0 || !Ascii.EqualsIgnoreCase(line[..colon], Options.Header)) continue;
            string value = Encoding.UTF8.GetString(line[(colon + 1)..].Trim(" \t"u8));
            if (Options.Value is not null ? value == Options.Value : Regex?.IsMatch(value) ?? true) return true;
        }

        return false;
    }
}
