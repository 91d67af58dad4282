using System.Net;
using Lb.Contracts.Checkers;
using Lb.Interop.Tests.Peers;
using Lb.Transport;

namespace Lb.Interop.Tests.Transport;

/// <summary>Gateways between clients that are OpenSSL, curl and HAProxy, and nginx as the server.</summary>
[Trait("Row", "C1")]
[Trait("Row", "C2")]
[Trait("Row", "C5")]
public sealed class TlsPeerTests(TlsPeers peers) : IClassFixture<TlsPeers>
{
    private const int Limit = 120_000;

    [Theory(Timeout = Limit)]
    [InlineData("--tlsv1.3", "1.3")]
    [InlineData("--tls-max 1.2", "1.2")]
    public async Task Curl_verifies_our_certificate_and_fetches_through_us(string option, string version)
    {
        await using GatewayHost lb = await StartAsync(peers.Http, static g => g.Alpn.Add("http/1.1"));
        string said = await CurlAsync(lb, $"-v {option}");
        Assert.Contains($"SSL connection using TLSv{version}", said, StringComparison.Ordinal);
        Assert.Contains("accepted http/1.1", said.Replace("ALPN: server ", "", StringComparison.Ordinal).Replace("ALPN, server ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("SSL certificate verify ok", said, StringComparison.Ordinal);
        Assert.Contains("plain|", said, StringComparison.Ordinal);
        Assert.Equal(1, lb.Gateway.TotalConnections);
    }

    [Fact(Timeout = Limit)]
    public async Task A_big_answer_comes_to_curl_as_it_is()
    {
        await using GatewayHost lb = await StartAsync(peers.Http);
        string sums = await peers.ShellAsync($"curl -sS --cacert {Certificates.One.CaFile} --resolve app.example:{lb.EndPoint.Port}:127.0.0.1 https://app.example:{lb.EndPoint.Port}/big | sha256sum; sha256sum <www/big");
        string[] lines = sums.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(lines[1], lines[0]);
    }

    [Fact(Timeout = Limit)]
    public async Task OpenSSL_hears_the_alerts_that_are_due()
    {
        await using GatewayHost lb = await StartAsync(peers.Http, static g => (g.StrictSni, g.MinVersion) = (true, "1.3"));
        Assert.Contains("Verify return code: 0 (ok)", await OpenSslAsync(lb, "-servername app.example"), StringComparison.Ordinal);
        Assert.Contains("unrecognized name", await OpenSslAsync(lb, "-servername other.example"), StringComparison.Ordinal);
        Assert.Contains("unrecognized name", await OpenSslAsync(lb, "-noservername"), StringComparison.Ordinal);
        Assert.Contains("protocol version", await OpenSslAsync(lb, "-servername app.example -tls1_2"), StringComparison.Ordinal);
        Assert.Equal(3, lb.Gateway.Count(RelayEnd.TlsHandshakeFailed));
    }

    [Theory(Timeout = Limit)]
    [InlineData("-tls1_3")]
    [InlineData("-tls1_2")]
    public async Task OpenSSL_resumes_its_session_unless_ciphers_are_listed(string version)
    {
        await using GatewayHost lb = await StartAsync(peers.Http);
        await using GatewayHost listed = await StartAsync(peers.Http, static g =>
        {
            g.Ciphers.Add("TLS_AES_128_GCM_SHA256");
            g.Ciphers.Add("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
        });

        Assert.Equal("Reused", await AgainAsync(lb));
        Assert.Equal("New", await AgainAsync(listed));

        // The ticket of TLS 1.3 comes with the answer; with ciphers listed TLS 1.2 gives none at all.
        async Task<string> AgainAsync(GatewayHost to)
        {
            string session = $"session{to.EndPoint.Port}{version}", ask = $"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -ign_eof -connect 127.0.0.1:{to.EndPoint.Port} -servername app.example {version}";
            await peers.ShellAsync($"{ask} -sess_out {session} 2>&1");
            string said = await peers.ShellAsync($"{ask} $(test -s {session} && echo -sess_in {session}) 2>&1");
            return said.Split('\n').First(static l => l.StartsWith("Reused,", StringComparison.Ordinal) || l.StartsWith("New,", StringComparison.Ordinal)).Split(',')[0];
        }
    }

    [Fact(Timeout = Limit)]
    public async Task OpenSSL_uses_the_listed_cipher_and_no_other()
    {
        await using GatewayHost lb = await StartAsync(peers.Http, static g => g.Ciphers.Add("TLS_CHACHA20_POLY1305_SHA256"));
        Assert.Contains("Cipher is TLS_CHACHA20_POLY1305_SHA256", await OpenSslAsync(lb, "-servername app.example"), StringComparison.Ordinal);
        Assert.Contains("handshake failure", await OpenSslAsync(lb, "-servername app.example -ciphersuites TLS_AES_256_GCM_SHA384 -tls1_3"), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task Nginx_is_spoken_to_over_TLS_with_our_certificate()
    {
        await using GatewayHost lb = await StartAsync(peers.Https, null, tls => (tls.CaFile, tls.Sni, tls.CertificateFile) = (Certificates.One.CaFile, "app.example", peers.Own));
        Assert.Equal("TLSv1.3|app.example|SUCCESS", await peers.ShellAsync($"curl -sS http://127.0.0.1:{lb.EndPoint.Port}/"));
    }

    [Fact(Timeout = Limit)]
    public async Task Nginx_of_an_authority_that_is_not_ours_serves_nobody()
    {
        await using GatewayHost lb = await StartAsync(peers.Https, null, static tls => tls.Sni = "app.example");
        await Assert.ThrowsAsync<InvalidOperationException>(() => peers.ShellAsync($"curl -sS http://127.0.0.1:{lb.EndPoint.Port}/"));
        Assert.Equal(1, lb.Gateway.Count(RelayEnd.ConnectTlsFailed));
    }

    [Fact(Timeout = Limit)]
    public async Task HAProxy_verifies_us_and_shows_its_certificate()
    {
        Peer.Demand(Haproxy.Need);
        await using GatewayHost lb = await StartAsync(peers.Http, g => (g.ClientCertificate, g.CaFile) = (ClientCertificate.Required, Certificates.One.CaFile));
        IPEndPoint front = Ports.Next();
        using PeerHome home = new();
        await using Haproxy haproxy = await Haproxy.StartAsync(home, $"""
            defaults
              mode http
              timeout connect 5s
              timeout client 10s
              timeout server 10s
            listen front
              bind {front}
              server s1 127.0.0.1:{lb.EndPoint.Port} ssl verify required ca-file {Certificates.One.CaFile} verifyhost app.example sni str(app.example) crt {peers.Own}
            """);

        Assert.StartsWith("plain|", await peers.ShellAsync($"curl -sS http://{front}/"), StringComparison.Ordinal);
        Assert.Equal(0, lb.Gateway.Count(RelayEnd.TlsHandshakeFailed));
    }

    private Task<string> CurlAsync(GatewayHost lb, string options) =>
        peers.ShellAsync($"curl -sS {options} --cacert {Certificates.One.CaFile} --resolve app.example:{lb.EndPoint.Port}:127.0.0.1 https://app.example:{lb.EndPoint.Port}/ 2>&1");

    // Whether it worked is in what it says.
    private Task<string> OpenSslAsync(GatewayHost lb, string options) =>
        peers.ShellAsync($"openssl s_client -connect 127.0.0.1:{lb.EndPoint.Port} -CAfile {Certificates.One.CaFile} {options} </dev/null 2>&1; true");

    private Task<GatewayHost> StartAsync(IPEndPoint server, Action<GatewayTlsOptions>? configure = null, Action<ServerTlsOptions>? toServer = null)
    {
        GatewayTlsOptions? front = null;
        if (toServer is null)
        {
            front = new GatewayTlsOptions { Certificates = { new CertificateOptions { CertificateFile = peers.Own } } };
            configure?.Invoke(front);
        }

        ServerTlsOptions? back = toServer is null ? null : new ServerTlsOptions();
        if (back is not null) toServer!(back);
        return GatewayHost.StartAsync((options, gateway) =>
        {
            options.Pools["web"].Servers.Add(new ServerOptions { Name = "nginx", Address = server.ToString(), Tls = back });
            gateway.Tls = front;
        });
    }
}

/// <summary>nginx over HTTP and over HTTPS that wants a certificate.</summary>
public sealed class TlsPeers() : PeerFixture(Nginx.Need, OpenSsl.Need, ("/usr/bin/curl", "curl"))
{
    public IPEndPoint Http { get; } = Ports.Next();

    public IPEndPoint Https { get; } = Ports.Next();

    /// <summary>A certificate for app.example with its key, and behind it that of its authority.</summary>
    public string Own { get; private set; } = "";

    /// <summary>Runs a line in a shell, and fails when it does.</summary>
    public Task<string> ShellAsync(string line) => RunAsync(line);

    protected override async Task StartAsync(CancellationToken ct)
    {
        Directory.CreateDirectory(Home.PathOf("www"));
        byte[] big = new byte[30_000_000];
        new Random(7).NextBytes(big);
        await File.WriteAllBytesAsync(Home.PathOf("www/big"), big, ct);
        Own = Certificates.Write(Certificates.One.Good, Home.PathOf("app.pem"));
        await File.AppendAllTextAsync(Own, await File.ReadAllTextAsync(Certificates.One.CaFile, ct), ct);
        Keep(await Nginx.StartAsync(Home, Http,
            $$"""
              server { listen {{Http}}; root {{Home.PathOf("www")}}; location = / { return 200 "plain|$server_protocol"; } }
              server {
                listen {{Https}} ssl;
                ssl_certificate {{Own}}; ssl_certificate_key {{Own}}; ssl_client_certificate {{Certificates.One.CaFile}}; ssl_verify_client optional; ssl_protocols TLSv1.2 TLSv1.3;
                location / { return 200 "$ssl_protocol|$ssl_server_name|$ssl_client_verify"; }
              }
            """));
    }

    private async Task<string> RunAsync(string line)
    {
        Demand();
        return (await Peer.RunAsync(Home, ["/bin/sh", "-c", line])).TrimEnd();
    }
}
