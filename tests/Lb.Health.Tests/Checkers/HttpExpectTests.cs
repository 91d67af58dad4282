using System.Net;
using System.Text;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

/// <summary>What an http check can ask and expect beyond a status and a text.</summary>
[Trait("Row", "H7")]
public sealed class HttpExpectTests
{
    private const int Limit = 60_000;
    private const string Answer = "HTTP/1.1 503 Busy\r\nX-State: ready\r\nx-state: Draining \r\nContent-Length: 14\r\n\r\nmessage digest";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string, CheckExpectOptions, string?> Conditions => new()
    {
        { "status", new() { Status = "500-599" }, null },
        { "no status", new() { Status = "200" }, "no status 200" },
        { "not status", new() { Status = "503", Not = true }, "unwanted status 503" },
        { "not another status", new() { Status = "200", Not = true }, null },
        { "rstatus", new() { StatusRegex = "^50[0-9]$" }, null },
        { "no rstatus", new() { StatusRegex = "^2" }, "no status ^2" },
        { "header", new() { Header = "X-State" }, null },
        { "no header", new() { Header = "X-Other" }, "no header X-Other" },
        { "not header", new() { Header = "x-STATE", Not = true }, "unwanted header x-STATE" },
        { "second of two headers", new() { Header = "X-State", Value = "Draining" }, null },
        { "no value", new() { Header = "X-State", Value = "draining" }, "no header X-State: draining" },
        { "value like", new() { Header = "X-State", ValueRegex = "^r.*y$" }, null },
        { "no value like", new() { Header = "X-State", ValueRegex = "^e" }, "no header X-State like ^e" },
        { "string", new() { Body = "age dig" }, null },
        { "no string", new() { Body = "absent" }, "expected text is not in the body" },
        { "not string", new() { Body = "digest", Not = true }, "unwanted text is in the body" },
        { "not another string", new() { Body = "absent", Not = true }, null },
        { "rstring", new() { BodyRegex = "^mes+age d" }, null },
        { "no rstring", new() { BodyRegex = "^digest" }, "expected expression matches nothing in the body" },
        { "not rstring", new() { BodyRegex = "dig.st$", Not = true }, "unwanted expression matches the body" },
    };

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Conditions))]
    public async Task Judges_by_conditions(string what, CheckExpectOptions condition, string? fault)
    {
        CheckOptions options = new() { Expect = condition.Status is null && condition.StatusRegex is null ? "503" : new CheckOptions().Expect };
        options.Expects.Add(condition);
        ProbeResult expected = fault is null ? new(CheckStatus.Layer7Ok, 503, "Busy") : new(CheckStatus.Layer7Status, 503, fault);
        Assert.Equal((what, expected), (what, await CheckAsync(Answer, options)));
    }

    [Fact(Timeout = Limit)]
    public async Task All_conditions_must_hold()
    {
        CheckOptions options = new() { ExpectBody = "message" };
        options.Expects.Add(new() { Status = "503" });
        options.Expects.Add(new() { Body = "digest" });
        Assert.True((await CheckAsync(Answer, options)).Passed);
        options.Expects.Add(new() { Header = "X-Other" });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Status, 503, "no header X-Other"), await CheckAsync(Answer, options));
    }

    [Theory(Timeout = Limit)]
    [InlineData("f96b697d7cb7938d525a2f31aaf161d0", "Content-Length: 14\r\n\r\nmessage digest", CheckStatus.Layer7Ok, "OK")]
    [InlineData("F96B697D7CB7938D525A2F31AAF161D0", "Transfer-Encoding: chunked\r\n\r\n8\r\nmessage \r\n6\r\ndigest\r\n0\r\n\r\n", CheckStatus.Layer7Ok, "OK")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427e", "Content-Length: 0\r\n\r\n", CheckStatus.Layer7Ok, "OK")]
    [InlineData("900150983cd24fb0d6963f7d28e17f72", "\r\nabc", CheckStatus.Layer7Ok, "OK")]
    [InlineData("900150983cd24fb0d6963f7d28e17f72", "\r\nabd", CheckStatus.Layer7Status, "digest is 4911e516e5aa21d327512e0c8b197616")]
    [Trait("Row", "H8")]
    public async Task The_digest_is_the_MD5_of_the_body(string digest, string rest, CheckStatus status, string text)
    {
        // The suite of RFC 1321, A.5; the last one from md5sum.
        Assert.Equal(new ProbeResult(status, 200, text), await CheckAsync("HTTP/1.1 200 OK\r\n" + rest, new CheckOptions { Digest = digest }));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H8")]
    public async Task An_endless_body_has_no_digest_and_what_must_not_be_in_it_is_not()
    {
        await using ProbeServer server = ProbeServer.Start(static async (socket, ct) =>
        {
            await ProbeServer.ReadRequestAsync(socket, ct);
            await ProbeServer.SendAsync(socket, "HTTP/1.1 200 OK\r\n\r\n", ct);
            string many = new('x', 8192);
            while (true) await ProbeServer.SendAsync(socket, many, ct);
        });
        CheckOptions digest = new() { Digest = new string('0', 32) };
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Status, 200, "no digest: the body has more than 1 MiB"), await new HttpChecker(digest).CheckAsync(Target(server.EndPoint), Ct));
        CheckOptions not = new();
        not.Expects.Add(new() { Body = "y", Not = true });
        Assert.True((await new HttpChecker(not).CheckAsync(Target(server.EndPoint), Ct)).Passed);
    }

    [Fact(Timeout = Limit)]
    public async Task A_redirect_is_not_followed()
    {
        ProbeResult result = await CheckAsync("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", new CheckOptions { Expect = "200" });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Status, 302, "Found; redirects are not followed"), result);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H8")]
    public async Task All_requests_must_pass()
    {
        List<string> asked = [];
        await using ProbeServer other = ProbeServer.Start(ProbeServer.Reply("HTTP/1.1 204 No Content\r\n\r\n"));
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            string request = await ProbeServer.ReadRequestAsync(socket, ct);
            lock (asked) asked.Add(request[..request.IndexOf("\r\nUser", StringComparison.Ordinal)]);
            await ProbeServer.SendAsync(socket, $"HTTP/1.1 {(request.Contains("/bad", StringComparison.Ordinal) ? "500 Broken" : "200 OK")}\r\n\r\n", ct);
        });
        CheckOptions options = new() { Host = "app.example" };
        options.Requests.Add(new() { Path = "/a" });
        options.Requests.Add(new() { Path = "/b", Host = "b.example", Version = "1.0", Method = "OPTIONS" });
        options.Requests.Add(new() { Path = "/c", Port = ((IPEndPoint)other.EndPoint).Port, Expect = "204" });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 204, "No Content"), await new HttpChecker(options).CheckAsync(Target(server.EndPoint), Ct));
        Assert.Equal(["GET /a HTTP/1.1\r\nHost: app.example", "OPTIONS /b HTTP/1.0\r\nHost: b.example"], asked);

        options.Requests.Insert(1, new() { Path = "/bad" });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Status, 500, "/bad: Broken"), await new HttpChecker(options).CheckAsync(Target(server.EndPoint), Ct));
        Assert.Equal(4, asked.Count);
    }

    [Fact]
    public void A_request_is_written_as_configured()
    {
        CheckOptions options = new() { Method = "POST", Path = "/rpc", Body = "{\"é\":1}" };
        options.Headers["User-Agent"] = "probe/1";
        options.Headers["Content-Type"] = "application/json";
        options.Requests.Add(new());
        options.Requests[0].Headers["content-type"] = "text/plain";
        HttpPlan plan = Assert.Single(HttpPlan.Read("check", options, []));
        Assert.Equal(
            "POST /rpc HTTP/1.1\r\nHost: h:1\r\nAccept: */*\r\nUser-Agent: probe/1\r\nContent-Type: text/plain\r\nContent-Length: 8\r\nConnection: close\r\n\r\n{\"é\":1}",
            Encoding.UTF8.GetString(plan.Write("h:1")));
    }

    private static ProbeTarget Target(EndPoint endPoint) => new("s1", endPoint, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30));

    private static async Task<ProbeResult> CheckAsync(string answer, CheckOptions options)
    {
        await using ProbeServer server = ProbeServer.Start(ProbeServer.Reply(answer));
        return await new HttpChecker(options).CheckAsync(Target(server.EndPoint), Ct);
    }
}
