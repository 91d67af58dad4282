using System.Net.Sockets;
using System.Text;

namespace Lb.Transport.Tests.Operations;

/// <summary>Mode health: what another balancer learns by probing this node.</summary>
[Trait("Row", "T17")]
public sealed class HealthGatewayTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_tcp_probe_hears_OK_and_the_end(string driver)
    {
        GatewayLab lab = await StartHealthAsync(driver);
        Socket probe = await lab.ClientAsync();
        Assert.Equal("OK\n", Encoding.ASCII.GetString(await probe.ReadToEndAsync()));
        probe.Shutdown(SocketShutdown.Send);
        HealthGateway gateway = Health(lab);
        await Wait.UntilAsync(() => gateway.OpenConnections == 0, "the probe is over");
        Assert.Equal((1, 0, 3), (gateway.TotalConnections, gateway.Failures, gateway.BytesOut));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task An_http_probe_hears_200_after_it_has_asked(string driver)
    {
        GatewayLab lab = await StartHealthAsync(driver, static g => g.Respond = "http");
        Socket probe = await lab.ClientAsync();
        await lab.TurnsAsync();
        Assert.True(probe.IsQuiet());
        await probe.SendAllAsync("GET /health HTTP/1.1\r\nHost: node\r\n\r\n"u8.ToArray());
        string answer = Encoding.ASCII.GetString(await probe.ReadToEndAsync());
        Assert.StartsWith("HTTP/1.0 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nOK\n", answer, StringComparison.Ordinal);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Without_enough_servers_a_tcp_probe_is_reset_and_an_http_probe_hears_503(string driver)
    {
        GatewayLab lab = await StartHealthAsync(driver, static g => (g.Pool, g.MinServers) = ("web", 2));
        GatewayLab http = await StartHealthAsync(driver, static g => (g.Pool, g.MinServers, g.Respond) = ("web", 2, "http"));
        await (await lab.ClientAsync()).ReadToEndAsync();
        foreach (GatewayLab l in (GatewayLab[])[lab, http]) l.Pool.SetHealth(l.Pool.Servers[0], ServerHealth.Down);

        await ShouldBeResetAsync(lab);
        Socket probe = await http.ClientAsync();
        await probe.SendAllAsync("HEAD / HTTP/1.0\r\n\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.0 503 Service Unavailable\r\n", Encoding.ASCII.GetString(await probe.ReadToEndAsync()), StringComparison.Ordinal);
        Assert.Equal((1, 1), (Health(lab).Failures, Health(http).Failures));

        lab.Pool.SetHealth(lab.Pool.Servers[0], ServerHealth.Up);
        Assert.Equal("OK\n", Encoding.ASCII.GetString(await (await lab.ClientAsync()).ReadToEndAsync()));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_pool_below_its_quorum_fails_probes(string driver)
    {
        GatewayLab lab = await StartHealthAsync(driver, static g => g.Pool = "web", static l => l.SetPool(static p => p.Quorum = 2));
        Assert.NotEmpty(await (await lab.ClientAsync()).ReadToEndAsync());
        lab.Pool.SetHealth(lab.Pool.Servers[1], ServerHealth.Down);
        await ShouldBeResetAsync(lab);
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_prober_that_does_not_leave_or_talks_too_much_is_closed(string driver)
    {
        GatewayLab lab = await StartHealthAsync(driver);
        Socket silent = await lab.ClientAsync();
        await silent.ReadAsync(3);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(6));
        HealthGateway gateway = Health(lab);
        await Wait.UntilAsync(() => gateway.OpenConnections == 0, "the silent one is gone");

        Socket noisy = await lab.ClientAsync();
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (true) await noisy.SendAllAsync(new byte[4096]);
        });
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_reload_changes_what_it_answers(string driver)
    {
        bool isHttp = false;
        GatewayLab lab = await StartHealthAsync(driver, g => g.Respond = isHttp ? "http" : "tcp");
        isHttp = true;
        Assert.Empty(await lab.ReloadAsync());
        Socket probe = await lab.ClientAsync();
        probe.Shutdown(SocketShutdown.Send);
        Assert.StartsWith("HTTP/1.0 200", Encoding.ASCII.GetString(await probe.ReadToEndAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_gateway_of_another_mode_needs_its_pool()
    {
        GatewayLab lab = Make("managed", static l =>
        {
            l.AddServer();
            l.SetGateway(static g => g.Pool = "");
        });
        lab.Build();
        Assert.Equal(new ConfigurationError("Lb:Gateways:gate:Pool", "", "is required and must not be empty"), Assert.Single(lab.Configuration.Validate()));
    }

    // The reset may be there before the connect has told.
    private static async Task ShouldBeResetAsync(GatewayLab lab)
    {
        SocketException error = await Assert.ThrowsAsync<SocketException>(async () => await (await lab.ClientAsync()).ReadToEndAsync());
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    private static HealthGateway Health(GatewayLab lab) => (HealthGateway)lab.Gateways["gate"];

    private Task<GatewayLab> StartHealthAsync(string driver, Action<GatewayOptions>? configure = null, Action<GatewayLab>? also = null) => StartAsync(driver, l =>
    {
        l.AddServer();
        l.AddServer();
        l.SetGateway(g =>
        {
            (g.Mode, g.Pool) = ("health", "");
            configure?.Invoke(g);
        });
        also?.Invoke(l);
    });
}
