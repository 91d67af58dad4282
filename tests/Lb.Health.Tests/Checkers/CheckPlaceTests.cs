using System.Net;
using System.Net.Sockets;
using Lb.Contracts.Checkers;
using Lb.Health.Tests.Monitoring;

namespace Lb.Health.Tests.Checkers;

/// <summary>Where checks go, where they come from, and what they say first.</summary>
[Trait("Row", "H26")]
public sealed class CheckPlaceTests
{
    private const int Limit = 60_000;
    private const string V1 = "50524f585920554e4b4e4f574e0d0a", V2 = "0d0a0d0a000d0a515549540a20000000";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [Trait("Row", "H6")]
    [InlineData("192.0.2.1:80", null, null, "192.0.2.1:80")]
    [InlineData("192.0.2.1:80", null, 81, "192.0.2.1:81")]
    [InlineData("192.0.2.1:80", "192.0.2.9", null, "192.0.2.9:80")]
    [InlineData("192.0.2.1:80", "2001:db8::9", 81, "[2001:db8::9]:81")]
    [InlineData("host.example:80", "192.0.2.9", null, "192.0.2.9:80")]
    [InlineData("unix:/run/x", "192.0.2.9", 81, "192.0.2.9:81")]
    public void The_place_is_the_servers_but_for_what_the_check_says(string server, string? address, int? port, string expected)
    {
        Assert.True(ServerAddress.TryParse(server, out EndPoint? endPoint, out _));
        Assert.Equal(expected, CheckPlace.From(new CheckOptions { Address = address, Port = port }).Of(endPoint).ToString());
    }

    // Bytes of the specification, https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt: 2.1 "PROXY UNKNOWN\r\n"; 2.2 signature, version 2 and LOCAL,
    // AF_UNSPEC, no length.
    [Theory(Timeout = Limit)]
    [InlineData("v1", V1)]
    [InlineData("v2", V2)]
    public async Task Every_kind_over_a_stream_begins_with_the_header(string version, string header)
    {
        foreach (string type in (string[])["http", "tcp-script", "smtp", "redis", "pgsql", "mysql", "grpc", "tls", "https"])
        {
            CheckOptions options = new() { Type = type, SendProxy = version };
            if (type == "pgsql") options.User = "lb";
            if (type == "tcp-script") options.Script.Add(new CheckStepOptions { Send = "x" });
            Assert.Equal((type, header), (type, Convert.ToHexStringLower(await FirstBytesAsync(options, header.Length / 2))));
        }
    }

    [Theory(Timeout = Limit)]
    [InlineData("v1", V1)]
    [InlineData("v2", V2)]
    public async Task A_tcp_check_with_a_header_closes_in_order(string version, string header)
    {
        TaskCompletionSource<string> heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) => heard.SetResult(Convert.ToHexStringLower(await Scripted.BytesAsync(socket, 64, ct))));
        Assert.True((await CheckAsync(new CheckOptions { SendProxy = version }, server.EndPoint)).Passed);

        // A reset would be an exception here.
        Assert.Equal(header, await heard.Task);
    }

    [Theory(Timeout = Limit)]
    [InlineData("tcp")]
    [InlineData("http")]
    public async Task Connections_come_from_the_address_named(string type)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has all of 127.0.0.0/8.");
        TaskCompletionSource<EndPoint?> from = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            from.SetResult(socket.RemoteEndPoint);
            if (type == "http") await ProbeServer.Reply("HTTP/1.1 200 OK\r\n\r\n")(socket, ct);
        });
        Assert.True((await CheckAsync(new CheckOptions { Type = type, SourceAddress = "127.0.0.77" }, server.EndPoint)).Passed);
        Assert.Equal(IPAddress.Parse("127.0.0.77"), ((IPEndPoint)(await from.Task)!).Address);
    }

    [Fact(Timeout = Limit)]
    public async Task Datagrams_come_from_the_address_named()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has all of 127.0.0.0/8.");
        using Socket server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        CheckOptions options = new() { Type = "udp", SourceAddress = "127.0.0.77", Udp = new CheckUdpOptions { Payload = "x", RequireReply = true } };
        Task<ProbeResult> check = CheckAsync(options, server.LocalEndPoint!);
        SocketReceiveFromResult received = await server.ReceiveFromAsync(new byte[16].AsMemory(), new IPEndPoint(IPAddress.Any, 0), Ct);
        Assert.Equal(IPAddress.Parse("127.0.0.77"), ((IPEndPoint)received.RemoteEndPoint).Address);
        await server.SendToAsync(new byte[1].AsMemory(), received.RemoteEndPoint, Ct);
        Assert.True((await check).Passed);
    }

    // Bytes of the protocol: version 4, CONNECT, port 8080, 192.0.2.1, user, end.
    [Theory(Timeout = Limit)]
    [InlineData("005a000000000000", CheckStatus.Layer4Ok, "")]
    [InlineData("005b000000000000", CheckStatus.Layer4Connection, "the SOCKS proxy refused, or could not connect")]
    [InlineData("005d000000000000", CheckStatus.Layer4Connection, "the SOCKS proxy wants to know the user")]
    [InlineData("485454502f312e31", CheckStatus.Layer4Connection, "no SOCKS4 proxy")]
    [InlineData("005a00", CheckStatus.Layer4Connection, "the SOCKS proxy closed without an answer")]
    public async Task A_proxy_is_asked_for_the_connection(string reply, CheckStatus status, string text)
    {
        TaskCompletionSource<string> asked = new(TaskCreationOptions.RunContinuationsAsynchronously), then = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ProbeServer proxy = ProbeServer.Start(async (socket, ct) =>
        {
            asked.SetResult(Convert.ToHexStringLower(await Scripted.BytesAsync(socket, 11, ct)));
            foreach (byte one in Convert.FromHexString(reply)) await socket.SendAsync(new[] { one }, ct);
            socket.Shutdown(SocketShutdown.Send);
            then.SetResult(Convert.ToHexStringLower(await Scripted.BytesAsync(socket, 64, ct)));
        });
        CheckOptions options = new() { Socks4 = proxy.EndPoint.ToString(), SendProxy = "v2" };
        Assert.Equal(new ProbeResult(status, 0, text), await CheckAsync(options, IPEndPoint.Parse("192.0.2.1:8080")));
        Assert.Equal("04011f90c00002014c6200", await asked.Task);
        Assert.Equal(status == CheckStatus.Layer4Ok ? V2 : "", await then.Task);
    }

    [Fact(Timeout = Limit)]
    public async Task A_proxy_knows_neither_names_nor_ipv6()
    {
        await using ProbeServer proxy = ProbeServer.Start(static (_, _) => Task.CompletedTask);
        CheckOptions options = new() { Socks4 = proxy.EndPoint.ToString() };
        ProbeResult refused = new(CheckStatus.SocketError, 0, "a SOCKS4 proxy takes only IPv4 addresses");
        Assert.Equal(refused, await CheckAsync(options, IPEndPoint.Parse("[2001:db8::1]:80")));
        Assert.Equal(refused, await CheckAsync(options, new DnsEndPoint("host.example", 80)));
        List<ConfigurationError> errors = [];
        CheckPlace.Validate("p", new CheckOptions { Socks4 = "proxy.example:1080" }, null, errors);
        Assert.Equal("p:Socks4 = 'proxy.example:1080': must be an IP address and a port, as 192.0.2.1:1080", Assert.Single(errors).ToString());
    }

    [Fact(Timeout = Limit)]
    public async Task An_address_that_is_not_here_is_our_own_fault()
    {
        await using ProbeServer server = ProbeServer.Start(static (_, _) => Task.CompletedTask);
        ProbeResult result = await CheckAsync(new CheckOptions { SourceAddress = "203.0.113.254" }, server.EndPoint);
        Assert.Equal(new ProbeResult(CheckStatus.SocketError, 0, "no free local port or address"), result);
    }

    // HAProxy, doc/configuration.txt, check-send-proxy: checks begin as traffic does, "if no port nor addr directive is present".
    [Theory]
    [Trait("Row", "T9")]
    [InlineData("v1", null, null, null, V1)]
    [InlineData("v2", null, null, null, V2)]
    [InlineData("v2-ssl-cn", null, null, null, V2)]
    [InlineData("v2", "v1", null, null, V1)]
    [InlineData("v2", "none", null, null, "")]
    [InlineData("v2", null, 81, null, "")]
    [InlineData("v2", null, null, "192.0.2.9", "")]
    [InlineData("v2", "v2", 81, null, V2)]
    [InlineData(null, null, null, null, "")]
    public void A_check_of_the_servers_own_port_begins_as_its_traffic_does(string? server, string? check, int? port, string? address, string expected)
    {
        ServerPool pool = new("web", new PoolOptions { Servers = { new ServerOptions { Address = "192.0.2.1:80", SendProxy = server } } });
        CheckOptions options = new() { SendProxy = check, Port = port, Address = address };
        Assert.Equal(expected, Convert.ToHexStringLower(new CheckPlan(options, new TcpChecker()).PreambleOf(pool.Servers[0]).Span));
        if (check is null) Assert.Equal("", Convert.ToHexStringLower(new CheckPlan(options, new UdpChecker(options)).PreambleOf(pool.Servers[0]).Span));
    }

    [Fact]
    public void The_loop_hands_all_of_it_to_the_checker()
    {
        using ProbeRig rig = new(checks: new CheckOptions { Address = "192.0.2.9", Port = 81, SourceAddress = "192.0.2.8", SendProxy = "v1", Socks4 = "192.0.2.7:1080" });
        rig.Start();
        rig.Advance(0);
        ProbeTarget target = rig.Checker.Calls[0].Target;
        Assert.Equal(("192.0.2.9:81", "192.0.2.8", V1), (target.EndPoint.ToString(), target.Source?.ToString(), Convert.ToHexStringLower(target.Preamble.Span)));
        Assert.Equal("192.0.2.7:1080", target.Socks4?.ToString());
    }

    [Theory]
    [InlineData("host.example", null, null, "p:Address = 'host.example': must be an IP address without a port")]
    [InlineData("192.0.2.1:80", null, null, "p:Address = '192.0.2.1:80': must be an IP address without a port")]
    [InlineData(null, "0.0.0.0", null, "p:SourceAddress = '0.0.0.0': must be an IP address without a port")]
    [InlineData("192.0.2.1", "2001:db8::1", 80, "p:SourceAddress = '2001:db8::1': must be of the same family as Address")]
    [InlineData("192.0.2.1", null, null, "p:Port: is required beside Address: server local has none")]
    [InlineData("192.0.2.1", "192.0.2.2", 80, null)]
    public void Faults_are_named(string? address, string? source, int? port, string? error)
    {
        PoolOptions pool = new() { Servers = { new ServerOptions { Name = "local", Address = "unix:/run/x" } } };
        List<ConfigurationError> errors = [];
        CheckPlace.Validate("p", new CheckOptions { Address = address, SourceAddress = source, Port = port }, error?.StartsWith("p:Port", StringComparison.Ordinal) == true ? pool : null, errors);
        Assert.Equal(error is null ? [] : [error], errors.Select(static e => e.ToString()));
    }

    [Theory]
    [InlineData("[2001:db8::1]:80", "192.0.2.1", null, "p:SourceAddress = '192.0.2.1': must be of the same family as the address of server s, [2001:db8::1]:80")]
    [InlineData("192.0.2.1:80", "192.0.2.1", "192.0.2.7:1080", null)]
    [InlineData("192.0.2.1:80", "2001:db8::9", "192.0.2.7:1080", "p:SourceAddress = '2001:db8::9': must be of the same family as Socks4")]
    [InlineData("[2001:db8::1]:80", "192.0.2.1", "192.0.2.7:1080", "p:Socks4 = '192.0.2.7:1080': takes only IPv4 addresses; that of server s is [2001:db8::1]:80")]
    [InlineData("unix:/run/x", null, "192.0.2.7:1080", "p:Socks4 = '192.0.2.7:1080': takes only IPv4 addresses; that of server s is unix:/run/x")]
    [InlineData("host.example:80", "2001:db8::9", null, null)]
    public void What_can_never_be_connected_is_named(string server, string? source, string? socks, string? error)
    {
        PoolOptions pool = new() { Servers = { new ServerOptions { Name = "s", Address = server } } };
        List<ConfigurationError> errors = [];
        CheckPlace.Validate("p", new CheckOptions { SourceAddress = source, Socks4 = socks }, pool, errors);
        Assert.Equal(error is null ? [] : [error], errors.Select(static e => e.ToString()));
    }

    [Theory]
    [InlineData("1.2.3")]
    [InlineData("127.1")]
    [InlineData("224.0.0.18")]
    [InlineData("ff02::12")]
    [InlineData("255.255.255.255")]
    public void Slips_are_no_addresses(string text)
    {
        List<ConfigurationError> errors = [];
        CheckPlace.Validate("p", new CheckOptions { Address = text }, null, errors);
        CheckPlace.Validate("p", new CheckOptions { SourceAddress = text }, null, errors);
        Assert.Equal(
            [$"p:Address = '{text}': must be an IP address without a port", $"p:SourceAddress = '{text}': must be an IP address without a port"],
            errors.Select(static e => e.ToString()));
    }

    private static async Task<byte[]> FirstBytesAsync(CheckOptions options, int count)
    {
        TaskCompletionSource<byte[]> heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            heard.TrySetResult(await Scripted.BytesAsync(socket, count, ct));

            // Those that wait for an answer get none: what came first is what matters.
            socket.Shutdown(SocketShutdown.Send);
        });
        await CheckAsync(options, server.EndPoint);
        return await heard.Task;
    }

    private static async Task<ProbeResult> CheckAsync(CheckOptions options, EndPoint endPoint)
    {
        CheckPlace place = CheckPlace.From(options);
        IHealthChecker checker = HealthCheckers.BuiltInRegistrations(TimeProvider.System).First(r => r.Name == options.Type).Create(options);
        ProbeTarget target = new("s1", place.Of(endPoint), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)) { Source = place.Source, Preamble = place.Preamble, Socks4 = place.Socks4 };
        return await checker.CheckAsync(target, Ct);
    }
}
