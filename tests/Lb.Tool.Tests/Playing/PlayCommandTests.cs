namespace Lb.Tool.Tests;

[Trait("Row", "X2")]
public sealed class PlayCommandTests : IDisposable
{
    private const string Web = """
        { "Lb": { "Pools": {
          "web": { "Balance": "roundrobin", "Servers": [
            { "Name": "a", "Address": "192.0.2.1:80", "Weight": 5 },
            { "Name": "b", "Address": "192.0.2.2:80" },
            { "Name": "c", "Address": "192.0.2.3:80" } ] },
          "draws": { "Balance": "random", "BalanceOptions": { "Draws": 1 }, "Servers": [
            { "Name": "a", "Address": "192.0.2.1:80" },
            { "Name": "b", "Address": "192.0.2.2:80" } ] },
          "p2c": { "Servers": [ { "Name": "a", "Address": "no-such-host.invalid:80" }, { "Name": "b", "Address": "192.0.2.2:80" } ],
                   "Checks": [ { "Type": "tcp", "Interval": "1ms", "Fall": 1 } ] } },
          "Gateways": { "front": { "Listen": [ "203.0.113.1:1" ], "Pool": "web" } } } }
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Task<ToolResult> PlayAsync(string pool, string script, params string[] more) =>
        Tool.RunAsync(["play", "-c", _folder.Write("lb.json", Web), "--pool", pool, .. more, _folder.Write("script", script)]);

    private static string Repeat(string line, int count) => string.Concat(Enumerable.Repeat(line + "\n", count));

    [Fact]
    public async Task There_is_one_line_of_output_for_each_line_of_input()
    {
        ToolResult result = await PlayAsync("web", "pick\n\n# comment\n  pick # the second\nshow\nadvance 1s\npick");
        Assert.Equal(new ToolResult(0, "a\n\n\na\na UP 5 2; b UP 1 0; c UP 1 0\nok\nb\n", ""), result);
    }

    [Fact]
    [Trait("Row", "S2")]
    public async Task Round_robin_of_5_1_1_is_that_of_the_book() =>
        Assert.Equal("a a b a c a a", (await PlayAsync("web", Repeat("pick", 7))).Output.Trim().Replace('\n', ' '));

    [Fact]
    public async Task A_bad_line_makes_the_exit_code_1_and_the_rest_is_played()
    {
        ToolResult result = await PlayAsync("web", "down x\npick\n");
        Assert.Equal(new ToolResult(1, "error: there is no server 'x' in pool web; there are: a, b, c\na\n", ""), result);
    }

    [Theory]
    [InlineData("draws")]
    [InlineData("p2c")]
    [Trait("Row", "D3")]
    public async Task The_same_seed_gives_the_same_picks(string pool)
    {
        string script = Repeat("pick\nend 1\n", 1) + Repeat("pick", 100);
        string unseeded = (await PlayAsync(pool, script)).Output;
        Assert.Equal(unseeded, (await PlayAsync(pool, script)).Output);
        Assert.Equal(unseeded, (await PlayAsync(pool, script, "--seed", "1")).Output);
        string other = (await PlayAsync(pool, script, "--seed", "2")).Output;
        Assert.NotEqual(unseeded, other);
        Assert.Equal(other, (await PlayAsync(pool, script, "--seed", "2")).Output);
        Assert.Contains("a\n", other);
        Assert.Contains("b\n", other);
    }

    [Fact]
    public async Task Checks_and_gateways_rest_however_far_the_clock_moves() =>
        Assert.Equal("ok\na UP 1 0; b UP 1 0\n", (await PlayAsync("p2c", "advance 1h\nshow\n")).Output);

    [Fact]
    public async Task The_script_may_come_from_a_reader()
    {
        using StringReader script = new("pick\npick");
        using StringWriter output = new() { NewLine = "\n" }, error = new();
        int exitCode = await PlayCommand.RunAsync(new PlayRequest(_folder.Write("lb.json", Web), "WEB", 1), script, output, error);
        Assert.Equal((0, "a\na\n", ""), (exitCode, output.ToString(), error.ToString()));
    }

    [Fact]
    public async Task An_unknown_pool_a_missing_script_and_a_bad_configuration_are_named()
    {
        string path = _folder.Write("lb.json", Web);
        ToolResult pool = await Tool.RunAsync("play", "-c", path, "--pool", "wbe", _folder.Write("script", "pick"));
        Assert.Equal(new ToolResult(1, "", $"{path}: there is no pool 'wbe'; there are: draws, p2c, web\n"), pool);

        string script = _folder.PathOf("nowhere");
        ToolResult missing = await Tool.RunAsync("play", "-c", path, "--pool", "web", script);
        Assert.Equal((1, ""), (missing.ExitCode, missing.Output));
        Assert.StartsWith($"{script}: can't be read: ", missing.Error);

        _folder.Write("lb.json", """{ "Lb": { "Pools": { "web": { "Servers": [ { "Address": "192.0.2.1:80", "Weight": 999 } ] } } } }""");
        ToolResult bad = await Tool.RunAsync("play", "-c", path, "--pool", "web", _folder.Write("script", "pick"));
        Assert.Equal(new ToolResult(1, "", "Lb:Pools:web:Servers:0:Weight = '999': must be 0 to 256 (line 1)\n"), bad);
    }
}
