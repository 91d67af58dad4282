using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Lb.Contracts.Checkers;
using Lb.Testing;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H10")]
public sealed class TlsCheckerTests : HealthCheckerContract
{
    private static Certificates All => Certificates.One;

    protected override IHealthChecker Create(TimeProvider time) => new TlsChecker(Options(), time);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) => Certificates.Serve(Shows(All.Good))(socket, ct);

    [Fact(Timeout = Limit)]
    [Trait("Row", "H28")]
    public async Task A_valid_certificate_passes_with_L6OK()
    {
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Ok), await CheckAsync(Shows(All.Good), _ => { }));
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Ok), await CheckAsync(Shows(All.Good), tls => tls.Sni = "app.example"));
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "expired", "certificate expired on 2021-02-03" },
        { "early", "certificate is not valid before 2110-01-01" },
        { "other", "certificate is not for 127.0.0.1 but for other.example" },
        { "self", "certificate is signed by itself and not trusted" },
    };

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Faults))]
    public async Task A_certificate_that_is_not_valid_is_told_with_the_reason(string kind, string reason)
    {
        using X509Certificate2 certificate = kind switch
        {
            "expired" => All.Make(end: new DateTimeOffset(2021, 2, 3, 0, 0, 0, TimeSpan.Zero)),
            "early" => All.Make(begin: new DateTimeOffset(2110, 1, 1, 0, 0, 0, TimeSpan.Zero)),
            "other" => All.Make("other.example"),
            _ => All.Make(selfSigned: true),
        };
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Response, 0, reason), await CheckAsync(Shows(certificate), _ => { }));
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Ok), await CheckAsync(Shows(certificate), tls => (tls.Verify, tls.CaFile) = (false, null)));
    }

    [Fact(Timeout = Limit)]
    public async Task An_authority_that_is_not_ours_is_not_trusted()
    {
        ProbeResult result = await CheckAsync(Shows(All.Good), tls => tls.CaFile = null);
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Response, 0, "certificate of an unknown authority"), result);
    }

    [Fact(Timeout = Limit)]
    public async Task The_name_is_sent_and_the_certificate_must_have_it()
    {
        string? asked = null;
        SslServerAuthenticationOptions server = new()
        {
            ServerCertificateSelectionCallback = (_, name) =>
            {
                asked = name;
                return All.Good;
            },
        };
        Assert.True((await CheckAsync(server, tls => tls.Sni = "app.example")).Passed);
        Assert.Equal("app.example", asked);
        Assert.Equal("certificate is not for db.example but for localhost, app.example, 127.0.0.1", (await CheckAsync(server, tls => tls.Sni = "db.example")).Text);
    }

    [Fact(Timeout = Limit)]
    public async Task A_protocol_must_be_agreed_when_some_are_offered()
    {
        SslServerAuthenticationOptions knows = Shows(All.Good);
        knows.ApplicationProtocols = [SslApplicationProtocol.Http2];
        Assert.True((await CheckAsync(knows, tls => tls.Alpn.Add("h2"))).Passed);
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Response, 0, "the server chose none of h2"), await CheckAsync(Shows(All.Good), tls => tls.Alpn.Add("h2")));
    }

    [Fact(Timeout = Limit)]
    public async Task An_old_version_is_refused_by_name()
    {
        SslServerAuthenticationOptions old = Shows(All.Good);
        old.EnabledSslProtocols = SslProtocols.Tls12;
        Assert.True((await CheckAsync(old, _ => { })).Passed);
        ProbeResult result = await CheckAsync(old, tls => tls.MinimumVersion = "1.3");
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Response, 0, "handshake refused: no common version (protocol_version)"), result);
    }

    [Fact(Timeout = Limit)]
    public async Task Our_own_certificate_is_shown_to_servers_that_ask()
    {
        using X509Certificate2 own = All.Make("client.example");
        string file = Path.Combine(Path.GetDirectoryName(All.CaFile)!, "client.pem");
        await File.WriteAllTextAsync(file, own.ExportCertificatePem() + "\n" + own.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), Ct);
        TaskCompletionSource<string?> shown = new(TaskCreationOptions.RunContinuationsAsynchronously);
        SslServerAuthenticationOptions server = Shows(All.Good);
        server.ClientCertificateRequired = true;

        // With 1.3 the client does not wait to hear what the server thinks of it.
        server.EnabledSslProtocols = SslProtocols.Tls12;
        server.RemoteCertificateValidationCallback = (_, certificate, _, _) => shown.TrySetResult(certificate?.GetSerialNumberString());
        Assert.True((await CheckAsync(server, tls => tls.ClientCertificate = file)).Passed);
        Assert.Equal(own.SerialNumber, await shown.Task);
    }

    [Theory(Timeout = Limit)]
    [InlineData("SSH-2.0-x\r\n", "not TLS")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", "not TLS")]
    [InlineData("", "closed without an answer")]
    [InlineData("\x15\x03\x03\x00\x02\x02\x28", "handshake refused: no common settings (handshake_failure)")]
    [InlineData("\x15\x03\x03\x00\x02\x02\x70", "handshake refused: a name that it does not know (unrecognized_name)")]
    [InlineData("\x16\x03\x03\x00\x04\x02\x00", "handshake failed")]
    [Trait("Row", "H28")]
    public async Task What_is_no_handshake_is_told_at_once(string answer, string text)
    {
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            await ProbeServer.SendAsync(socket, answer, ct);
            socket.Shutdown(SocketShutdown.Send);
        });
        ProbeResult result = await Create(TimeProvider.System).CheckAsync(Target(server.EndPoint), Ct);

        // 0x70 is 112.
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Response, 0, text), result);
        await server.WhenLeftAsync(Ct);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H3")]
    public async Task A_handshake_that_does_not_end_is_L6TOUT()
    {
        TaskCompletionSource silent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            await socket.ReceiveAsync(new byte[64].AsMemory(), ct);
            silent.SetResult();
        });
        ManualTimeProvider time = new();
        Task<ProbeResult> check = Create(time).CheckAsync(Target(server.EndPoint) with { AnswerTimeout = TimeSpan.FromSeconds(3) }, Ct).AsTask();
        await silent.Task;
        time.Advance(TimeSpan.FromSeconds(3) - TimeSpan.FromTicks(1));
        Assert.False(check.IsCompleted);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Timeout, 0, "no TLS handshake in time"), await check);
        Assert.Equal(0, time.ActiveTimers);
        await server.WhenLeftAsync(Ct);
    }

    [Fact]
    public void Files_that_can_not_be_used_are_named()
    {
        string text = Path.Combine(Path.GetDirectoryName(All.CaFile)!, "text.pem");
        File.WriteAllText(text, "no certificate");
        List<ConfigurationError> errors = [];
        TlsClient.Validate("p", new CheckTlsOptions { CaFile = text, ClientCertificate = "/nonexistent/x.pem" }, errors);
        TlsClient.Validate("q", new CheckTlsOptions { CaFile = All.CaFile, ClientCertificate = All.CaFile }, errors);
        Assert.Equal(
        [
            new("p:CaFile", text, "is no PEM file with certificates, or can't be read"),
            new("p:ClientCertificate", "/nonexistent/x.pem", "is not there"),
            new("q:ClientCertificate", All.CaFile, "is no PEM file with a certificate and its key, or can't be read"),
        ], errors);
        Assert.Throws<ArgumentException>(() => new TlsChecker(new CheckOptions { Tls = new() { CaFile = text } }));
    }

    private static SslServerAuthenticationOptions Shows(X509Certificate2 certificate) => new() { ServerCertificate = certificate };

    private static CheckOptions Options() => new() { Type = "tls", Tls = new() { CaFile = All.CaFile } };

    private static async Task<ProbeResult> CheckAsync(SslServerAuthenticationOptions server, Action<CheckTlsOptions> configure)
    {
        CheckOptions options = Options();
        configure(options.Tls!);
        await using ProbeServer listening = ProbeServer.Start(Certificates.Serve(server));
        return await new TlsChecker(options).CheckAsync(Target(listening.EndPoint), Ct);
    }
}

[Trait("Row", "H10")]
public sealed class HttpsCheckerTests : HealthCheckerContract
{
    protected override IHealthChecker Create(TimeProvider time) => new HttpChecker(Options(), time);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) =>
        Certificates.Serve(new() { ServerCertificate = Certificates.One.Good }, static (stream, c) => AnswerAsync(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", c))(socket, ct);

    [Theory(Timeout = Limit)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready", CheckStatus.Layer7Ok, 200, "OK")]
    [InlineData("HTTP/1.1 500 Broken\r\n\r\n", CheckStatus.Layer7Status, 500, "Broken")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nre", CheckStatus.Layer7Response, 200, "closed within the body")]
    [InlineData("SSH-2.0-x\r\n", CheckStatus.Layer7Response, 0, "not HTTP")]
    public async Task Judges_the_answer_as_http_does(string answer, CheckStatus status, int code, string text)
    {
        CheckOptions options = Options();
        options.ExpectBody = "ready";
        await using ProbeServer server = ProbeServer.Start(Certificates.Serve(new() { ServerCertificate = Certificates.One.Good }, (stream, ct) => AnswerAsync(stream, answer, ct)));
        Assert.Equal(new ProbeResult(status, code, text), await new HttpChecker(options).CheckAsync(Target(server.EndPoint), Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task The_Host_is_the_name_that_the_certificate_must_have()
    {
        CheckOptions options = Options();
        options.Host = "db.example:8443";
        await using ProbeServer server = ProbeServer.Start(ServeWellAsync);
        ProbeResult result = await new HttpChecker(options).CheckAsync(Target(server.EndPoint), Ct);
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Response, 0, "certificate is not for db.example but for localhost, app.example, 127.0.0.1"), result);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "H9")]
    public async Task A_script_speaks_TLS_where_a_step_says_so()
    {
        CheckOptions options = new() { Type = "tcp-script", Tls = new() { CaFile = Certificates.One.CaFile } };
        options.Script.Add(new() { Connect = 0, Tls = true });
        await using ProbeServer server = ProbeServer.Start(ServeWellAsync);
        Assert.Equal(new ProbeResult(CheckStatus.Layer6Ok), await new ScriptChecker(options).CheckAsync(Target(server.EndPoint), Ct));
        options.Script.Add(new() { Send = "GET / HTTP/1.0\r\n\r\n" });
        options.Script.Add(new() { ExpectRegex = "^HTTP/1.[01] 200 " });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok), await new ScriptChecker(options).CheckAsync(Target(server.EndPoint), Ct));
        options.Tls.Sni = "db.example";
        Assert.Equal(CheckStatus.Layer6Response, (await new ScriptChecker(options).CheckAsync(Target(server.EndPoint), Ct)).Status);
    }

    private static CheckOptions Options() => new() { Type = "https", Tls = new() { CaFile = Certificates.One.CaFile } };

    private static async Task AnswerAsync(SslStream stream, string answer, CancellationToken ct)
    {
        byte[] buffer = new byte[1024];
        StringBuilder request = new();
        while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            int read = await stream.ReadAsync(buffer, ct);
            if (read == 0) return;
            request.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }

        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), ct);
        await stream.ShutdownAsync();
    }
}
