using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Transport.Tests;

/// <summary>Gateways from code, as the README shows.</summary>
[Trait("Row", "D1")]
public sealed class VerbTests
{
    [Fact(Timeout = 60_000)]
    public async Task AddTcpGateway_makes_one_gateway_a_verb_and_one_of_several_addresses_by_a_name()
    {
        using TestServer server = new();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddServerPool("web").AddServer(server.Address);
        builder.Services.AddTcpGateway(listen: "127.0.0.1:0", pool: "web");
        builder.Services.AddTcpGateway("127.0.0.2:0", "web", name: "pair", g => g.MaxConnections = 10);
        builder.Services.AddTcpGateway("127.0.0.3:0", "web", name: "PAIR");
        using IHost host = builder.Build();
        await host.StartAsync();

        Gateways gateways = host.Services.GetRequiredService<Gateways>();
        Assert.Equal(["127.0.0.1:0", "pair"], gateways.All.Select(static g => g.Name));
        Assert.Equal(["127.0.0.2", "127.0.0.3"], gateways["Pair"].EndPoints.Select(static e => ((IPEndPoint)e).Address.ToString()));
        Assert.Equal("web", gateways["pair"].Pool?.Name);
        Assert.Null(gateways.Find("none"));
        KeyNotFoundException error = Assert.Throws<KeyNotFoundException>(() => gateways["none"]);
        Assert.Contains("127.0.0.1:0, pair", error.Message, StringComparison.Ordinal);

        foreach (EndPoint endPoint in gateways.All.SelectMany(static g => g.EndPoints).ToArray())
        {
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(endPoint);
            await client.SendAllAsync("hello"u8.ToArray());
            Socket accepted = await server.AcceptAsync();
            Assert.Equal("hello"u8.ToArray(), await accepted.ReadAsync(5));
            client.Reset();
            await accepted.ShouldBeResetAsync();
        }

        await host.StopAsync();
        Assert.Empty(gateways.All);
        Assert.Equal(0, host.Services.GetRequiredService<ServerPools>()["web"].Servers[0].InFlight);
    }

    [Fact]
    public void The_same_address_twice_is_a_fault_and_so_is_a_pool_that_does_not_exist()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddServerPool("web").AddServer("127.0.0.1:1");
        builder.Services.AddTcpGateway("127.0.0.1:8", "web").AddTcpGateway("127.0.0.1:8", "web").AddTcpGateway("127.0.0.1:0", "wep");
        using IHost host = builder.Build();
        Assert.Equal(
            [
                "Lb:Gateways:127.0.0.1:0:Pool = 'wep': is no pool; there are: web",
                "Lb:Gateways:127.0.0.1:8:Listen:1 = '127.0.0.1:8': collides with Lb:Gateways:127.0.0.1:8:Listen:0 = '127.0.0.1:8'",
            ],
            host.Services.GetRequiredService<LbConfiguration>().Validate().Select(static e => e.ToString()).Order());
    }
}
