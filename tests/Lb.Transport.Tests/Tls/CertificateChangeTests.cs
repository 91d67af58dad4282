using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Transport.Tests.Tls;

/// <summary>Certificates that change while the gateway runs: all or nothing, and nobody is cut off.</summary>
[Trait("Row", "C3")]
public sealed class CertificateChangeTests : TlsGatewayTestBase
{
    private const int Timeout = 60_000;
    private const int Refused = 4401;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_file_that_changes_is_shown_after_the_next_look_and_old_connections_live_on(string driver)
    {
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(driver, l => server = l.AddServer(backlog: 100));
        SslStream old = await ConnectAsync(lab);
        Socket accepted = await server.AcceptAsync();
        string before = await SerialAsync(lab);

        Files.MakeFile("www.example.com");
        Assert.Equal(before, await SerialAsync(lab));
        lab.Time.Advance(TimeSpan.FromSeconds(10));

        string after = await SerialAsync(lab);
        Assert.NotEqual(before, after);
        Assert.Equal(after, X509CertificateLoader.LoadCertificateFromFile(Files.PathOf("www.example.com.pem")).SerialNumber);
        await old.WriteAsync("still here"u8.ToArray());
        await accepted.ReadAsync(10);
    }

    [Fact(Timeout = Timeout)]
    public async Task One_bad_file_keeps_all_of_the_old_ones_until_it_is_good_again()
    {
        GatewayLab lab = await StartTlsAsync("epoll", l => l.AddServer(backlog: 100), tls =>
        {
            Add(tls, "www.example.com");
            Add(tls, "api.example.com");
        });
        GatewayCertificates certificates = lab.Gateway.Certificates!;
        string www = await SerialAsync(lab), api = await SerialAsync(lab, "api.example.com");
        Files.MakeFile("www.example.com");
        string good = File.ReadAllText(Files.PathOf("api.example.com.pem"));
        Files.Write("api.example.com.pem", good[..200]);

        lab.Time.Advance(TimeSpan.FromSeconds(10));
        lab.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((www, api), (await SerialAsync(lab), await SerialAsync(lab, "api.example.com")));
        Assert.Contains("api.example.com.pem", certificates.LastError, StringComparison.Ordinal);
        Assert.False(certificates.Reload());

        // Told once, not every time it is looked at.
        Assert.Equal(1, lab.Logged.Count(Refused));

        Files.Write("api.example.com.pem", good);
        lab.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(certificates.LastError);
        Assert.NotEqual(www, await SerialAsync(lab));
        Assert.Equal(api, await SerialAsync(lab, "api.example.com"));
    }

    [Fact(Timeout = Timeout)]
    public async Task A_directory_is_followed_as_files_come_and_go()
    {
        string first = Files.MakeFile("a.example.com", "certs/a.pem");
        GatewayLab lab = await StartTlsAsync("epoll", l => l.AddServer(backlog: 100), tls => tls.CertificateDirectory = Path.GetDirectoryName(first));
        Assert.Equal("a.example.com", await ShownAsync(lab, "b.example.com"));

        // The key beside it, and a file that is none of ours.
        using X509Certificate2 second = TestCertificates.Make("b.example.com");
        Files.Write("certs/b.key", TestCertificates.KeyOf(second));
        Files.Write("certs/b.crt", second.ExportCertificatePem());
        Files.Write("certs/README.md", "nothing");
        lab.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("b.example.com", await ShownAsync(lab, "b.example.com"));
        Assert.Equal(2, lab.Gateway.Certificates!.All.Count);

        File.Delete(first);
        lab.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("b.example.com", await ShownAsync(lab, "a.example.com"));
    }

    [Fact(Timeout = Timeout)]
    public async Task Code_sets_certificates_until_they_are_read_from_the_files_again()
    {
        GatewayLab lab = await StartTlsAsync("epoll", l => l.AddServer(backlog: 100));
        GatewayCertificates certificates = lab.Gateway.Certificates!;
        string file = await SerialAsync(lab);
        X509Certificate2 own = TestCertificates.Make("www.example.com");

        certificates.Set(own, TestCertificates.Authority);
        Assert.Equal(own.SerialNumber, await SerialAsync(lab));
        Assert.Equal(("code", own.Thumbprint), (certificates.All[0].Source, certificates.All[0].Thumbprint));

        // What was set is not undone by a look at the files.
        Files.MakeFile("www.example.com");
        lab.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(own.SerialNumber, await SerialAsync(lab));
        Assert.Throws<ArgumentException>(() => certificates.Set(TestCertificates.Authority));

        Assert.True(certificates.Reload());
        Assert.NotEqual(file, await SerialAsync(lab));
        Assert.NotEqual(own.SerialNumber, await SerialAsync(lab));
    }

    [Fact(Timeout = Timeout)]
    public async Task One_that_has_expired_is_told_of_and_shown_all_the_same()
    {
        const int NotValid = 4402;
        GatewayLab lab = await StartTlsAsync(
            "epoll",
            l => l.AddServer(backlog: 100),
            tls => tls.Certificates.Add(new CertificateOptions { CertificateFile = Files.MakeFile("www.example.com", isExpired: true) }));

        Assert.Equal(1, lab.Logged.Count(NotValid));
        GatewayCertificate shown = Assert.Single(lab.Gateway.Certificates!.All);
        Assert.Equal(new DateTime(2021, 2, 3, 0, 0, 0, DateTimeKind.Utc), shown.NotAfter.UtcDateTime);
        Assert.Equal((Files.PathOf("www.example.com.pem"), "www.example.com"), (shown.Source, Assert.Single(shown.Names)));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Changes_under_load_lose_no_connection(string driver)
    {
        const int Clients = 8, Rounds = 25;
        TestServer server = null!;
        GatewayLab lab = await StartTlsAsync(driver, l => server = l.AddServer(backlog: 512));
        Task serving = ServeAsync(server, Clients * Rounds);
        Task[] clients = [.. Enumerable.Range(0, Clients).Select(_ => Task.Run(RunAsync))];
        int changes = 0;
        while (!Task.WhenAll(clients).IsCompleted)
        {
            Files.MakeFile("www.example.com");
            Assert.True(lab.Gateway.Certificates!.Reload());
            changes++;
            await lab.TurnsAsync();
        }

        await Task.WhenAll(clients);
        await serving;
        Assert.True(changes > 1);
        await Wait.UntilAsync(() => lab.Gateway.Count(RelayEnd.Completed) == Clients * Rounds, "every connection ends well");

        async Task RunAsync()
        {
            for (int i = 0; i < Rounds; i++)
            {
                SslStream client = await ConnectAsync(lab);
                await client.WriteAsync(new byte[100]);
                await client.ReadExactlyAsync(new byte[100]);
                await client.ShutdownAsync();
                Assert.Equal(0, await client.ReadAsync(new byte[1]));
            }
        }
    }

    [Fact(Timeout = Timeout)]
    public async Task A_reload_of_the_configuration_brings_TLS_changes_it_and_takes_it_away()
    {
        GatewayLab lab = await StartAsync("epoll", l => l.AddServer(backlog: 100));
        Assert.Null(lab.Gateway.Certificates);

        GatewayTlsOptions tls = new();
        Add(tls, "www.example.com");
        lab.SetGateway(g => g.Tls = tls);
        Assert.Empty(await lab.ReloadAsync());
        Assert.Equal("www.example.com", await ShownAsync(lab, "www.example.com"));
        GatewayCertificates certificates = lab.Gateway.Certificates!;

        tls = new GatewayTlsOptions();
        Add(tls, "api.example.com");
        lab.SetGateway(g => g.Tls = tls);
        Assert.Empty(await lab.ReloadAsync());
        Assert.Equal("api.example.com", await ShownAsync(lab, "www.example.com"));
        Assert.Same(certificates, lab.Gateway.Certificates);

        // A reload with a bad file is refused as a whole.
        Files.Write("api.example.com.pem", "nothing");
        IReadOnlyList<ConfigurationError> errors = await lab.ReloadAsync();
        Assert.Equal("Lb:Gateways:gate:Tls:Certificates:0:CertificateFile", Assert.Single(errors).Path);
        Assert.Equal("api.example.com", await ShownAsync(lab, "www.example.com"));

        lab.SetGateway(static g => g.Tls = null);
        Assert.Empty(await lab.ReloadAsync());
        Assert.Null(lab.Gateway.Certificates);
    }

    private static async Task ServeAsync(TestServer server, int count)
    {
        for (int i = 0; i < count; i++) _ = EchoAsync(await server.AcceptAsync());

        static async Task EchoAsync(Socket socket)
        {
            byte[] data = new byte[4096];
            while (await socket.ReceiveAsync(data) is > 0 and int got) await socket.SendAllAsync(data.AsMemory(0, got));
            socket.Shutdown(SocketShutdown.Send);
        }
    }
}
