using System.Net;
using System.Net.Sockets;
using Lb.Interop.Tests.Peers;
using Lb.Vrrp.Tests;

namespace Lb.Interop.Tests.Transport;

/// <summary>
/// <c>Source: clientip</c> as it is meant: client, balancer and server in networks of their own, the server's way back leads over the balancer, and the
/// server sees the client's address though it talks to us.
/// </summary>
[Trait("Row", "T11")]
public sealed class TransparentSourceTests
{
    private static readonly IPAddress s_client = IPAddress.Parse("10.81.0.2");
    private static readonly IPEndPoint s_front = IPEndPoint.Parse("10.81.0.1:8000"), s_server = IPEndPoint.Parse("10.82.0.2:9000");

    [Theory(Timeout = 120_000)]
    [InlineData("epoll")]
    [InlineData("managed")]
    public async Task The_server_sees_the_clients_own_address(string driver)
    {
        Peer.Demand(("/usr/sbin/ip", "iproute2"));
        using TestNamespace balancer = TestNamespace.Make(), near = TestNamespace.Make(), far = TestNamespace.Make();
        using PeerHome home = new();
        Join(near, balancer, "l0", "10.81.0.2/24", "10.81.0.1/24");
        Join(far, balancer, "l1", "10.82.0.2/24", "10.82.0.1/24");
        far.Ip("route", "add", "default", "via", "10.82.0.1");
        TakeAnswers(balancer);
        using Socket listener = far.Run(static () =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(s_server);
            socket.Listen();
            return socket;
        });
        string file = home.Write("lb.json", $$"""
            { "Lb": { "Transport": { "Driver": "{{driver}}", "Loops": 1 },
              "Pools": { "web": { "Source": "clientip", "Servers": [ { "Address": "{{s_server}}" } ] } },
              "Gateways": { "front": { "Listen": [ "{{s_front}}" ], "Pool": "web" } } } }
            """);
        await using Peer lb = Peer.Start(home, ["/usr/sbin/ip", "netns", "exec", balancer.Name, Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "/usr/bin/dotnet", Path.Combine(AppContext.BaseDirectory, "lb.dll"), "run", "-c", file]);
        await lb.Lines.WhenAsync(static line => line.Contains("listens on", StringComparison.Ordinal));

        using Socket client = near.Run(static () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(s_front);
        using Socket accepted = await listener.AcceptAsync();

        Assert.Equal(s_client, ((IPEndPoint)accepted.RemoteEndPoint!).Address);
        await accepted.SendAsync("hello"u8.ToArray());
        byte[] heard = new byte[5];
        for (int got = 0; got < heard.Length;) got += await client.ReceiveAsync(heard.AsMemory(got));
        Assert.Equal("hello"u8.ToArray(), heard);
    }

    private static void Join(TestNamespace outer, TestNamespace balancer, string device, string address, string gateway)
    {
        balancer.Ip("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", outer.Name);
        outer.Ip("addr", "add", address, "dev", "eth0");
        outer.Ip("link", "set", "eth0", "up");
        balancer.Ip("addr", "add", gateway, "dev", device);
        balancer.Ip("link", "set", device, "up");
    }

    // As docs/guide/tcp-options.md has it: what comes back from the servers is delivered here, though its address is the client's.
    private static void TakeAnswers(TestNamespace balancer)
    {
        balancer.Ip("link", "set", "lo", "up");
        balancer.Ip("rule", "add", "iif", "l1", "lookup", "100");
        balancer.Ip("route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "100");
    }
}
