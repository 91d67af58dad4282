using System.Net;
using System.Security.Cryptography.X509Certificates;
using Lb.Contracts.Checkers;
using Lb.Health;
using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Health;

[Trait("Row", "H10")]
public sealed class OpenSslTests
{
    private static string Trusting => $"check-ssl verify required ca-file {Certificates.One.CaFile} verifyhost app.example check-sni app.example";

    [Fact(Timeout = Ask.Limit)]
    public Task A_good_certificate() => BothAsync(Certificates.One.Good, "L6OK", "");

    [Fact(Timeout = Ask.Limit)]
    public Task An_authority_that_we_do_not_know() => BothAsync(Certificates.One.Make(selfSigned: true), "L6RSP", "certificate is signed by itself and not trusted");

    [Fact(Timeout = Ask.Limit)]
    public Task One_that_has_expired() =>
        BothAsync(Certificates.One.Make(end: new DateTimeOffset(2021, 2, 3, 0, 0, 0, TimeSpan.Zero)), "L6RSP", "certificate expired on 2021-02-03");

    [Fact(Timeout = Ask.Limit)]
    public Task One_of_another_host() => BothAsync(Certificates.One.Make("other.example"), "L6RSP", "certificate is not for app.example but for other.example");

    [Fact(Timeout = Ask.Limit)]
    public async Task What_is_not_verified_may_be_anything()
    {
        Peer.Demand(OpenSsl.Need);
        await BothAsync(Certificates.One.Make("other.example", end: new DateTimeOffset(2021, 2, 3, 0, 0, 0, TimeSpan.Zero)), "L6OK", "", o => (o.Verify, o.CaFile) = (false, null), "check-ssl verify none");
    }

    [Theory(Timeout = Ask.Limit)]
    [InlineData("-tls1_2", "1.2", "L6OK", "")]
    [InlineData("-tls1_3", "1.2", "L6OK", "")]
    [InlineData("-tls1_3", "1.3", "L6OK", "")]
    [InlineData("-tls1_2", "1.3", "L6RSP", "handshake refused: no common version (protocol_version)")]
    public Task Versions(string server, string oldest, string word, string text) =>
        BothAsync(Certificates.One.Good, word, text, o => o.MinimumVersion = oldest, $"{Trusting} ssl-min-ver TLSv{oldest}", server);

    [Theory(Timeout = Ask.Limit)]
    [InlineData("h2", "h2", "L6OK", "")]
    [InlineData("h2,http/1.1", "http/1.1", "L6OK", "")]
    [InlineData("h2", "http/1.1", "L6RSP", "handshake refused: no common protocol (no_application_protocol)")]
    public Task Protocols(string server, string ours, string word, string text) =>
        BothAsync(Certificates.One.Good, word, text, o => o.Alpn.Add(ours), $"{Trusting} check-alpn {ours}", "-alpn", server);

    [Fact(Timeout = Ask.Limit)]
    public async Task A_protocol_that_the_server_does_not_know_of()
    {
        // HAProxy takes the handshake; we were told that the server must choose one.
        ProbeResult result = await WeAsync(Certificates.One.Good, o => o.Alpn.Add("h2"));
        Assert.Equal(("L6RSP", "the server chose none of h2"), (Ask.Word(result), result.Text));
    }

    [Fact(Timeout = Ask.Limit)]
    public async Task A_server_that_wants_a_certificate_of_ours()
    {
        Peer.Demand(OpenSsl.Need);
        using PeerHome home = new();
        string own = Certificates.Write(Certificates.One.Make("client.example"), home.PathOf("own.pem"));
        string[] demands = ["-Verify", "1", "-verify_return_error", "-CAfile", Certificates.One.CaFile, "-tls1_2"];
        await BothAsync(Certificates.One.Good, "L6OK", "", o => o.ClientCertificate = own, $"{Trusting} crt {own}", demands);
        ProbeResult result = await WeAsync(Certificates.One.Good, static _ => { }, demands);
        Assert.Equal("L6RSP", Ask.Word(result));
    }

    private static async Task BothAsync(X509Certificate2 certificate, string word, string text, Action<CheckTlsOptions>? configure = null, string? haproxy = null, params string[] arguments)
    {
        Peer.Demand(OpenSsl.Need, Haproxy.Need);
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer server = await OpenSsl.StartAsync(home, endPoint, certificate, arguments);
        ProbeResult result = await AskAsync(endPoint, configure);
        Assert.Equal((word, text), (Ask.Word(result), result.Text));
        Assert.Equal(word, await Ask.HaproxyAsync(endPoint, "", haproxy ?? Trusting));
    }

    private static async Task<ProbeResult> WeAsync(X509Certificate2 certificate, Action<CheckTlsOptions> configure, params string[] arguments)
    {
        Peer.Demand(OpenSsl.Need);
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer server = await OpenSsl.StartAsync(home, endPoint, certificate, arguments);
        return await AskAsync(endPoint, configure);
    }

    private static Task<ProbeResult> AskAsync(IPEndPoint endPoint, Action<CheckTlsOptions>? configure)
    {
        CheckOptions options = new() { Type = "tls", Tls = new CheckTlsOptions { CaFile = Certificates.One.CaFile, Sni = "app.example" } };
        configure?.Invoke(options.Tls);
        return Ask.UsAsync(new TlsChecker(options), endPoint);
    }
}
