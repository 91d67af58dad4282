using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Transport.Tests.Operations;

/// <summary>What is told before the start: owners of every kind of address, and configurations read as they are written.</summary>
[Trait("Row", "T6")]
public sealed class PreflightTests : GatewayTests
{
    private static string Me => $"{File.ReadAllText("/proc/self/comm").Trim()} (pid {Environment.ProcessId})";

    [Fact]
    public async Task Owners_of_udp_ports_of_both_families_and_of_unix_sockets_are_named()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc is Linux's.");
        using Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp), udp6 = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
        using Socket unix = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        udp6.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        string file = $"/tmp/lb-{Guid.NewGuid():N}.sock";
        unix.Bind(new UnixDomainSocketEndPoint(file));
        unix.Listen();
        string at = $"{udp.LocalEndPoint}", at6 = $"{udp6.LocalEndPoint}";
        GatewayLab lab = Make("managed", l =>
        {
            l.AddServer();
            l.Listen[0] = $"unix:{file}";
            l.Configure.Add(o => o.Gateways["dns"] = new GatewayOptions { Mode = "udp", Pool = "web", Listen = { at, at6 } });
        });
        lab.Build();
        ConfigurationError[] expected =
        [
            new("Lb:Gateways:gate:Listen:0", $"unix:{file}", $"is in use by {Me}"),
            new("Lb:Gateways:dns:Listen:0", at, $"is in use by {Me} on {at}"),
            new("Lb:Gateways:dns:Listen:1", at6, $"is in use by {Me} on {at6}"),
        ];
        Assert.Equal(expected, await lab.Configuration.PreflightAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    [Trait("Row", "T13")]
    [Trait("Row", "T11")]
    [Trait("Row", "T17")]
    public void Every_key_is_read_from_a_configuration()
    {
        LbOptions options = Read("""
            { "Lb": {
              "Transport": { "CpuAffinity": "0-1", "HandOver": "unix:/run/lb-handover.sock" },
              "Pools": { "web": {
                "Source": "192.0.2.1:4000-5000", "Interface": "eth1",
                "Tcp": { "NoDelay": false, "FastOpen": true, "KeepAlive": {} },
                "Servers": [ { "Address": "192.0.2.9:80", "Source": "clientip", "Interface": "eth2", "Tcp": { "UserTimeout": "30s", "Mark": 3 } } ] } },
              "Gateways": { "front": {
                "Mode": "health", "Respond": "http", "MinServers": 2, "Pool": "web", "Listen": "fd:web", "Freebind": true, "Transparent": true, "Interface": "eth0",
                "Tcp": { "KeepAlive": { "Idle": "1m", "Interval": "10s", "Count": 3 }, "MaxSegment": 1400, "Dscp": 46, "FastOpen": 256, "DeferAccept": "5s" } } } } }
            """);
        Assert.Equal(("0-1", "unix:/run/lb-handover.sock"), (options.Transport.CpuAffinity, options.Transport.HandOver));
        PoolOptions pool = options.Pools["web"];
        Assert.Equal(("192.0.2.1:4000-5000", "eth1", false, true), (pool.Source, pool.Interface, pool.Tcp!.NoDelay, pool.Tcp.FastOpen));
        Assert.NotNull(pool.Tcp.KeepAlive);
        ServerOptions server = pool.Servers[0];
        Assert.Equal(("clientip", "eth2", TimeSpan.FromSeconds(30), 3), (server.Source, server.Interface, server.Tcp!.UserTimeout, server.Tcp.Mark));
        GatewayOptions front = options.Gateways["front"];
        Assert.Equal(("health", "http", 2, true, true, "eth0"), (front.Mode, front.Respond, front.MinServers, front.Freebind, front.Transparent, front.Interface));
        Assert.Equal((1400, 46, 256, TimeSpan.FromSeconds(5)), (front.Tcp.MaxSegment, front.Tcp.Dscp, front.Tcp.FastOpen, front.Tcp.DeferAccept));
        Assert.Equal((TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(10), 3), (front.Tcp.KeepAlive!.Idle, front.Tcp.KeepAlive.Interval, front.Tcp.KeepAlive.Count));
    }

    [Fact]
    [Trait("Row", "T13")]
    public void Every_value_out_of_its_range_is_told_with_its_path()
    {
        string[] errors = Validate("""
            { "Lb": {
              "Transport": { "CpuAffinity": "most" },
              "Pools": { "web": {
                "Source": "here", "Interface": "a/b", "Tcp": { "Dscp": 64 },
                "Servers": [ { "Address": "192.0.2.9:80", "Source": "1.2.3.4:9-8", "Tcp": { "KeepAlive": { "Count": 0 } } } ] } },
              "Gateways": { "front": {
                "Mode": "health", "Respond": "smtp", "MinServers": -1, "Pool": "web", "Listen": "127.0.0.1:0", "Interface": "a name that is too long",
                "Tcp": { "KeepAlive": { "Idle": "1500ms", "Interval": "0s" }, "UserTimeout": "0s", "MaxSegment": 87, "Mark": -1, "FastOpen": 65536, "DeferAccept": "40000s" } } } } }
            """);
        string[] expected =
        [
            "Lb:Gateways:front:Interface", "Lb:Gateways:front:MinServers", "Lb:Gateways:front:Respond", "Lb:Gateways:front:Tcp:DeferAccept",
            "Lb:Gateways:front:Tcp:FastOpen", "Lb:Gateways:front:Tcp:KeepAlive:Idle", "Lb:Gateways:front:Tcp:KeepAlive:Interval", "Lb:Gateways:front:Tcp:Mark",
            "Lb:Gateways:front:Tcp:MaxSegment", "Lb:Gateways:front:Tcp:UserTimeout", "Lb:Pools:web:Interface", "Lb:Pools:web:Servers:0:Source",
            "Lb:Pools:web:Servers:0:Tcp:KeepAlive:Count", "Lb:Pools:web:Source", "Lb:Pools:web:Tcp:Dscp", "Lb:Transport:CpuAffinity",
        ];
        Assert.Equal(expected, errors);
    }

    [Fact]
    [Trait("Row", "T11")]
    public void A_source_of_the_other_family_is_refused_where_the_server_has_an_address()
    {
        string[] errors = Validate("""
            { "Lb": { "Pools": { "web": {
                "Source": "192.0.2.1",
                "Servers": [ { "Address": "192.0.2.9:80" }, { "Address": "[2001:db8::9]:80" }, { "Address": "192.0.2.8:80", "Source": "2001:db8::1" },
                    { "Address": "host.example:80", "Source": "2001:db8::1" }, { "Address": "[2001:db8::8]:80", "Source": "*:4000-5000" } ] } } } }
            """);
        Assert.Equal(["Lb:Pools:web:Servers:1:Source", "Lb:Pools:web:Servers:2:Source"], errors);
    }

    [Theory]
    [Trait("Row", "T17")]
    [InlineData("\"MinServers\": 2, \"Pool\": \"web\"", "MinServers", "2")]
    [InlineData("\"Respond\": \"http\", \"Pool\": \"web\"", "Respond", "http")]
    [InlineData("\"Mode\": \"health\", \"MinServers\": 2", "MinServers", "2")]
    [InlineData("\"Mode\": \"health\", \"AcceptProxy\": true", "AcceptProxy", "set")]
    [InlineData("\"Mode\": \"health\", \"QueuePriority\": { \"Class\": 3 }", "QueuePriority:Class", "3")]
    public void Keys_of_the_health_listener_and_keys_without_a_meaning_there_are_refused(string keys, string key, string value)
    {
        LbConfiguration configuration = Provider($$"""
            { "Lb": { "Pools": { "web": { "Servers": [ { "Address": "192.0.2.9:80" } ] } }, "Gateways": { "front": { "Listen": "127.0.0.1:0", {{keys}} } } } }
            """).GetRequiredService<LbConfiguration>();
        ConfigurationError error = Assert.Single(configuration.Validate());
        Assert.Equal(($"Lb:Gateways:front:{key}", value), (error.Path, error.Value));
    }

    [Fact]
    [Trait("Row", "T13")]
    public void An_interface_that_is_not_there_is_told_once_with_its_name()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Interfaces are Linux's.");
        LbConfiguration configuration = Provider("""
            { "Lb": { "Pools": { "web": { "Interface": "eth99", "Servers": [ { "Address": "192.0.2.9:80", "Source": "192.0.2.1" }, { "Address": "192.0.2.8:80", "Interface": "eth98" } ] } } } }
            """).GetRequiredService<LbConfiguration>();
        const string Why = "there is no such network interface";
        Assert.Equal([new("Lb:Pools:web:Interface", "eth99", Why), new("Lb:Pools:web:Servers:1:Interface", "eth98", Why)], configuration.Validate());
    }

    private static LbOptions Read(string json) => Provider(json).GetRequiredService<LbConfiguration>().Read();

    private static string[] Validate(string json)
    {
        LbConfiguration configuration = Provider(json).GetRequiredService<LbConfiguration>();
        LbOptions options = configuration.Read();
        options.SkipPortChecks = true;
        return [.. configuration.Validate(options).Select(static e => e.Path).Order(StringComparer.Ordinal)];
    }

    private static ServiceProvider Provider(string json)
    {
        using MemoryStream stream = new(Encoding.UTF8.GetBytes(json));
        ServiceCollection services = new();
        services.AddLb(new ConfigurationBuilder().AddJsonStream(stream).Build().GetSection("Lb")).AddGateways();
        return services.BuildServiceProvider();
    }
}
