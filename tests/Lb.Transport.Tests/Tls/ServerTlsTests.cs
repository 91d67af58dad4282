using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Transport.Tests.Tls;

/// <summary>TLS from the gateway to its servers.</summary>
[Trait("Row", "C5")]
public sealed class ServerTlsTests : TlsGatewayTestBase
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_plain_client_reaches_a_server_over_TLS(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = Add(l, tls => tls.Sni = "app.example.com"));
        Socket client = await lab.ClientAsync();
        SslStream accepted = await AcceptAsync(server, "app.example.com");
        byte[] question = TlsLab.Pattern(1_000_000), got = new byte[question.Length];

        Task sending = client.SendAllAsync(question);
        await accepted.ReadExactlyAsync(got);
        await sending;
        PlainSockets.ShouldBeSame(question, got);
        Assert.Equal("app.example.com", accepted.TargetHostName);

        await accepted.WriteAsync("answer"u8.ToArray());
        Assert.Equal("answer"u8.ToArray(), await client.ReadAsync(6));
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await accepted.ReadAsync(got));
        await accepted.ShutdownAsync();
        await client.ShouldEndAsync();
        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.Completed) == 1, "it ends well");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task An_answer_that_is_cut_off_after_the_clients_end_is_no_whole_one(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l => server = Add(l, tls => tls.Sni = "app.example.com"));
        Socket client = await lab.ClientAsync();
        Socket socket = await server.AcceptAsync();
        using X509Certificate2 own = TestCertificates.Make("app.example.com");
        SslStream accepted = await HandshakeAsServerAsync(socket, own);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await accepted.ReadAsync(new byte[1]));
        await accepted.WriteAsync("half"u8.ToArray());
        Assert.Equal("half"u8.ToArray(), await client.ReadAsync(4));

        socket.Shutdown(SocketShutdown.Send);

        await client.ShouldBeResetAsync();
        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.ServerReset) == 1, "it counts as a reset");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task TLS_on_both_sides_carries_bytes_both_ways(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(driver, l => server = Add(l, tls => tls.Sni = "app.example.com"));
        SslStream client = await ConnectAsync(lab);
        SslStream accepted = await AcceptAsync(server, "app.example.com");
        byte[] data = TlsLab.Pattern(3_000_000), got = new byte[data.Length];

        Task sending = client.WriteAsync(data).AsTask();
        await accepted.ReadExactlyAsync(got);
        await sending;
        PlainSockets.ShouldBeSame(data, got);
        sending = accepted.WriteAsync(data).AsTask();
        await client.ReadExactlyAsync(got);
        await sending;
        PlainSockets.ShouldBeSame(data, got);
    }

    public static TheoryData<string, string, string> BadServers => new()
    {
        { "of another name", "other.example.com", "" },
        { "expired", "app.example.com", "expired" },
        { "of an unknown authority", "app.example.com", "self" },
        { "for which VerifyHost wants another", "app.example.com", "host" },
    };

    [Theory(Timeout = Timeout)]
    [MemberData(nameof(BadServers))]
    public async Task A_server_with_a_certificate_that_is(string what, string name, string how)
    {
        TestServer bad = null!, good = null!;
        GatewayLab lab = await StartAsync("epoll", l =>
        {
            bad = Add(l, tls =>
            {
                tls.Sni = "app.example.com";
                tls.VerifyHost = how == "host" ? "db.example.com" : null;
            });
            good = l.AddServer();
            l.SetPool(static p => p.Retries = 1);
        });
        Socket client = await lab.ClientAsync();
        using X509Certificate2 wrong = TestCertificates.Make(name, isExpired: how == "expired", selfSigned: how == "self");

        // It is left alone and the client gets another one.
        await Assert.ThrowsAnyAsync<Exception>(async () => await (await HandshakeAsServerAsync(await bad.AcceptAsync(), wrong)).ReadExactlyAsync(new byte[1]));
        Socket accepted = await good.AcceptAsync();
        await client.SendAllAsync(new byte[10]);
        await accepted.ReadAsync(10);

        Assert.True(lab.Pool.Servers[0].TotalFailures == 1, what);
        Assert.Equal(1, lab.Gateway.Retries);
    }

    [Fact(Timeout = Timeout)]
    public async Task Without_verification_any_certificate_will_do()
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync("epoll", l => server = Add(l, tls => tls.Verify = ServerVerify.None));
        Socket client = await lab.ClientAsync();
        using X509Certificate2 any = TestCertificates.Make("whoever", isExpired: true, selfSigned: true);
        SslStream accepted = await HandshakeAsServerAsync(await server.AcceptAsync(), any);
        await client.SendAllAsync("x"u8.ToArray());

        await accepted.ReadExactlyAsync(new byte[1]);
    }

    [Fact(Timeout = Timeout)]
    public async Task VerifyHost_is_the_name_that_counts()
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync("epoll", l => server = Add(l, tls => (tls.Sni, tls.VerifyHost) = ("app.example.com", "db.example.com")));
        Socket client = await lab.ClientAsync();
        SslStream accepted = await AcceptAsync(server, "db.example.com");
        await client.SendAllAsync("x"u8.ToArray());

        await accepted.ReadExactlyAsync(new byte[1]);
        Assert.Equal("app.example.com", accepted.TargetHostName);
    }

    [Fact(Timeout = Timeout)]
    public async Task Our_own_certificate_version_and_protocol_are_offered()
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync("epoll", l => server = Add(l, tls =>
        {
            tls.Sni = "app.example.com";
            tls.CertificateFile = Files.MakeFile("balancer.example.com");
            tls.MinVersion = "1.3";
            tls.Alpn.Add("h2");
        }));
        await lab.ClientAsync();
        using X509Certificate2 own = TestCertificates.Make("app.example.com");
        SslStream stream = new(new NetworkStream(await server.AcceptAsync(), ownsSocket: false));
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = own,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is X509Certificate2 c && CertificateFiles.NamesOf(c)[0] == "balancer.example.com",
            ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2],
        });

        Assert.Equal(SslApplicationProtocol.Http2, stream.NegotiatedApplicationProtocol);
        Assert.Equal(System.Security.Authentication.SslProtocols.Tls13, stream.SslProtocol);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task The_time_to_connect_holds_for_the_handshake_too(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = Add(l, tls => tls.Sni = "app.example.com");
            l.SetPool(static p => (p.Retries, p.ConnectTimeout) = (0, TimeSpan.FromSeconds(2)));
        });
        Socket client = await lab.ClientAsync();
        Socket accepted = await server.AcceptAsync();
        await accepted.ReadAsync(1);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(2.1));

        await client.ShouldEndAsync();
        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.ConnectTimeout) == 1, "it counts as a connect that took too long");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_server_that_does_not_speak_TLS_is_named_as_such(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            server = Add(l, tls => tls.Sni = "app.example.com");
            l.SetPool(static p => p.Retries = 0);
        });
        Socket client = await lab.ClientAsync();
        await (await server.AcceptAsync()).SendAllAsync("220 mail.example.com ESMTP\r\n"u8.ToArray());

        await client.ShouldEndAsync();
        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.ConnectTlsFailed) == 1, "it counts as what it is");
    }

    private static TestServer Add(GatewayLab lab, Action<ServerTlsOptions> configure) => lab.AddServer(configure: s =>
    {
        s.Tls = new ServerTlsOptions { CaFile = TestCertificates.AuthorityFile };
        configure(s.Tls);
    });

    private static async Task<SslStream> AcceptAsync(TestServer server, string name)
    {
        using X509Certificate2 own = TestCertificates.Make(name);
        return await HandshakeAsServerAsync(await server.AcceptAsync(), own);
    }

    private static async Task<SslStream> HandshakeAsServerAsync(Socket socket, X509Certificate2 own)
    {
        SslStream stream = new(new NetworkStream(socket, ownsSocket: false));
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = own });
        return stream;
    }
}
