using System.Net;
using System.Net.Sockets;

namespace Lb.Tool.Tests;

[Trait("Row", "G3")]
public sealed class CheckTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_good_file_is_summed_up_in_a_line()
    {
        string path = _folder.Write("lb.json", """
            {
              // Comments and trailing commas are fine, and so are sections of others.
              "Logging": { "LogLevel": { "Default": "Warning" } },
              "Lb": {
                "Pools": {
                  "web": {
                    "Servers": [ { "Address": "127.0.0.1:8001" }, { "Address": "127.0.0.1:8002" } ],
                    "Checks": [ { "Type": "tcp" } ] },
                  "api": { "Servers": [ { "Address": "127.0.0.1:8003" } ] },
                },
                "Gateways": { "front": { "Listen": [ "127.0.0.1:0" ], "Pool": "web" } }
              }
            }
            """);
        ToolResult result = await Tool.RunAsync("check", "-c", path);
        Assert.Equal(new ToolResult(0, $"{path}: 2 pools, 3 servers, 1 gateway, 0 routers: no errors\n", ""), result);
    }

    [Fact]
    [Trait("Row", "T6")]
    public async Task A_port_in_use_is_an_error_unless_ports_are_skipped()
    {
        using Socket holder = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        holder.Listen();
        string text = $"{{ 'Lb': {{ 'Pools': {{ 'web': {{ 'Servers': [ {{ 'Address': '127.0.0.1:8001' }} ] }} }}, 'Gateways': {{ 'front': {{ 'Listen': [ '{holder.LocalEndPoint}' ], 'Pool': 'web' }} }} }} }}";
        string path = _folder.Write("lb.json", text.Replace('\'', '"'));
        ToolResult strict = await Tool.RunAsync("check", "-c", path);
        Assert.Equal(1, strict.ExitCode);
        Assert.StartsWith($"Lb:Gateways:front:Listen:0 = '{holder.LocalEndPoint}': is in use", strict.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await Tool.RunAsync("check", "-c", path, "--skip-ports")).ExitCode);
    }

    [Fact]
    [Trait("Row", "G4")]
    public async Task Ten_faults_are_told_at_once_with_path_value_and_line()
    {
        string path = _folder.Write("lb.json", """
            { "Lb": {
              "Defaults": { "ConnectTimeout": "soon" },
              "Pools": {
                "web": {
                  "Balance": "rondrobin",
                  "Servers": [
                    { "Name": "a", "Address": "127.0.0.1:8001", "Weight": 300 },
                    { "Name": "a", "Address": "127.0.0.1:8002" },
                    { "Name": "c", "Address": "127.0.0.1" },
                    { "Name": "d", "Adress": "127.0.0.1:8004", "Address": "127.0.0.1:8004" } ],
                  "Checks": [ { "Type": "telepathy" } ],
                  "RetryOn": "all" } },
              "Gateways": {
                "front": {
                  "Listen": [ "127.0.0.1:99999" ],
                  "Pool": "wbe" } } } }
            """);
        ToolResult result = await Tool.RunAsync("check", "-c", path);
        Assert.Equal(1, result.ExitCode);
        Assert.Empty(result.Output);
        string[] expected =
        [
            "Lb:Defaults:ConnectTimeout = 'soon': must be a duration .* [(]line 2[)]",
            "Lb:Pools:web:Balance = 'rondrobin': is no scheduling policy .* [(]line 5[)]",
            "Lb:Pools:web:Servers:0:Weight = '300': must be 0 to 256 [(]line 7[)]",
            "Lb:Pools:web:Servers:1:Name = 'a': is already the name of Lb:Pools:web:Servers:0.* [(]line 8[)]",
            "Lb:Pools:web:Servers:2:Address = '127[.]0[.]0[.]1': .* [(]line 9[)]",
            "Lb:Pools:web:Servers:3:Adress = '127[.]0[.]0[.]1:8004': .*Address.* [(]line 10[)]",
            "Lb:Pools:web:Checks:0:Type = 'telepathy': .* [(]line 11[)]",
            "Lb:Pools:web:RetryOn = 'all': is not in this version [(]line 12[)]",
            "Lb:Gateways:front:Listen:0 = '127[.]0[.]0[.]1:99999': .* [(]line 15[)]",
            "Lb:Gateways:front:Pool = 'wbe': is no pool.* [(]line 16[)]",
        ];
        Assert.Equal(expected.Length, result.ErrorLines.Length);
        foreach ((string pattern, string line) in expected.Zip(result.ErrorLines)) Assert.Matches($"^{pattern}$", line);
    }

    [Fact]
    public async Task Nothing_is_opened_or_asked()
    {
        using TcpListener server = new(IPAddress.Loopback, 0);
        server.Start();
        string path = _folder.Write("lb.json", $$"""
            { "Lb": { "Pools": { "web": {
              "Servers": [ { "Address": "{{server.LocalEndpoint}}" }, { "Address": "no-such-host.invalid:80" } ],
              "Checks": [ { "Type": "tcp", "Interval": "1ms" } ] } },
              "Gateways": { "front": { "Listen": [ "unix:{{_folder.PathOf("gateway.sock")}}" ], "Pool": "web" } } } }
            """);
        ToolResult result = await Tool.RunAsync("check", "-c", path);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.False(server.Pending());
        Assert.False(File.Exists(_folder.PathOf("gateway.sock")));
    }

    [Theory]
    [InlineData("{ \"Lb\": {\n  \"Pools\": { \"web\" }\n} }", ":2:20: is not JSON: ")]
    [InlineData("", ":1:1: is not JSON: ")]
    [InlineData("{ \"Lb\": { \"Pools\": {", ": is not JSON: ")]
    [InlineData("[ 1 ]", ": ")]
    [InlineData("{ }", ": there is no section Lb in it")]
    [InlineData("{ \"Lbb\": { } }", ": there is no section Lb in it")]
    [InlineData("{\n \"Lb\": 7 }", ":2: Lb = '7': must be a section with keys, not a value")]
    [InlineData("{ \"Lb\": { \"Pools\": { \"web\": { \"MaxQueue\": 1 },\n \"WEB\": { } } } }", ": the key Lb:Pools:WEB in line 2 is there already in line 1")]
    [InlineData("{ \"Lb\": { \"Health\": { \"SpreadChecks\": 1, \"SpreadChecks\": 2 } } }", "SpreadChecks")]
    public async Task A_file_that_is_no_configuration_is_named(string text, string expected)
    {
        string path = _folder.Write("lb.json", text);
        ToolResult result = await Tool.RunAsync("check", "-c", path);
        Assert.Equal(1, result.ExitCode);
        Assert.Empty(result.Output);
        string line = Assert.Single(result.ErrorLines);
        Assert.StartsWith(path, line);
        Assert.Contains(expected, line);
    }

    [Fact]
    public async Task A_missing_file_is_named()
    {
        string path = _folder.PathOf("nowhere.json");
        Assert.Equal(new ToolResult(1, "", $"{path}: there is no such file\n"), await Tool.RunAsync("check", "-c", path));
        string folder = Path.GetDirectoryName(path)!;
        ToolResult result = await Tool.RunAsync("check", "-c", folder);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.StartsWith($"{folder}: can't be read: ", result.Error);
    }

    [Fact]
    public async Task An_empty_section_is_good()
    {
        string path = _folder.Write("lb.json", """{ "Lb": { } }""");
        ToolResult result = await Tool.RunAsync("check", "-c", path);
        Assert.Equal(new ToolResult(0, $"{path}: 0 pools, 0 servers, 0 gateways, 0 routers: no errors\n", ""), result);
    }
}
