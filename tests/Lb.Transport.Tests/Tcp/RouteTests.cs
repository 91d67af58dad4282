using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Transport.Tests;

/// <summary>The pool by what TLS asks for, the server by what Remote Desktop asks for; the bytes go on as they came.</summary>
[Trait("Row", "T10")]
[Trait("Row", "C10")]
public sealed class RouteTests : GatewayTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task The_name_chooses_the_pool_and_the_server_sees_every_byte(string driver)
    {
        (GatewayLab lab, TestServer web, TestServer api) = await StartAsync(driver);
        byte[] large = Hello.Records(Hello.Message("api.example", ["h2"], padding: 2000), 500);
        await ArrivesAsync(Hello.For("api.example"), api);
        await ArrivesAsync(Hello.For("API.Example."), api);
        await ArrivesAsync(large, api);
        await ArrivesAsync(large, api, step: 97);
        await ArrivesAsync(Hello.For("x.api.example"), web);
        await ArrivesAsync(Hello.For("other.example", "grpc"), api);
        await ArrivesAsync(Hello.For(null), web);
        await ArrivesAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), web);
        await ArrivesAsync([22, 3, 1, 0, 0, 1], web);
        Assert.Equal((5, 4), (lab.Host.Services.GetRequiredService<ServerPools>()["api"].Servers[0].TotalLeases, lab.Pool.Servers[0].TotalLeases));

        async Task ArrivesAsync(byte[] data, TestServer server, int step = int.MaxValue)
        {
            using Socket client = await lab.ClientAsync();
            client.NoDelay = true;
            foreach (byte[] part in data.Chunk(Math.Min(step, data.Length)))
            {
                await client.SendAllAsync(part);
                if (step < data.Length) await lab.TurnsAsync();
            }

            using Socket accepted = await server.AcceptAsync();
            Assert.Equal(data, await accepted.ReadAsync(data.Length));
            await accepted.SendAllAsync("answer"u8.ToArray());
            Assert.Equal("answer"u8.ToArray(), await client.ReadAsync(6));
            client.Shutdown(SocketShutdown.Send);
            await accepted.ShouldEndAsync();
        }
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Who_says_nothing_in_time_goes_to_the_gateways_pool(string driver)
    {
        (GatewayLab lab, TestServer web, _) = await StartAsync(driver);
        using Socket silent = await lab.ClientAsync(), slow = await lab.ClientAsync();
        byte[] part = Hello.For("api.example")[..20];
        await slow.SendAllAsync(part);
        await lab.OpenAsync(2);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(4));
        Assert.False(web.HasWaiting);
        await lab.AdvanceAsync(TimeSpan.FromSeconds(2));
        using Socket first = await web.AcceptAsync(), second = await web.AcceptAsync();
        (Socket forSilent, Socket forSlow) = ReferenceEquals(await ReadableAsync(first, second), first) ? (second, first) : (first, second);
        Assert.Equal(part, await forSlow.ReadAsync(part.Length));
        await forSilent.SendAllAsync("220 ready"u8.ToArray());
        Assert.Equal("220 ready"u8.ToArray(), await silent.ReadAsync(9));
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task Who_ends_before_it_is_known_is_served_with_what_it_said(string driver)
    {
        (GatewayLab lab, TestServer web, _) = await StartAsync(driver);
        using Socket client = await lab.ClientAsync();
        byte[] part = Hello.For("api.example")[..20];
        await client.SendAllAsync(part);
        client.Shutdown(SocketShutdown.Send);
        using Socket accepted = await web.AcceptAsync();
        Assert.Equal(part, await accepted.ReadToEndAsync());
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    public async Task A_name_behind_a_header_is_found(string driver)
    {
        (GatewayLab lab, _, TestServer api) = await StartAsync(driver, static g => g.AcceptProxy = new AcceptProxyOptions());
        byte[] hello = Hello.For("api.example");
        foreach (int cut in (int[])[0, 5, 15, 20, 15 + hello.Length])
        {
            byte[] all = [.. "PROXY UNKNOWN\r\n"u8, .. hello];
            using Socket client = await lab.ClientAsync();
            client.NoDelay = true;
            await client.SendAllAsync(all.AsMemory(0, cut));
            await lab.TurnsAsync();
            await client.SendAllAsync(all.AsMemory(cut));
            using Socket accepted = await api.AcceptAsync();
            Assert.Equal(hello, await accepted.ReadAsync(hello.Length));
        }
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "K8")]
    public async Task A_Remote_Desktop_client_comes_to_the_server_its_cookie_names(string driver)
    {
        TestServer a = null!, b = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            a = l.AddServer("a");
            b = l.AddServer("b");
            l.SetPool(static p => p.Persistence.Type = "rdp-cookie");
        });
        foreach (TestServer server in (TestServer[])[b, b, a, b, a, a])
        {
            // 127.0.0.1 and the port, as a broker writes them.
            int port = server.EndPoint.Port;
            byte[] request = RdpFuzz.Request($"Cookie: msts=16777343.{((port & 255) << 8) | (port >> 8)}.0000\r\n");
            using Socket client = await lab.ClientAsync();
            await client.SendAllAsync(request);
            using Socket accepted = await server.AcceptAsync();
            Assert.Equal(request, await accepted.ReadAsync(request.Length));
        }
    }

    [Theory(Timeout = Timeout)]
    [ClassData(typeof(Drivers))]
    [Trait("Row", "S13")]
    public async Task A_Remote_Desktop_user_comes_to_the_same_server_each_time(string driver)
    {
        GatewayLab lab = await StartAsync(driver, static l =>
        {
            for (int i = 0; i < 4; i++) l.AddServer();
            l.SetPool(static p => p.Balance = "rdp-cookie");
        });
        foreach (string user in (string[])["alice", "bob", "carol", "dave"])
        {
            long[] before = [.. lab.Pool.Servers.Select(static s => s.TotalLeases)];
            for (int i = 0; i < 4; i++)
            {
                using Socket client = await lab.ClientAsync();
                await client.SendAllAsync(RdpFuzz.Request($"Cookie: mstshash={user}\r\n"));
                await Wait.UntilAsync(() => lab.Pool.Servers.Sum(static s => s.TotalLeases) == before.Sum() + i + 1, "the client has a server");
            }

            Assert.Equal([0, 0, 0, 4], lab.Pool.Servers.Select((s, i) => s.TotalLeases - before[i]).Order());
        }
    }

    private async Task<(GatewayLab Lab, TestServer Web, TestServer Api)> StartAsync(string driver, Action<GatewayOptions>? configure = null)
    {
        TestServer web = null!, api = null!;
        GatewayLab lab = await StartAsync(driver, l =>
        {
            web = l.AddServer();
            api = l.Own(new TestServer());
            l.Configure.Add(options => (options.Pools["api"] = new PoolOptions()).Servers.Add(new ServerOptions { Name = "api", Address = api.Address }));
            l.SetGateway(g =>
            {
                g.Routes.Add(new RouteOptions { Pool = "api", Sni = { "api.example" } });
                g.Routes.Add(new RouteOptions { Pool = "api", Alpn = { "grpc" } });
                configure?.Invoke(g);
            });
        });
        return (lab, web, api);
    }

    private static async Task<Socket> ReadableAsync(Socket one, Socket other)
    {
        await Wait.UntilAsync(() => !one.IsQuiet() || !other.IsQuiet(), "one of them has something to read");
        return one.IsQuiet() ? other : one;
    }
}
