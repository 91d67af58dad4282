using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Transport.Tests.Udp;

/// <summary>UDP gateways from configuration and from code, and what a collector sees of them.</summary>
[Trait("Row", "T2")]
public sealed class ConfigurationTests : UdpGatewayTests
{
    [Fact]
    public void All_keys_are_read()
    {
        LbOptions options = Read("""{ "Mode": "udp", "Listen": [ "127.0.0.1:0" ], "Pool": "dns", "IdleTimeout": "20s", "Responses": 1, "Requests": 5, "MaxConnections": 9 }""", out string[] errors);

        Assert.Empty(errors);
        GatewayOptions gateway = options.Gateways["gate"];
        Assert.Equal((TimeSpan.FromSeconds(20), 1, 5, 9), (gateway.IdleTimeout, gateway.Responses, gateway.Requests, gateway.MaxConnections));
    }

    [Theory]
    [InlineData("\"ClientTimeout\": \"5s\"", "ClientTimeout = '5s': has no meaning with Mode udp: set IdleTimeout")]
    [InlineData("\"ClientFinTimeout\": \"5s\"", "ClientFinTimeout = '5s': has no meaning with Mode udp: set IdleTimeout")]
    [InlineData("\"CloseSpreadTime\": \"5s\"", "CloseSpreadTime = '5s': has no meaning with Mode udp: there are no connections to close")]
    [InlineData("\"Backlog\": 5", "Backlog = '5': has no meaning with Mode udp: nothing waits to be accepted")]
    [InlineData("\"SessionRate\": 5", "SessionRate = '5': has no meaning with Mode udp: datagrams can't wait; limit sessions by MaxConnections")]
    [InlineData("\"Tcp\": { \"DeferAccept\": \"5s\" }", "Tcp:DeferAccept = '5s': has no meaning with Mode udp: it is an option of TCP")]
    [InlineData("\"Tcp\": { \"NoDelay\": false }", "Tcp:NoDelay = 'false': has no meaning with Mode udp: it is an option of TCP")]
    [InlineData("\"QueuePriority\": { \"Offset\": \"5s\" }", "QueuePriority:Offset = '5s': has no meaning with Mode udp: datagrams can't wait")]
    [InlineData("\"InspectDelay\": \"1s\"", "InspectDelay = '1s': has no meaning with Mode udp: datagrams are not looked into")]
    [InlineData("\"Responses\": 70000", "Responses = '70000': must be 0 to 65535")]
    [InlineData("\"Requests\": -1", "Requests = '-1': must be 0 to 1000000000")]
    [InlineData("\"IdleTimeout\": 0", "IdleTimeout = '0s': must be a duration above 0 and at most 24d")]
    public void What_has_no_meaning_is_refused_with_its_path(string key, string expected)
    {
        Read($$"""{ "Mode": "udp", "Listen": [ "127.0.0.1:0" ], "Pool": "dns", {{key}} }""", out string[] errors);
        Assert.Equal([$"Lb:Gateways:gate:{expected}"], errors);
    }

    [Theory]
    [InlineData("\"IdleTimeout\": \"5s\"", "IdleTimeout = '5s'")]
    [InlineData("\"Responses\": 0", "Responses = '0'")]
    [InlineData("\"Requests\": 3", "Requests = '3'")]
    public void Keys_of_UDP_are_refused_for_TCP(string key, string expected)
    {
        Read($$"""{ "Listen": [ "127.0.0.1:0" ], "Pool": "dns", {{key}} }""", out string[] errors);
        Assert.Equal([$"Lb:Gateways:gate:{expected}: has a meaning only with Mode udp, not tcp"], errors);
    }

    [Fact]
    public void A_Unix_socket_is_refused()
    {
        Read("""{ "Mode": "udp", "Listen": [ "unix:/tmp/x.sock" ], "Pool": "dns" }""", out string[] errors);
        Assert.Contains("Lb:Gateways:gate:Listen:0 = 'unix:/tmp/x.sock': must be address:port with Mode udp", errors);
    }

    [Fact(Timeout = Timeout)]
    [Trait("Row", "D1")]
    public async Task AddUdpGateway_makes_a_gateway()
    {
        using UdpPeer server = new(), client = new();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddServerPool("dns").AddServer(server.EndPoint.ToString());
        builder.Services.AddUdpGateway("127.0.0.1:0", "dns", configure: static g => g.Responses = 1);
        using IHost host = builder.Build();
        await host.StartAsync();

        Gateway gateway = host.Services.GetRequiredService<Gateways>()["127.0.0.1:0/udp"];
        Assert.Equal(("udp", "dns"), (gateway.Mode, gateway.Pool?.Name));
        await client.AskAsync(gateway.EndPoints[0], server);
        await host.StopAsync();
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "O11")]
    public async Task The_meter_tells_of_sessions_datagrams_and_drops(string driver)
    {
        UdpPeer server = null!;
        GatewayLab lab = await StartUdpAsync(driver, l =>
        {
            server = l.AddUdpServer();
            l.SetGateway(static g => g.Responses = 1);
        });
        await lab.Client().AskAsync(lab.At(), server, "four");
        await lab.EndedAsync(UdpEnd.Completed);
        lab.Pool.SetAdmin(lab.Pool.Servers[0], ServerAdmin.Maintenance);
        lab.Client().Send(lab.At(), "lost");
        await lab.DroppedAsync(UdpDrop.NoServer);

        Dictionary<string, double> seen = MetricsTests.Collect(lab);
        Assert.Equal(0, seen["lb.gateway.open_connections gate"]);
        Assert.Equal(1, seen["lb.gateway.connections gate"]);
        Assert.Equal((8, 7), (seen["lb.gateway.bytes_in gate"], seen["lb.gateway.bytes_out gate"]));
        Assert.Equal((2, 1), (seen["lb.gateway.datagrams_in gate"], seen["lb.gateway.datagrams_out gate"]));
        Assert.Equal(1, seen["lb.gateway.ends gate Completed"]);
        Assert.Equal(1, seen["lb.gateway.datagrams_dropped gate NoServer"]);
        Assert.Equal(0, seen["lb.gateway.datagrams_dropped gate ServersFull"]);
    }

    private static LbOptions Read(string gateway, out string[] errors)
    {
        string json = $$"""{ "Lb": { "Pools": { "dns": { "Servers": [ { "Name": "s1", "Address": "127.0.0.1:53" } ] } }, "Gateways": { "gate": {{gateway}} } } }""";
        ConfigurationBuilder configuration = new();
        configuration.AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json)));
        ServiceCollection services = new();
        services.AddLb(configuration.Build().GetSection("Lb")).AddGateways();
        using ServiceProvider provider = services.BuildServiceProvider();
        LbConfiguration read = provider.GetRequiredService<LbConfiguration>();
        errors = [.. read.Validate().Select(static e => e.ToString())];
        return provider.GetRequiredService<Microsoft.Extensions.Options.IOptions<LbOptions>>().Value;
    }
}
