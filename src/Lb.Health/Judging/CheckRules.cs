namespace Lb.Health;

/// <summary>Which keys the built-in kinds of checks know, and whether their values make sense. Pure.</summary>
internal static class CheckRules
{
    // Kinds whose keys are all in the table; others, a host's own among them, may read what they like. Before the table, which needs it.
    private static readonly string[] Strict =
    [
        "tcp", "http", "https", "tcp-script", "tls", "icmp", "udp", "dns", "smtp", "redis", "pgsql", "mysql", "grpc", "command", "agent",
    ];

    // The oldest keys of http (Path, Method, Host, Expect, ExpectBody) are not among them: they do no harm to other kinds.
    // A key, the kinds that know it, and whether it is set.
    private static readonly (string Key, string[] Kinds, Func<CheckOptions, bool> IsSet)[] Keys =
    [
        ("Version", ["http", "https"], static c => c.Version != "1.1"),
        ("Headers", ["http", "https"], static c => c.Headers.Count > 0),
        ("Body", ["http", "https"], static c => c.Body is not null),
        ("Digest", ["http", "https"], static c => c.Digest is not null),
        ("Expects", ["http", "https"], static c => c.Expects.Count > 0),
        ("Requests", ["http", "https"], static c => c.Requests.Count > 0),
        ("DisableOn404", ["http", "https"], static c => c.DisableOn404),
        ("Script", ["tcp-script"], static c => c.Script.Count > 0),
        ("Tls", ["https", "tls", "tcp-script"], static c => c.Tls is not null),
        ("Udp", ["udp"], static c => c.Udp is not null),
        ("Dns", ["dns"], static c => c.Dns is not null),
        ("Hello", ["smtp"], static c => c.Hello != "localhost"),
        ("User", ["redis", "pgsql", "mysql"], static c => c.User is not null),
        ("PasswordFile", ["redis"], static c => c.PasswordFile is not null),
        ("PasswordVariable", ["redis"], static c => c.PasswordVariable is not null),
        ("Service", ["grpc"], static c => c.Service.Length > 0),
        ("Command", ["command"], static c => c.Command.Count > 0),
        ("RunAs", ["command"], static c => c.RunAs is not null),
        ("Dynamic", ["command"], static c => c.Dynamic),
        ("AgentSend", ["agent"], static c => c.AgentSend is not null),
        ("Retry", [.. Strict.Where(static k => k != "agent")], static c => c.Retry > 0),
        ("SourceAddress", [.. Strict.Where(static k => k != "command")], static c => c.SourceAddress is not null),
        ("SendProxy", [.. Strict.Where(static k => k is not ("icmp" or "udp" or "dns" or "command" or "agent"))], static c => c.SendProxy is not null),
        ("Socks4", [.. Strict.Where(static k => k is not ("icmp" or "udp" or "dns" or "command"))], static c => c.Socks4 is not null),
        ("Port", [.. Strict.Where(static k => k != "icmp")], static c => c.Port is not null),
    ];

    /// <summary>Looks for faults of one check.</summary>
    public static void Validate(string path, CheckOptions check, ICollection<ConfigurationError> errors)
    {
        string kind = Strict.FirstOrDefault(k => k.Equals(check.Type, StringComparison.OrdinalIgnoreCase)) ?? "";
        if (kind.Length == 0) return;
        foreach ((string key, string[] kinds, Func<CheckOptions, bool> isSet) in Keys)
        {
            if (!kinds.Contains(kind) && isSet(check)) errors.Add(new($"{path}:{key}", null, $"means nothing to {kind}; it belongs to {string.Join(", ", kinds)}"));
        }

        switch (kind)
        {
            case "http" or "https":
                HttpCheckRules.Validate(path, check, errors);
                break;
            case "tcp-script":
                CheckScript.Read(path, check.Script, errors);
                if (check.Tls is not null && !check.Script.Any(static s => s.Tls)) errors.Add(new($"{path}:Tls", null, "means nothing: no step of the script says \"Tls\": true"));
                break;
            case "udp":
                UdpRules.TryRead(path, check.Udp ?? new CheckUdpOptions(), errors, out _);
                break;
            case "dns":
                DnsQuestion.TryRead(path, check.Dns ?? new CheckDnsOptions(), errors, out _);
                break;
            default:
                ServiceCheckRules.Validate(path, check, errors);
                break;
        }

        if (check.Tls is { } tls) ValidateTls($"{path}:Tls", kind, tls, errors);
    }

    /// <summary>Errors go to logs: what a value smuggles in must not act there either.</summary>
    public static string Printable(string text) => string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c));

    private static void ValidateTls(string path, string kind, CheckTlsOptions tls, ICollection<ConfigurationError> errors)
    {
        if (tls.Sni is { } sni && (sni.Length == 0 || sni.Length > 253 || !sni.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or ':')))
            errors.Add(new($"{path}:Sni", Printable(sni), "must be a host name without a port"));
        for (int i = 0; i < tls.Alpn.Count; i++)
        {
            string protocol = tls.Alpn[i];
            if (protocol.Length is 0 or > 255 || !protocol.All(static c => c is > ' ' and < '\x7f'))
                errors.Add(new($"{path}:Alpn:{i}", Printable(protocol), "must be the name of a protocol, as h2 or http/1.1"));
            else if (kind == "https" && protocol is not ("http/1.1" or "http/1.0"))
                errors.Add(new($"{path}:Alpn:{i}", protocol, "is not spoken by https checks, which know http/1.1 and http/1.0"));
        }

        if (!tls.Verify && tls.CaFile is not null) errors.Add(new($"{path}:CaFile", tls.CaFile, "means nothing with Verify false"));
    }
}
