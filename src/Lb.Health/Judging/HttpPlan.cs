using System.Text;

namespace Lb.Health;

/// <summary>One request of an <c>http</c> check and what its answer must be. Immutable; pure.</summary>
/// <param name="Request">Path, Method, Host, Version, Headers, Body, Digest, ExpectBody and Port, all of them set as they hold.</param>
/// <param name="Expected">Statuses that pass, or null when conditions speak of them.</param>
/// <param name="Conditions">Further conditions.</param>
internal sealed record HttpPlan(CheckRequestOptions Request, StatusRanges? Expected, IReadOnlyList<HttpCondition> Conditions)
{
    private const string DefaultExpect = "200-399";

    /// <summary>True when the head alone does not decide.</summary>
    public bool NeedsBody => Request.ExpectBody is not null || Request.Digest is not null || Conditions.Any(static c => c.IsOnBody);

    /// <summary>The requests of a check; faults are added to <paramref name="errors"/>.</summary>
    public static List<HttpPlan> Read(string path, CheckOptions check, ICollection<ConfigurationError> errors)
    {
        CheckRequestOptions whole = new()
        {
            Path = check.Path, Method = check.Method, Host = check.Host, Version = check.Version, Body = check.Body,
            Expect = check.Expect, ExpectBody = check.ExpectBody, Digest = check.Digest,
        };
        foreach ((string name, string value) in check.Headers) whole.Headers[name] = value;
        foreach (CheckExpectOptions expect in check.Expects) whole.Expects.Add(expect);
        if (check.Requests.Count == 0) return [Read(path, whole, errors)];

        List<HttpPlan> plans = [];
        for (int i = 0; i < check.Requests.Count; i++)
        {
            CheckRequestOptions own = check.Requests[i];
            CheckRequestOptions request = new()
            {
                Port = own.Port, Path = own.Path ?? whole.Path, Method = own.Method ?? whole.Method, Host = own.Host ?? whole.Host, Version = own.Version ?? whole.Version,
                Body = own.Body ?? whole.Body, Expect = own.Expect ?? whole.Expect, ExpectBody = own.ExpectBody ?? whole.ExpectBody, Digest = own.Digest ?? whole.Digest,
            };
            foreach ((string name, string value) in whole.Headers.Concat(own.Headers)) request.Headers[name] = value;
            foreach (CheckExpectOptions expect in own.Expects.Count > 0 ? own.Expects : whole.Expects) request.Expects.Add(expect);
            plans.Add(Read($"{path}:Requests:{i}", request, errors));
        }

        return plans;
    }

    /// <summary>The bytes of the request.</summary>
    /// <param name="host">The Host header when the request names none.</param>
    public byte[] Write(string host)
    {
        StringBuilder head = new();
        head.Append(Request.Method).Append(' ').Append(Request.Path).Append(" HTTP/").Append(Request.Version).Append("\r\nHost: ").Append(Request.Host ?? host).Append("\r\n");
        void Default(string name, string value)
        {
            if (!Request.Headers.ContainsKey(name)) head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        Default("User-Agent", "Lb.Health");
        Default("Accept", "*/*");
        foreach ((string name, string value) in Request.Headers) head.Append(name).Append(": ").Append(value).Append("\r\n");
        byte[] body = Encoding.UTF8.GetBytes(Request.Body ?? "");

        // RFC 9110, 8.6: methods that usually have a body say that there is none.
        if (body.Length > 0 || Request.Method is "POST" or "PUT" or "PATCH") Default("Content-Length", $"{body.Length}");
        Default("Connection", "close");
        head.Append("\r\n");
        return [.. Encoding.Latin1.GetBytes(head.ToString()), .. body];
    }

    /// <summary>What is wrong with a head, or null.</summary>
    public string? JudgeHead(in HttpHead head, ReadOnlySpan<byte> bytes)
    {
        string redirect = head.Code is >= 300 and < 400 ? "; redirects are not followed" : "";
        if (Expected?.Contains(head.Code) == false) return $"{head.Reason}{redirect}";
        foreach (HttpCondition condition in Conditions)
        {
            if (condition.JudgeHead(head.Code, bytes) is { } fault) return $"{fault}{redirect}";
        }

        return null;
    }

    private static HttpPlan Read(string path, CheckRequestOptions request, ICollection<ConfigurationError> errors)
    {
        HttpCheckRules.Validate(path, request, errors);
        List<HttpCondition> conditions = [];
        for (int i = 0; i < request.Expects.Count; i++) conditions.Add(HttpCondition.Read($"{path}:Expects:{i}", request.Expects[i], errors));

        // The default stands for "nothing said": HAProxy drops it too as soon as there is a rule on the status.
        bool dropped = request.Expect == DefaultExpect && conditions.Exists(static c => c.IsOnStatus);
        return new HttpPlan(request, !dropped && StatusRanges.TryParse(request.Expect!, out StatusRanges? expected, out _) ? expected : null, conditions);
    }
}
