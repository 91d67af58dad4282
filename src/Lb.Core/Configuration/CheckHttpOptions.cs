namespace Lb;

/// <summary>One of several requests of an <c>http</c> or <c>https</c> check. What is not set is taken from the check. Not thread-safe: filled once, then read.</summary>
public sealed class CheckRequestOptions
{
    /// <summary>Port to ask when it is not the check's, 1 to 65535.</summary>
    [Within(1, 65535)]
    public int? Port { get; set; }

    /// <summary>The request's target.</summary>
    [NotEmpty]
    public string? Path { get; set; }

    /// <summary>The request's method.</summary>
    [NotEmpty]
    public string? Method { get; set; }

    /// <summary>The Host header.</summary>
    public string? Host { get; set; }

    /// <summary>The request's version, <c>1.1</c> or <c>1.0</c>.</summary>
    [OneOf("1.0", "1.1")]
    public string? Version { get; set; }

    /// <summary>Headers beside those of the check; one of the same name replaces it.</summary>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The request's body, sent as UTF-8.</summary>
    public string? Body { get; set; }

    /// <summary>Status codes that pass.</summary>
    [NotEmpty]
    public string? Expect { get; set; }

    /// <summary>Text that the body must contain.</summary>
    public string? ExpectBody { get; set; }

    /// <summary>MD5 of the answer's body as 32 hex digits.</summary>
    public string? Digest { get; set; }

    /// <summary>Further conditions; empty: those of the check.</summary>
    public IList<CheckExpectOptions> Expects { get; } = [];
}

/// <summary>A condition on the answer of an <c>http</c> or <c>https</c> check; exactly one of Status, StatusRegex, Body, BodyRegex and Header is set. Not thread-safe: filled once, then read.</summary>
public sealed class CheckExpectOptions
{
    /// <summary>True: the condition must not hold (HAProxy <c>!</c>). Default false.</summary>
    public bool Not { get; set; }

    /// <summary>Status codes, as <c>200-399</c> or <c>200,204</c> (HAProxy <c>status</c>).</summary>
    public string? Status { get; set; }

    /// <summary>A regular expression found in the three digits of the status (HAProxy <c>rstatus</c>).</summary>
    public string? StatusRegex { get; set; }

    /// <summary>Text in the body (HAProxy <c>string</c>).</summary>
    public string? Body { get; set; }

    /// <summary>A regular expression found in the body, read as UTF-8 (HAProxy <c>rstring</c>).</summary>
    public string? BodyRegex { get; set; }

    /// <summary>Name of a header that is there (HAProxy <c>fhdr name</c>); with <see cref="Value"/> or <see cref="ValueRegex"/>, one that has it.</summary>
    public string? Header { get; set; }

    /// <summary>The header's whole value, compared with regard to case.</summary>
    public string? Value { get; set; }

    /// <summary>A regular expression found in the header's value.</summary>
    public string? ValueRegex { get; set; }
}
