using Lb.Contracts.Checkers;
using Lb.Health;

namespace Lb.Interop.Tests.Health;

[Trait("Row", "H7")]
[Trait("Row", "H8")]
public sealed class NginxTests(NginxServer nginx) : IClassFixture<NginxServer>
{
    [Theory(Timeout = Ask.Limit)]
    [InlineData("/", "L7OK/200", "OK")]
    [InlineData("/page.txt", "L7OK/200", "OK")]
    [InlineData("/loop", "L7OK/302", "Moved Temporarily")]
    [InlineData("/gone", "L7STS/410", "Gone")]
    [InlineData("/broken", "L7STS/503", "Service Temporarily Unavailable")]
    [InlineData("/not-there", "L7STS/404", "Not Found")]
    [InlineData("/mute", "L7RSP", "closed without an answer")]
    public async Task Finds_what_HAProxy_finds(string path, string word, string text)
    {
        nginx.Demand();
        ProbeResult result = await Ask.UsAsync(new HttpChecker(new CheckOptions { Path = path }), nginx.Http);
        Assert.Equal((word, text), (Ask.Word(result), result.Text));
        Assert.Equal(word, await Ask.HaproxyAsync(nginx.Http, $"option httpchk GET {path}"));
    }

    [Theory(Timeout = Ask.Limit)]
    [InlineData("http-check send meth GET uri / ver HTTP/1.1 hdr Host x\n  http-check expect hdr name X-State value well", true)]
    [InlineData("http-check send meth GET uri /echo ver HTTP/1.1 hdr Host x\n  http-check expect hdr name X-State value well", false)]
    public async Task Finds_a_header_where_HAProxy_finds_it(string haproxy, bool there)
    {
        nginx.Demand();
        CheckOptions options = new() { Path = there ? "/" : "/echo", Expects = { new CheckExpectOptions { Header = "x-state", Value = "well" } } };
        ProbeResult result = await Ask.UsAsync(new HttpChecker(options), nginx.Http);
        Assert.Equal(there, result.Passed);
        Assert.Equal(Ask.Word(result), await Ask.HaproxyAsync(nginx.Http, $"option httpchk\n  {haproxy}"));
    }

    [Theory(Timeout = Ask.Limit)]
    [InlineData("1.1", "GET", "app.example", null, "^HTTP/1\\.1\\|GET\\|app\\.example\\|yes\\|[^|]+\\|close\\|$")]
    [InlineData("1.0", "GET", "app.example", null, "^HTTP/1\\.0\\|GET\\|app\\.example\\|yes\\|[^|]+\\|close\\|$")]
    [InlineData("1.1", "POST", "app.example:81", "{}", "^HTTP/1\\.1\\|POST\\|app\\.example\\|yes\\|")]
    public async Task Sends_what_was_configured(string version, string method, string host, string? body, string echo)
    {
        nginx.Demand();
        CheckOptions options = new()
        {
            Path = "/echo", Version = version, Method = method, Host = host, Body = body, Headers = { ["X-Probe"] = "yes" }, Expects = { new CheckExpectOptions { BodyRegex = echo } },
        };
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 200, "OK"), await Ask.UsAsync(new HttpChecker(options), nginx.Http));
    }

    [Fact(Timeout = Ask.Limit)]
    public async Task A_server_that_keeps_the_connection_does_not_keep_us()
    {
        nginx.Demand();
        CheckOptions options = new() { Path = "/echo", Headers = { ["Connection"] = "keep-alive" }, ExpectBody = "|keep-alive|" };
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 200, "OK"), await Ask.UsAsync(new HttpChecker(options), nginx.Http));
    }

    [Theory(Timeout = Ask.Limit)]
    [InlineData("/page.txt", "a4aa0ae2c5e23b4bdcd5eb3b0ae37b70", false)]
    [InlineData("/page.txt", "MD5SUM", true)]
    public async Task Knows_a_page_by_its_digest(string path, string digest, bool passes)
    {
        nginx.Demand();
        if (digest == "MD5SUM") digest = await DigestAsync("all is well\\n");
        ProbeResult result = await Ask.UsAsync(new HttpChecker(new CheckOptions { Path = path, Digest = digest }), nginx.Http);
        Assert.Equal(passes, result.Passed);
    }

    [Theory(Timeout = Ask.Limit)]
    [InlineData("all is HTTP/1.1 well", true)]
    [InlineData("all is  well", false)]
    public async Task Reads_a_body_in_chunks(string text, bool passes)
    {
        nginx.Demand();
        ProbeResult result = await Ask.UsAsync(new HttpChecker(new CheckOptions { Path = "/chunks", ExpectBody = text }), nginx.Http);
        Assert.Equal(passes ? "L7OK/200" : "L7STS/200", Ask.Word(result));
    }

    [Fact(Timeout = Ask.Limit)]
    public async Task All_of_several_pages_must_be_well()
    {
        nginx.Demand();
        CheckRequestOptions page = new() { Path = "/page.txt", ExpectBody = "well" }, other = new() { Path = "/", Host = "other.example", ExpectBody = "the other" };
        CheckOptions options = new() { Requests = { page, other } };
        Assert.Equal("L7OK/200", Ask.Word(await Ask.UsAsync(new HttpChecker(options), nginx.Http)));
        options.Requests.Add(new CheckRequestOptions { Path = "/broken" });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Status, 503, "/broken: Service Temporarily Unavailable"), await Ask.UsAsync(new HttpChecker(options), nginx.Http));
    }

    [Theory(Timeout = Ask.Limit)]
    [Trait("Row", "H10")]
    [InlineData("app.example", null, "^TLSv1\\.3\\|app\\.example\\|\\|HTTP/1\\.1$", "L7OK/200", "OK")]
    [InlineData("app.example", "http/1.1", "^TLSv1\\.3\\|app\\.example\\|http/1\\.1\\|HTTP/1\\.1$", "L7OK/200", "OK")]
    [InlineData("other.example", null, "^the other$", "L7OK/200", "OK")]
    [InlineData("third.example", null, ".", "L6RSP", "certificate is not for third.example but for localhost, app.example, 127.0.0.1")]
    public async Task Asks_for_a_name_over_TLS(string name, string? protocol, string body, string word, string text)
    {
        nginx.Demand();
        CheckOptions options = new() { Type = "https", Host = name, Tls = new CheckTlsOptions { CaFile = Certificates.One.CaFile }, Expects = { new CheckExpectOptions { BodyRegex = body } } };
        if (protocol is not null) options.Tls.Alpn.Add(protocol);
        ProbeResult result = await Ask.UsAsync(new HttpChecker(options), nginx.Https);
        Assert.Equal((word, text), (Ask.Word(result), result.Text));
        string alpn = protocol is null ? "" : $" check-alpn {protocol}";
        Assert.Equal(word, await Ask.HaproxyAsync(
            nginx.Https, $"option httpchk\n  http-check send hdr Host {name}", $"check-ssl verify required ca-file {Certificates.One.CaFile} verifyhost {name} check-sni {name}{alpn}"));
    }

    [Fact(Timeout = Ask.Limit)]
    [Trait("Row", "H10")]
    public async Task Plain_and_encrypted_are_not_taken_for_each_other()
    {
        nginx.Demand();
        Assert.Equal("L7STS/400", Ask.Word(await Ask.UsAsync(new HttpChecker(new CheckOptions()), nginx.Https)));
        Assert.Equal("L7STS/400", await Ask.HaproxyAsync(nginx.Https, "option httpchk"));
        CheckOptions options = new() { Type = "https", Tls = new CheckTlsOptions { CaFile = Certificates.One.CaFile } };
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Response, 0, "not TLS"), await Ask.UsAsync(new HttpChecker(options), nginx.Http));
        Assert.Equal("L6RSP", await Ask.HaproxyAsync(nginx.Http, "option httpchk", "check-ssl verify none"));
    }

    // An independent program's digest.
    private static async Task<string> DigestAsync(string text)
    {
        using Peers.PeerHome home = new();
        return (await Peers.Peer.RunAsync(home, ["/bin/sh", "-c", $"printf '{text}' | md5sum"]))[..32];
    }
}
