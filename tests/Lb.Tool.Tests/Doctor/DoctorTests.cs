using System.Net;
using System.Net.Sockets;
using Lb.Vrrp.Tests;

namespace Lb.Tool.Tests.Doctor;

public sealed class DoctorTests : IDisposable
{
    private const string Configuration = """
        { "Lb": {
          "Pools": { "web": { "Servers": [ { "Address": "127.0.0.1:18081" } ] } },
          "Routers": { "edge": { "Interface": "e0", "RouterId": 51, "Addresses": [ "192.0.2.100/24" ], "Track": [ { "Pool": "web", "Weight": -50 } ] } } } }
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("Row", "B7")]
    public void A_firewall_that_drops_adverts_is_found_and_its_cure_helps()
    {
        using TestNamespace network = TestNamespace.MakeWithDevice();
        Assert.SkipUnless(File.Exists("/usr/sbin/nft") || File.Exists("/sbin/nft"), "The program nft (nftables) is not installed.");
        network.Ip("address", "add", "192.0.2.1/24", "dev", "e0");
        string file = _folder.Write("lb.json", Configuration);
        Nft(network, "add table inet filter; add chain inet filter input { type filter hook input priority 0; policy drop; }");
        (int code, string text) = Doctor(network, file);
        Assert.Contains("FAIL  firewall: nft list ruleset: drops what no rule accepts, and none accepts protocol 112 (router edge)", text, StringComparison.Ordinal);
        Assert.Contains("OK    router edge: e0 is up, adverts leave from 192.0.2.1", text, StringComparison.Ordinal);
        Assert.Equal(1, code);

        Nft(network, Line(text, "nft insert rule"));
        (code, text) = Doctor(network, file);
        Assert.Contains("OK    firewall: nft list ruleset: lets adverts pass", text, StringComparison.Ordinal);
        Assert.Equal(0, code);
    }

    [Fact]
    [Trait("Row", "V5")]
    public void An_interface_without_an_address_is_found()
    {
        using TestNamespace network = TestNamespace.MakeWithDevice();
        (int code, string text) = Doctor(network, _folder.Write("lb.json", Configuration));
        Assert.Contains("FAIL  router edge: e0 has no IPv4 address of its own to send adverts from\n      -> ip address add ADDRESS/PREFIX dev e0\n", text, StringComparison.Ordinal);
        Assert.Equal(1, code);
    }

    [Fact]
    [Trait("Row", "T6")]
    public async Task A_port_in_use_fails_unless_ports_are_skipped()
    {
        using Socket holder = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        holder.Listen();
        string text = $"{{ 'Lb': {{ 'Pools': {{ 'web': {{ 'Servers': [ {{ 'Address': '127.0.0.1:8001' }} ] }} }}, 'Gateways': {{ 'front': {{ 'Listen': [ '{holder.LocalEndPoint}' ], 'Pool': 'web' }} }} }} }}";
        string path = _folder.Write("lb.json", text.Replace('\'', '"'));
        ToolResult strict = await Tool.RunAsync("doctor", "-c", path);
        Assert.Equal(1, strict.ExitCode);
        Assert.StartsWith($"FAIL  Lb:Gateways:front:Listen:0 = '{holder.LocalEndPoint}': is in use", strict.Output, StringComparison.Ordinal);
        ToolResult skipped = await Tool.RunAsync("doctor", "-c", path, "--skip-ports");
        Assert.StartsWith($"OK    {path}: 1 pool, 1 server, 1 gateway, 0 routers: no errors\n", skipped.Output, StringComparison.Ordinal);
        Assert.Equal(0, skipped.ExitCode);
    }

    [Fact]
    public async Task Errors_of_the_file_are_told_with_the_rest()
    {
        string file = _folder.Write("lb.json", """{ "Lb": { "Routers": { "edge": { "Interface": "nosuch0", "RouterId": 300, "Addresses": [ "192.0.2.100/24" ] } } } }""");
        ToolResult result = await Tool.RunAsync("doctor", "-c", file);
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("FAIL  Lb:Routers:edge:RouterId = '300': must be 1 to 255 (line 1)\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("FAIL  router edge: there is no interface nosuch0; there are: ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_file_the_machine_alone_is_looked_at()
    {
        ToolResult result = await Tool.RunAsync("doctor");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("capabilities: ", result.Output, StringComparison.Ordinal);
    }

    // As the cure says, but for the remark behind it.
    private static string Line(string text, string with)
    {
        string line = text.Split('\n').First(l => l.Contains(with, StringComparison.Ordinal));
        return line[(line.IndexOf("nft ", StringComparison.Ordinal) + 4)..line.IndexOf("   (", StringComparison.Ordinal)];
    }

    private static void Nft(TestNamespace network, string rules)
    {
        (int code, string text) = TestNamespace.Execute("ip", ["netns", "exec", network.Name, "nft", rules]);
        Assert.True(code == 0, text);
    }

    private static (int Code, string Text) Doctor(TestNamespace network, string file)
    {
        string dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        return TestNamespace.Execute("ip", ["netns", "exec", network.Name, dotnet, Path.Combine(AppContext.BaseDirectory, "lb.dll"), "doctor", "-c", file]);
    }
}
