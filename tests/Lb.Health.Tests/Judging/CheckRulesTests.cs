namespace Lb.Health.Tests.Judging;

public sealed class CheckRulesTests
{
    public static TheoryData<string, CheckOptions, string[]> Cases => new()
    {
        { "a key of another kind", new() { Type = "tcp", Body = "x" }, ["p:Body: means nothing to tcp; it belongs to http, https"] },
        { "TLS of a plain check", new() { Type = "http", Tls = new() }, ["p:Tls: means nothing to http; it belongs to https, tls, tcp-script"] },
        { "a port to ping", new() { Type = "ICMP", Port = 7 }, ["p:Port: means nothing to icmp; it belongs to tcp, http, https, tcp-script, tls, udp, dns, smtp, redis, pgsql, mysql, grpc, command, agent"] },
        { "a key of mail", new() { Type = "redis", Hello = "lb" }, ["p:Hello: means nothing to redis; it belongs to smtp"] },
        { "a user of tcp", new() { Type = "tcp", User = "lb" }, ["p:User: means nothing to tcp; it belongs to redis, pgsql, mysql"] },
        { "a password of mysql", new() { Type = "mysql", PasswordFile = "/x", PasswordVariable = "X" }, ["p:PasswordFile: means nothing to mysql; it belongs to redis", "p:PasswordVariable: means nothing to mysql; it belongs to redis"] },
        { "a service of http", new() { Type = "http", Service = "s" }, ["p:Service: means nothing to http; it belongs to grpc"] },
        { "a program of an agent", new() { Type = "agent", Port = 7, Command = { "/x" }, RunAs = "u", Dynamic = true },
            [
                "p:Command: means nothing to agent; it belongs to command",
                "p:RunAs: means nothing to agent; it belongs to command",
                "p:Dynamic: means nothing to agent; it belongs to command",
            ] },
        { "attempts of an agent", new() { Type = "agent", Port = 7, Retry = 1 }, ["p:Retry: means nothing to agent; it belongs to tcp, http, https, tcp-script, tls, icmp, udp, dns, smtp, redis, pgsql, mysql, grpc, command"] },
        { "404 of tcp", new() { DisableOn404 = true }, ["p:DisableOn404: means nothing to tcp; it belongs to http, https"] },
        { "words for no agent", new() { Type = "smtp", AgentSend = "x" }, ["p:AgentSend: means nothing to smtp; it belongs to agent"] },
        { "TLS of gRPC", new() { Type = "grpc", Tls = new() }, ["p:Tls: means nothing to grpc; it belongs to https, tls, tcp-script"] },
        { "a kind of the host's", new() { Type = "mine", Body = "x", Tls = new() }, [] },
        { "TLS that no step speaks", new() { Type = "tcp-script", Tls = new(), Script = { new() { Send = "x" } } }, ["p:Tls: means nothing: no step of the script says \"Tls\": true"] },
        { "no script", new() { Type = "tcp-script" }, ["p:Script: is required for tcp-script: at least one step"] },
        { "h2 of https", new() { Type = "https", Tls = new() { Alpn = { "h2" } } }, ["p:Tls:Alpn:0 = 'h2': is not spoken by https checks, which know http/1.1 and http/1.0"] },
        { "h2 of tls", new() { Type = "tls", Tls = new() { Alpn = { "h2" } } }, [] },
        { "a name with a port", new() { Type = "tls", Tls = new() { Sni = "a\r\nb" } }, ["p:Tls:Sni = 'a??b': must be a host name without a port"] },
        { "an authority for nothing", new() { Type = "tls", Tls = new() { Verify = false, CaFile = "/x" } }, ["p:Tls:CaFile = '/x': means nothing with Verify false"] },
        { "a header that follows", new() { Type = "http", Headers = { ["host"] = "x" } }, ["p:Headers:host = 'x': can't be set here: it follows from Host and Body"] },
        { "a header in a header", new() { Type = "http", Headers = { ["X"] = "a\r\nEvil: 1" } }, ["p:Headers:X = 'a??Evil: 1': must have only visible ASCII characters and spaces"] },
        { "a header's name", new() { Type = "http", Headers = { ["X:\n"] = "a" } }, ["p:Headers:X:? = 'a': must be the name of a header"] },
        { "a digest", new() { Type = "http", Digest = "abc" }, ["p:Digest = 'abc': must be an MD5 of 32 hex digits"] },
        { "a body of HEAD", new() { Type = "http", Method = "HEAD", Expects = { new() { Body = "x" } } }, ["p:Method = 'HEAD': gets answers without a body, of which nothing can be expected"] },
        { "two conditions in one", new() { Type = "http", Expects = { new() { Body = "x", Status = "200" } } }, ["p:Expects:0: must have exactly one of Status, StatusRegex, Body, BodyRegex and Header"] },
        { "a value of nothing", new() { Type = "http", Expects = { new() { Body = "x", Value = "y" } } }, ["p:Expects:0:Header: is required for Value and ValueRegex"] },
        { "a wrong expression", new() { Type = "http", Expects = { new() { StatusRegex = "(a)\\1" } } }, ["p:Expects:0:StatusRegex = '(a)\\1': must be a regular expression without look-arounds, back-references and atomic groups, which would need backtracking"] },
        { "a wrong request", new() { Type = "https", Requests = { new(), new() { Path = "x", Expects = { new() { Status = "9" } } } } },
            [
                "p:Requests:1:Path = 'x': must start with '/' and have only visible ASCII characters; percent-encode the others",
                "p:Requests:1:Expects:0:Status = '9': '9' must be a status code or a range of them, 100 to 599, as in 200-399 or 200,204,301-302",
            ] },
        { "two payloads", new() { Type = "udp", Udp = new() { Payload = "x", PayloadHex = "00" } }, ["p:Udp:PayloadHex = '00': means nothing beside Payload; set one of them"] },
        { "a reply that need not come", new() { Type = "udp", Udp = new() { Reply = "00" } }, ["p:Udp:RequireReply = 'false': must be true to judge replies"] },
        { "a reply that can't be", new() { Type = "udp", Udp = new() { RequireReply = true, MinReplyLength = 2, MaxReplyLength = 1 } }, ["p:Udp:MaxReplyLength = '1': must not be below MinReplyLength"] },
        { "an answer of a type that has none", new() { Type = "dns", Dns = new() { Type = "ANY", Answer = "x" } }, ["p:Dns:Answer = 'x': can be given for A, AAAA, CNAME, MX, NS, PTR, SOA, SRV and TXT"] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Row", "H7")]
    public void Faults_are_named(string what, CheckOptions check, string[] expected)
    {
        List<ConfigurationError> errors = [];
        CheckRules.Validate("p", check, errors);
        Assert.Equal((what, string.Join('\n', expected)), (what, string.Join('\n', errors)));
    }
}
