using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Transport.Tests.Tls;

/// <summary>Gateways that end their clients' TLS.</summary>
[Trait("Row", "C1")]
public sealed class TlsGatewayTests : TlsGatewayTestBase
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_client_speaks_TLS_and_the_server_gets_what_is_inside(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(driver, l => server = l.AddServer());
        SslStream client = await ConnectAsync(lab);
        byte[] question = TlsLab.Pattern(300_000), answer = TlsLab.Pattern(2_000_000);
        Socket accepted = await server.AcceptAsync();

        await client.WriteAsync(question);
        PlainSockets.ShouldBeSame(question, await accepted.ReadAsync(question.Length));
        await accepted.SendAllAsync(answer);
        byte[] got = new byte[answer.Length];
        await client.ReadExactlyAsync(got);
        PlainSockets.ShouldBeSame(answer, got);

        // Ends go both ways, and the relay is complete.
        await client.ShutdownAsync();
        await accepted.ShouldEndAsync();
        accepted.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await client.ReadAsync(got));
        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.Completed) == 1, "one ended well");
        Assert.Equal((question.Length, answer.Length), (lab.Gateway.BytesIn, lab.Gateway.BytesOut));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task No_server_is_bothered_before_the_handshake_is_done(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(driver, l => server = l.AddServer());
        Socket plain = await lab.ClientAsync(), silent = await lab.ClientAsync();
        await plain.SendAllAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
        await plain.ShouldEndAsync();
        await lab.OpenAsync(1);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(10.1));

        await silent.ShouldEndAsync();
        await lab.OpenAsync(0);
        Assert.Equal((1, 1), (lab.Gateway.Count(RelayEnd.TlsHandshakeFailed), lab.Gateway.Count(RelayEnd.TlsHandshakeTimeout)));
        Assert.False(server.HasWaiting);
        Assert.Equal(0, lab.Pool.Servers[0].TotalLeases);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_client_cut_off_without_close_notify_is_a_reset_to_the_server(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(driver, l => server = l.AddServer());
        Socket socket = await lab.ClientAsync();
        SslStream client = await HandshakeAsync(socket, "www.example.com");
        Socket accepted = await server.AcceptAsync();
        await client.WriteAsync("half"u8.ToArray());
        await accepted.ReadAsync(4);

        socket.Shutdown(SocketShutdown.Send);

        await accepted.ShouldBeResetAsync();
        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.ClientReset) == 1, "it counts as a reset");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_name_beyond_ASCII_is_found_in_the_form_in_which_it_travels(string driver)
    {
        GatewayLab lab = await StartTlsAsync(driver, static l => l.AddServer(), o =>
        {
            Add(o, "www.example.com");
            Add(o, "xn--bcher-kva.example");
            Add(o, "*.xn--bcher-kva.example");
            Add(o, "other.example").Names.Add("grün.example");
        });
        Assert.Equal("xn--bcher-kva.example", await ShownAsync(lab, "xn--bcher-kva.example"));
        Assert.Equal("*.xn--bcher-kva.example", await ShownAsync(lab, "www.xn--bcher-kva.example"));
        Assert.Equal("other.example", await ShownAsync(lab, "xn--grn-ioa.example"));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "C1")]
    public async Task The_name_that_is_asked_for_chooses_the_certificate(string driver)
    {
        GatewayLab lab = await StartTlsAsync(driver, l => l.AddServer(backlog: 100), tls =>
        {
            Add(tls, "www.example.com");
            Add(tls, "*.example.com");
            Add(tls, "api.example.com");
            Add(tls, "*.example.org").Names.Add("renamed.example.net");
        });

        Assert.Equal("www.example.com", await ShownAsync(lab, "www.example.com"));
        Assert.Equal("*.example.com", await ShownAsync(lab, "other.example.com"));

        // An exact name goes before a wildcard, in whatever order they stand and however it is written.
        Assert.Equal("api.example.com", await ShownAsync(lab, "API.example.com"));

        // A wildcard is for one label, and not for the bare name.
        Assert.Equal("www.example.com", await ShownAsync(lab, "a.b.example.com"));
        Assert.Equal("www.example.com", await ShownAsync(lab, "example.com"));

        // Names that are set stand in for those in the certificate.
        Assert.Equal("*.example.org", await ShownAsync(lab, "renamed.example.net"));
        Assert.Equal("www.example.com", await ShownAsync(lab, "x.example.org"));

        // No name at all.
        Assert.Equal("www.example.com", await ShownAsync(lab, ""));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task With_strict_sni_an_unknown_name_is_refused_by_the_right_alert(string driver)
    {
        GatewayLab lab = await StartTlsAsync(driver, l => l.AddServer(backlog: 100), tls =>
        {
            Add(tls, "www.example.com");
            tls.StrictSni = true;
        });
        Assert.Equal("www.example.com", await ShownAsync(lab, "www.example.com"));

        foreach (string name in (string[])["other.example.com", ""])
        {
            AuthenticationException error = await Assert.ThrowsAsync<AuthenticationException>(() => ShownAsync(lab, name));
            Assert.Contains("unrecognized name", error.ToString(), StringComparison.OrdinalIgnoreCase);
        }

        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.TlsHandshakeFailed) == 2, "both are counted");
    }

    [Theory(Timeout = Timeout)]
    [InlineData(ClientCertificate.Optional)]
    [InlineData(ClientCertificate.Required)]
    [Trait("Row", "C6")]
    public async Task A_client_shows_a_certificate_if_it_must(ClientCertificate wanted)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync("epoll", l => server = l.AddServer(backlog: 100), tls =>
        {
            tls.ClientCertificate = wanted;
            tls.CaFile = TestCertificates.AuthorityFile;
        });
        using X509Certificate2 good = TestCertificates.Make("client"), stranger = TestCertificates.Make("client", selfSigned: true);

        using SslStream known = await HandshakeAsync(await lab.ClientAsync(), "www.example.com", good);
        await server.AcceptAsync();

        // The client's part of the handshake is over before it is judged: it hears of the refusal, as an end, when it reads.
        using SslStream refused = await HandshakeAsync(await lab.ClientAsync(), "www.example.com", stranger);
        Assert.Equal(0, await refused.ReadAsync(new byte[1]));
        using SslStream bare = await HandshakeAsync(await lab.ClientAsync(), "www.example.com");
        if (wanted == ClientCertificate.Optional) await server.AcceptAsync();
        else Assert.Equal(0, await bare.ReadAsync(new byte[1]));

        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.TlsHandshakeFailed) == (wanted == ClientCertificate.Optional ? 1 : 2), "who has to is refused");
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_slow_client_stops_the_server_and_loses_nothing(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(driver, l => server = l.AddServer());
        SslStream client = await ConnectAsync(lab);
        Socket accepted = await server.AcceptAsync();
        accepted.SendBufferSize = 64 * 1024;
        byte[] data = TlsLab.Pattern(40_000_000);
        Task sending = accepted.SendAllAsync(data);
        await lab.TurnsAsync();
        Assert.False(sending.IsCompleted);

        byte[] got = new byte[data.Length];
        await client.ReadExactlyAsync(got);
        await sending;

        PlainSockets.ShouldBeSame(data, got);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_quiet_client_is_told_goodbye_when_the_gateway_stops(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(driver, l => server = l.AddServer());
        SslStream client = await ConnectAsync(lab);
        await server.AcceptAsync();

        await lab.StopSoonAsync();

        // Not cut off: a read that ends without an exception has seen close_notify.
        Assert.Equal(0, await client.ReadAsync(new byte[1]));
    }
}
