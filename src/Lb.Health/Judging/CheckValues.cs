namespace Lb.Health;

/// <summary>All values of the keys that only some kinds of checks know, one after the other, so that two checks can be compared. Pure.</summary>
internal static class CheckValues
{
    public static IEnumerable<object?> Of(CheckOptions check) =>
    [
        check.Address, check.SourceAddress, check.SendProxy, check.Socks4, check.Version, .. Of(check.Headers), check.Body, check.Digest, .. Of(check.Expects, Of), .. Of(check.Requests, Of), .. Of(check.Script, Of), check.DisableOn404,
        .. check.Tls is { } tls ? Of(tls) : [null],
        .. check.Udp is { } udp ? (object?[])[udp.Payload, udp.PayloadHex, udp.RequireReply, udp.Reply, udp.MinReplyLength, udp.MaxReplyLength] : [null],
        .. check.Dns is { } dns ? (object?[])[dns.Name, dns.Type, dns.Rcode, dns.MinAnswers, dns.Answer, dns.Attempts, dns.Tcp] : [null],
        check.Hello, check.User, check.PasswordFile, check.PasswordVariable, check.Service,
        .. check.Command, check.Command.Count, check.RunAs, check.Dynamic, check.AgentSend,
    ];

    private static object?[] Of(CheckRequestOptions request) =>
    [
        request.Port, request.Path, request.Method, request.Host, request.Version, .. Of(request.Headers), request.Body,
        request.Expect, request.ExpectBody, request.Digest, .. Of(request.Expects, Of),
    ];

    private static object?[] Of(CheckExpectOptions expect) =>
        [expect.Not, expect.Status, expect.StatusRegex, expect.Body, expect.BodyRegex, expect.Header, expect.Value, expect.ValueRegex];

    private static object?[] Of(CheckStepOptions step) =>
    [
        step.Connect, step.Tls, step.Linger, step.Send, step.SendBinary, step.Expect, step.ExpectRegex, step.ExpectBinary, step.Not, step.MinReceived,
        step.OnError, step.OnSuccess, step.Comment,
    ];

    private static object?[] Of(CheckTlsOptions tls) =>
        [tls.Verify, tls.CaFile, tls.Sni, .. tls.Alpn, tls.Alpn.Count, tls.MinimumVersion, tls.ClientCertificate];

    // The count after the items: what follows them can't be taken for one of them.
    private static IEnumerable<object?> Of(IDictionary<string, string> map) =>
        [.. map.OrderBy(static p => p.Key, StringComparer.OrdinalIgnoreCase).SelectMany(static p => (object?[])[p.Key, p.Value]), map.Count];

    private static IEnumerable<object?> Of<T>(IList<T> list, Func<T, object?[]> values) => [.. list.SelectMany(values), list.Count];
}
