using Lb.Contracts.Checkers;
using Lb.Health;

namespace Lb.Interop.Tests.Health;

/// <summary>The checks that both have.</summary>
internal static class HaproxyKinds
{
    public static Dictionary<string, HaproxyKind> All { get; } = new(StringComparer.Ordinal)
    {
        ["tcp"] = new("", "", static () => new TcpChecker()),
        ["http"] = new("option httpchk", "", static () => new HttpChecker(new CheckOptions())),
        ["http expect status"] = Http("status 404", static o => o.Expect = "404"),
        ["http expect ! status"] = Http("! status 404", new CheckExpectOptions { Not = true, Status = "404" }),
        ["http expect rstatus"] = Http("rstatus ^50[13]", new CheckExpectOptions { StatusRegex = "^50[13]" }),
        ["http expect string"] = Http("string all\\ is\\ well", new CheckExpectOptions { Body = "all is well" }),
        ["http expect ! string"] = Http("! string SQL\\ Error", new CheckExpectOptions { Not = true, Body = "SQL Error" }),
        ["http expect rstring"] = Http("rstring w[aeiou]ll$", new CheckExpectOptions { BodyRegex = "w[aeiou]ll$" }),
        ["http expect hdr"] = Http("hdr name x-state value well", new CheckExpectOptions { Header = "x-state", Value = "well" }),
        ["tls"] = new("", $"check-ssl verify required ca-file {Certificates.One.CaFile} verifyhost app.example check-sni app.example", static () => new TlsChecker(Tls("tls"))),
        ["https"] = new("option httpchk", $"check-ssl verify required ca-file {Certificates.One.CaFile} verifyhost app.example check-sni app.example", static () => new HttpChecker(Tls("https"))),
        ["redis"] = new("option redis-check", "", static () => new RedisChecker(new CheckOptions())),
        ["pgsql"] = new("option pgsql-check user lb", "", static () => new PostgresChecker(new CheckOptions { User = "lb" })),
        ["mysql"] = new("option mysql-check", "", static () => new MySqlChecker(new CheckOptions())),
        ["mysql user"] = new("option mysql-check user lb", "", static () => new MySqlChecker(new CheckOptions { User = "lb" })),
        ["smtp"] = new("option smtpchk EHLO localhost", "", static () => new SmtpChecker(new CheckOptions())),
        ["tcp-check"] = new(
            "option tcp-check\n  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG\n  tcp-check send QUIT\\r\\n\n  tcp-check expect rstring ^\\+O",
            "",
            static () => new ScriptChecker(Script("PING\\r\\n", "+PONG", "QUIT\\r\\n", "^\\+O"))),
    };

    private static HaproxyKind Http(string expect, CheckExpectOptions ours) => Http(expect, o =>
    {
        o.Expect = "100-599";
        o.Expects.Add(ours);
    });

    private static HaproxyKind Http(string expect, Action<CheckOptions> ours) => new($"option httpchk\n  http-check expect {expect}", "", () =>
    {
        CheckOptions options = new() { Type = "http" };
        ours(options);
        return new HttpChecker(options);
    });

    private static CheckOptions Tls(string type) => new() { Type = type, Tls = new CheckTlsOptions { CaFile = Certificates.One.CaFile, Sni = "app.example" } };

    private static CheckOptions Script(string send, string expect, string sendThen, string expectThen) => new()
    {
        Type = "tcp-script",
        Script =
        {
            new CheckStepOptions { Send = send },
            new CheckStepOptions { Expect = expect },
            new CheckStepOptions { Send = sendThen },
            new CheckStepOptions { ExpectRegex = expectThen },
        },
    };
}
