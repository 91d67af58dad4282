using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Tool.Tests;

public sealed class RunTests : IDisposable
{
    private const int SafetyTimeout = 120_000;

    private readonly TempFolder _folder = new();
    private readonly DemoServer _a = new("a", TimeProvider.System);
    private readonly DemoServer _b = new("b", TimeProvider.System);

    public RunTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix signals are what is tested.");
        _a.Start();
        _b.Start();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
        _folder.Dispose();
    }

    private string Write(params DemoServer[] servers) => WriteGateway("", servers);

    private string WriteGateway(string gateway, params DemoServer[] servers)
    {
        IEnumerable<string> entries = servers.Select(static s => $$"""{ "Name": "{{s.Name}}", "Address": "{{s.EndPoint}}" }""");
        return _folder.Write("lb.json", $$"""
            { "Lb": {
              "Pools": { "web": { "Balance": "roundrobin", "Servers": [ {{string.Join(", ", entries)}} ] } },
              "Gateways": { "front": { "Listen": [ "127.0.0.1:0" ], "Pool": "web" {{gateway}} } } } }
            """);
    }

    private static async Task<string> AskAsync(IPEndPoint gateway)
    {
        using TcpClient client = new();
        await client.ConnectAsync(gateway, Ct);
        await client.GetStream().WriteAsync("who\n"u8.ToArray(), Ct);
        using StreamReader reader = new(client.GetStream(), Encoding.UTF8);
        return await reader.ReadToEndAsync(Ct);
    }

    [Fact(Timeout = SafetyTimeout)]
    [Trait("Row", "T1")]
    public async Task Clients_get_through_and_SIGTERM_ends_it_with_0()
    {
        await using LbProcess lb = new("run", "-c", Write(_a, _b));
        IPEndPoint gateway = await lb.ListensAsync();
        Assert.Equal(["a\n", "b\n"], [await AskAsync(gateway), await AskAsync(gateway)]);
        await lb.SignalAsync("TERM");
        await lb.LineWithAsync("Stopping");
        Assert.Equal(0, await lb.ExitCodeAsync());
        Assert.Contains("Gateway front has stopped", lb.Text);

        // One line each, in UTC, and no stack traces.
        Assert.All(lb.Text.Split('\n'), line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warn): ", line));
        await Assert.ThrowsAsync<SocketException>(() => AskAsync(gateway));
    }

    [Fact(Timeout = SafetyTimeout)]
    public async Task Ctrl_C_ends_it_with_0_too()
    {
        await using LbProcess lb = new("run", "-c", Write(_a));
        await lb.ListensAsync();
        await lb.SignalAsync("INT");
        Assert.Equal(0, await lb.ExitCodeAsync());
    }

    [Fact(Timeout = SafetyTimeout)]
    [Trait("Row", "G5")]
    public async Task SIGHUP_reloads_even_an_unchanged_file()
    {
        await using LbProcess lb = new("run", "-c", Write(_a));
        IPEndPoint gateway = await lb.ListensAsync();
        await lb.SignalAsync("HUP");
        await lb.LineWithAsync("Configuration reloaded");

        Write(_a, _b);
        await lb.SignalAsync("HUP");
        await lb.LineWithAsync("Server web/b joined");
        await lb.LineWithAsync("Configuration reloaded");
        string[] answers = [await AskAsync(gateway), await AskAsync(gateway)];
        Assert.Equal(["a\n", "b\n"], answers.Order());
    }

    [Fact(Timeout = SafetyTimeout)]
    [Trait("Row", "G5")]
    public async Task A_change_of_the_file_reloads_it()
    {
        await using LbProcess lb = new("run", "-c", Write(_a));
        IPEndPoint gateway = await lb.ListensAsync();
        Write(_b);
        await lb.LineWithAsync("Server web/a left");
        await lb.LineWithAsync("Configuration reloaded");
        Assert.Equal("b\n", await AskAsync(gateway));

        // The way most editors save: a new file takes the old one's name.
        string path = Write(_a);
        File.Move(path, path + ".new");
        await lb.LineWithAsync("there is no such file");
        File.Move(path + ".new", path);
        await lb.LineWithAsync("Server web/a joined");
        await lb.LineWithAsync("Configuration reloaded");
        Assert.Equal("a\n", await AskAsync(gateway));
    }

    [Theory(Timeout = SafetyTimeout)]
    [InlineData("{ \"Lb\": { \"Pools\": ")]
    [InlineData("")]
    [InlineData("{ }")]
    [InlineData("{ \"Lb\": { \"Pools\": { \"web\": { \"Servers\": [ { \"Address\": \"127.0.0.1:80\", \"Weight\": 999 } ] } } } }")]
    [Trait("Row", "G5")]
    public async Task A_bad_file_is_refused_and_the_running_configuration_stays(string text)
    {
        await using LbProcess lb = new("run", "-c", Write(_a));
        IPEndPoint gateway = await lb.ListensAsync();
        _folder.Write("lb.json", text);
        await lb.SignalAsync("HUP");
        await lb.LineWithAsync("Changed configuration refused, the running one stays");
        Assert.Equal("a\n", await AskAsync(gateway));

        Write(_a, _b);
        await lb.SignalAsync("HUP");
        await lb.LineWithAsync("Configuration reloaded");
        Assert.Equal(["a\n", "b\n"], ((string[])[await AskAsync(gateway), await AskAsync(gateway)]).Order());
        await lb.SignalAsync("TERM");
        Assert.Equal(0, await lb.ExitCodeAsync());
    }

    [Fact(Timeout = SafetyTimeout)]
    public async Task A_second_signal_cuts_the_drain_short()
    {
        string path = WriteGateway(""", "DrainTimeout": "20d", "CloseSpreadTime": "20d" """, _a);
        await using LbProcess lb = new("run", "-c", path);
        IPEndPoint gateway = await lb.ListensAsync();
        using TcpClient client = new();
        await client.ConnectAsync(gateway, Ct);
        await client.GetStream().WriteAsync("who"u8.ToArray(), Ct);
        Assert.Equal("a\n", await AskAsync(gateway));

        await lb.SignalAsync("TERM");
        await lb.LineWithAsync("Gateway front stops");
        await lb.SignalAsync("TERM");
        Assert.Equal(1, await lb.ExitCodeAsync());
        Assert.Contains("Stopping", lb.Text);
    }

    [Fact(Timeout = SafetyTimeout)]
    [Trait("Row", "G3")]
    public async Task Nothing_starts_with_a_faulty_configuration()
    {
        string path = _folder.Write("lb.json", $$"""
            { "Lb": { "Pools": { "web": { "Servers": [ { "Address": "{{_a.EndPoint}}", "Weight": 999 } ] } },
              "Gateways": { "front": { "Listen": [ "127.0.0.1:0" ], "Pool": "wbe" } } } }
            """);
        await using LbProcess lb = new("run", "-c", path);
        Assert.Equal(1, await lb.ExitCodeAsync());
        Assert.Collection(
            lb.Text.Split('\n'),
            static line => Assert.Equal("Lb:Pools:web:Servers:0:Weight = '999': must be 0 to 256 (line 1)", line),
            static line => Assert.StartsWith("Lb:Gateways:front:Pool = 'wbe': is no pool", line));
    }

    [Fact(Timeout = SafetyTimeout)]
    public async Task A_host_name_that_has_no_address_is_told_in_a_line()
    {
        string path = _folder.Write(
            "lb.json", """{ "Lb": { "Pools": { "web": { "Servers": [ { "Address": "no-such-host.invalid:80" } ] } } } }""");
        await using LbProcess lb = new("run", "-c", path);
        Assert.Equal(1, await lb.ExitCodeAsync());
        Assert.Contains("Lb:Pools:web:Servers:0:Address = 'no-such-host.invalid:80': can't be looked up", lb.Text);
        Assert.DoesNotContain("   at ", lb.Text);
    }

    [Fact(Timeout = SafetyTimeout)]
    public async Task A_missing_file_is_told_in_a_line()
    {
        string path = _folder.PathOf("nowhere.json");
        await using LbProcess lb = new("run", "-c", path);
        Assert.Equal(1, await lb.ExitCodeAsync());
        Assert.Equal($"{path}: there is no such file", lb.Text);
    }

    [Fact(Timeout = SafetyTimeout)]
    public async Task A_taken_port_is_told_in_a_line()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        string path = WriteGateway("", _a);
        string text = await File.ReadAllTextAsync(path, Ct);
        _folder.Write("lb.json", text.Replace("127.0.0.1:0", taken.LocalEndpoint.ToString(), StringComparison.Ordinal));
        await using LbProcess lb = new("run", "-c", path);
        Assert.Equal(1, await lb.ExitCodeAsync());
        Assert.Matches("^Lb:Gateways:front:Listen.* = '127.0.0.1:[0-9]+': is in use", lb.Text);
        Assert.DoesNotContain("   at ", lb.Text);
    }
}
