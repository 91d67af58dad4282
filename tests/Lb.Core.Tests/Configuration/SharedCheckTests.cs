namespace Lb.Core.Tests.Configuration;

/// <summary>Checks by name, used by pools.</summary>
[Trait("Row", "H27")]
public sealed class SharedCheckTests
{
    [Fact]
    public void A_check_begins_as_the_shared_one_and_what_it_says_itself_wins()
    {
        LbOptions options = TestConfiguration.Valid("""
            { "HealthChecks": { "Web-OK": { "Type": "http", "Path": "/healthz", "Interval": "7s", "Headers": { "X-A": "1", "X-B": "2" }, "Tls": { "Sni": "a.example", "Alpn": [ "http/1.1" ] } } },
              "Pools": {
                "web": { "Servers": [ { "Address": "192.0.2.1:80" } ], "Checks": [ { "Use": "web-ok", "Interval": "5s" }, {} ] },
                "api": { "Servers": [ { "Address": "192.0.2.1:81" } ], "Checks": [ { "Use": "web-ok", "Headers": { "X-C": "3" }, "Tls": { "Alpn": [ "http/1.0" ] } } ] } } }
            """);
        CheckOptions web = options.Pools["web"].Checks[0], plain = options.Pools["web"].Checks[1], api = options.Pools["api"].Checks[0];
        Assert.Equal(("http", "/healthz", 5.0, "web-ok"), (web.Type, web.Path, web.Interval.TotalSeconds, web.Use));
        Assert.Equal(["X-A", "X-B"], web.Headers.Keys.Order());
        Assert.Equal(("tcp", "/", 2.0, null), (plain.Type, plain.Path, plain.Interval.TotalSeconds, plain.Use));
        Assert.Equal((7.0, "X-C", "a.example", "http/1.0"), (api.Interval.TotalSeconds, Assert.Single(api.Headers.Keys), api.Tls!.Sni, Assert.Single(api.Tls.Alpn)));
        Assert.Equal(TimeSpan.FromSeconds(7), options.HealthChecks["web-ok"].Interval);
    }

    [Fact]
    public void Chains_are_followed_and_the_nearest_has_the_last_word()
    {
        CheckOptions check = Read("""{ "a": { "Type": "http", "Rise": 5, "Fall": 6, "Path": "/a" }, "b": { "Use": "a", "Fall": 7, "Path": "/b" }, "c": { "Use": "B", "Path": "/c" } }""", """{ "Use": "c" }""");
        Assert.Equal(("http", 5, 7, "/c", "c"), (check.Type, check.Rise, check.Fall, check.Path, check.Use));
    }

    [Fact]
    public void Lists_are_replaced_as_a_whole()
    {
        const string Shared = """{ "s": { "Type": "http", "Expects": [ { "Status": "200" } ], "Requests": [ { "Path": "/1" }, { "Path": "/2" } ], "Script": [ { "Send": "x" } ], "Command": [ "/bin/a", "b" ] } }""";
        CheckOptions kept = Read(Shared, """{ "Use": "s" }"""), changed = Read(Shared, """{ "Use": "s", "Expects": [ { "Body": "ok" } ], "Requests": [ { "Path": "/3" } ], "Script": [ { "Send": "y" } ], "Command": [ "/bin/c" ] }""");
        Assert.Equal((1, 2, 1, 2), (kept.Expects.Count, kept.Requests.Count, kept.Script.Count, kept.Command.Count));
        Assert.Equal(("ok", "/3", "y", "/bin/c"), (Assert.Single(changed.Expects).Body, Assert.Single(changed.Requests).Path, Assert.Single(changed.Script).Send, Assert.Single(changed.Command)));
    }

    [Theory]
    [InlineData("{}", """{ "Use": "x" }""", "Lb:Pools:web:Checks:0:Use = 'x': is no shared check; there are none (Lb:HealthChecks)")]
    [InlineData("""{ "b": {}, "a": {} }""", """{ "Use": "x" }""", "Lb:Pools:web:Checks:0:Use = 'x': is no shared check; there are: a, b")]
    [InlineData("""{ "a": { "Use": "x" } }""", """{ "Use": "a" }""", "Lb:HealthChecks:a:Use = 'x': is no shared check; there are: a")]
    [InlineData("""{ "a": { "Use": "A" } }""", """{ "Use": "a" }""", "Lb:HealthChecks:a:Use = 'A': goes round in a circle: a, A")]
    [InlineData("""{ "a": { "Intervall": "1s" } }""", """{ "Use": "a" }""", "Lb:HealthChecks:a:Intervall = '1s': is no known key; did you mean Interval?")]
    [InlineData("""{ "a": { "Rise": "many" } }""", """{ "Use": "a" }""", "Lb:HealthChecks:a:Rise = 'many': must be a whole number")]
    [InlineData("""{ "a": { "Rise": 0 } }""", """{ "Use": "a" }""", "Lb:Pools:web:Checks:0:Rise = '0': must be 1 to 1000")]
    public void Faults_are_told_once(string shared, string check, string error)
    {
        Assert.Equal([error], TestConfiguration.Errors(Json(shared, check)));
    }

    [Fact]
    public void Everybody_in_a_circle_is_named_and_nobody_else()
    {
        Assert.Equal(
            ["Lb:HealthChecks:a:Use = 'b': goes round in a circle: a, b, a", "Lb:HealthChecks:b:Use = 'a': goes round in a circle: b, a, b"],
            TestConfiguration.Errors(Json("""{ "a": { "Use": "b" }, "b": { "Use": "a" }, "c": { "Use": "a" } }""", """{ "Use": "c" }""")));
    }

    private static CheckOptions Read(string shared, string check) => TestConfiguration.Valid(Json(shared, check)).Pools["web"].Checks[0];

    private static string Json(string shared, string check) =>
        $$"""{ "HealthChecks": {{shared}}, "Pools": { "web": { "Servers": [ { "Address": "192.0.2.1:80" } ], "Checks": [ {{check}} ] } } }""";
}
