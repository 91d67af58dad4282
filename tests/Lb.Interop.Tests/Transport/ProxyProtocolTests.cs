using System.Net;
using System.Net.Sockets;
using System.Text;
using Lb.Interop.Tests.Health;
using Lb.Interop.Tests.Peers;
using Lb.Transport;

namespace Lb.Interop.Tests.Transport;

/// <summary>HAProxy and nginx tell us who their client is, and are told by us.</summary>
public sealed class ProxyProtocolTests
{
    private const string HaproxyDefaults = "defaults\n  timeout connect 30s\n  timeout client 30s\n  timeout server 30s\n";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory(Timeout = Ask.Limit)]
    [Trait("Row", "T8")]
    [InlineData("send-proxy")]
    [InlineData("send-proxy-v2")]
    [InlineData("send-proxy-v2 proxy-v2-options crc32c,unique-id,authority")]
    [InlineData("send-proxy-v2-ssl-cn")]
    public async Task HAProxy_tells_us(string how)
    {
        Peer.Demand(Haproxy.Need);
        using Socket listener = Listen();
        await using GatewayHost gate = await StartAsync(listener, static g => g.AcceptProxy = new AcceptProxyOptions { From = { "127.0.0.0/8" } }, "v1");
        using PeerHome home = new();
        IPEndPoint front = Ports.Next();
        await using Haproxy haproxy = await Haproxy.StartAsync(home, $"{HaproxyDefaults}listen l\n  mode tcp\n  unique-id-format id-%pid\n  bind {front}\n  server s {gate.EndPoint} {how}");
        await TellsAsync(listener, front);
        Assert.Equal(0, gate.Gateway.Count(RelayEnd.ProxyHeaderInvalid));
    }

    [Fact(Timeout = Ask.Limit)]
    [Trait("Row", "T8")]
    public async Task HAProxys_checks_are_taken_for_its_own()
    {
        Peer.Demand(Haproxy.Need);
        using Socket listener = Listen();
        await using GatewayHost gate = await StartAsync(listener, static g => g.AcceptProxy = new AcceptProxyOptions(), "v2");
        using PeerHome home = new();
        await using Haproxy haproxy = await Haproxy.StartAsync(
            home, $"{HaproxyDefaults}backend b\n  mode tcp\n  option tcp-check\n  tcp-check send hello\n  tcp-check expect string answer\n  server s {gate.EndPoint} check inter 1s send-proxy-v2");
        using Socket accepted = await listener.AcceptAsync(Ct);
        Assert.StartsWith("127.0.0.1:", (await HeaderAsync(accepted)).Split(' ')[0], StringComparison.Ordinal);
        await accepted.SendAsync("answer"u8.ToArray(), Ct);
        Assert.Equal("L7OK", (await haproxy.WhenCheckedAsync(Ct))["b/s"]["check_status"]);
    }

    [Fact(Timeout = Ask.Limit)]
    [Trait("Row", "T8")]
    public async Task Nginx_tells_us()
    {
        Peer.Demand(Nginx.Need, Nginx.NeedsStream);
        using Socket listener = Listen();
        await using GatewayHost gate = await StartAsync(listener, static g => g.AcceptProxy = new AcceptProxyOptions(), "v1");
        using PeerHome home = new();
        IPEndPoint front = Ports.Next();
        await using Peer nginx = await Nginx.StartStreamAsync(home, front, $"server {{ listen {front}; proxy_pass {gate.EndPoint}; proxy_protocol on; }}");
        await TellsAsync(listener, front);
    }

    [Theory(Timeout = Ask.Limit)]
    [Trait("Row", "T9")]
    [InlineData("v1", "")]
    [InlineData("v2", "")]
    [InlineData("v2", "crc32c,unique-id,authority,alpn")]
    [InlineData("v2-ssl-cn", "crc32c")]
    public async Task HAProxy_is_told(string version, string words)
    {
        Peer.Demand(Haproxy.Need);
        using PeerHome home = new();
        IPEndPoint back = Ports.Next();
        await using Haproxy haproxy = await Haproxy.StartAsync(
            home, $"{HaproxyDefaults}listen l\n  mode http\n  bind {back} accept-proxy\n  http-request return status 200 content-type text/plain lf-string \"%[src]:%[src_port] %[dst]:%[dst_port]\"");
        await ToldAsync(back, version, words, separator: " ");
    }

    [Theory(Timeout = Ask.Limit)]
    [Trait("Row", "T9")]
    [InlineData("v1")]
    [InlineData("v2")]
    public async Task Nginx_is_told(string version)
    {
        Peer.Demand(Nginx.Need);
        using PeerHome home = new();
        IPEndPoint back = Ports.Next();
        await using Peer nginx = await Nginx.StartAsync(
            home, back,
            $"server {{ listen {back} proxy_protocol; location / {{ return 200 \"$proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_server_addr:$proxy_protocol_server_port\"; }} }}");
        await ToldAsync(back, version, "", separator: " ");
    }

    private static Socket Listen()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    private static Task<GatewayHost> StartAsync(Socket listener, Action<GatewayOptions> configure, string send) => GatewayHost.StartAsync((options, gateway) =>
    {
        options.Pools["web"].Servers.Add(new ServerOptions { Name = "s", Address = listener.LocalEndPoint!.ToString()!, SendProxy = send });
        configure(gateway);
    });

    /// <summary>A client of the peer, whose addresses come through both hops.</summary>
    private static async Task TellsAsync(Socket listener, IPEndPoint front)
    {
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(front, Ct);
        await client.SendAsync("hello"u8.ToArray(), Ct);
        while (true)
        {
            // The first connection may be of the one who looked whether the peer was ready.
            using Socket accepted = await listener.AcceptAsync(Ct);
            if (await HeaderAsync(accepted) != $"{client.LocalEndPoint} {front}") continue;
            byte[] got = new byte[5];
            await new NetworkStream(accepted).ReadExactlyAsync(got, Ct);
            Assert.Equal("hello"u8.ToArray(), got);
            return;
        }
    }

    private static async Task ToldAsync(IPEndPoint back, string version, string words, string separator)
    {
        await using GatewayHost gate = await GatewayHost.StartAsync((options, _) =>
        {
            ServerOptions server = new() { Name = "s", Address = back.ToString(), SendProxy = version };
            foreach (string word in words.Split(',', StringSplitOptions.RemoveEmptyEntries)) server.ProxyV2Options.Add(word);
            options.Pools["web"].Servers.Add(server);
        });
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(gate.EndPoint, Ct);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8.ToArray(), Ct);
        using StreamReader reader = new(new NetworkStream(client));
        Assert.EndsWith($"{client.LocalEndPoint}{separator}{gate.EndPoint}", (await reader.ReadToEndAsync(Ct)).TrimEnd(), StringComparison.Ordinal);
    }

    private static async Task<string> HeaderAsync(Socket socket)
    {
        byte[] data = new byte[ProxyHeader.MaxLength];
        for (int length = 0; ;)
        {
            int got = await socket.ReceiveAsync(data.AsMemory(length, 1), Ct);
            if (got == 0) return $"closed after {Encoding.ASCII.GetString(data, 0, length)}";
            ProxyHeaderResult result = ProxyHeader.Read(data.AsSpan(0, ++length), out ProxyHeader header);
            if (result != ProxyHeaderResult.NeedMore) return $"{header.Source} {header.Destination}";
        }
    }
}
