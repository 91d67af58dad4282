namespace Lb.Tool.Tests;

[Trait("Row", "X2")]
public sealed class SimulateCommandTests : IDisposable
{
    private const string Known = "homog70, homog90, hetero, hetero-weights, slow1, gc1, antagonist, bursty, heavy-tail, fail1, cold1, b10, b100, n100, n1000, n100b100, antag100, linkerd";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Task<ToolResult> SimulateAsync(params string[] args) => Tool.RunAsync(["simulate", "--requests", "300", "--scenarios", "homog70", .. args]);

    private string Configuration(string pools) => _folder.Write("lb.json", $"{{ \"Lb\": {{ \"Pools\": {pools.Replace('\'', '"')}, \"Gateways\": {{ \"front\": {{ \"Listen\": [ \"203.0.113.1:1\" ], \"Pool\": \"web\" }} }} }} }}");

    private const string Servers = "'Servers': [ { 'Address': 'no-such-host.invalid:80' } ], 'Checks': [ { 'Type': 'tcp' } ]";

    [Fact]
    public async Task Without_a_configuration_the_usual_policies_are_compared()
    {
        ToolResult result = await SimulateAsync();
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        string[] lines = result.Output.TrimEnd().Split('\n');
        Assert.Equal("homog70: Equal servers at 70 % load.", lines[0]);
        Assert.Matches("^policy +mean ms +p50 ms +p99 ms +p99[.]9 ms +over 1 s % +errors % +max/mean load$", lines[1]);
        Assert.Equal(["p2c", "roundrobin", "leastconn", "random", "peak-ewma"], lines[2..].Select(static l => l.Split(' ')[0]));
        Assert.All(lines[2..], line => Assert.Matches("^[a-z0-9-]+( +[0-9]+[.][0-9]){4}( +0[.]00){2} +1[.][0-9]{2}$", line));
        Assert.Single(lines[1..].Select(static l => l.Length).Distinct());
    }

    [Fact]
    [Trait("Row", "D3")]
    public async Task The_same_seed_gives_the_same_numbers()
    {
        string one = (await SimulateAsync()).Output;
        Assert.Equal(one, (await SimulateAsync("--seed", "1")).Output);
        Assert.NotEqual(one, (await SimulateAsync("--seed", "2")).Output);
    }

    [Fact]
    public async Task There_is_a_table_for_each_scenario()
    {
        ToolResult result = await Tool.RunAsync("simulate", "--requests", "100", "--scenarios", "Linkerd, gc1", "--policies", "first");
        string[] tables = result.Output.Split("\n\n");
        Assert.Equal(2, tables.Length);
        Assert.StartsWith("linkerd: ", tables[0]);
        Assert.StartsWith("gc1: ", tables[1]);
        Assert.Equal((0, 100), (result.ExitCode, 100));
    }

    [Fact]
    public async Task Random_takes_its_draws_in_brackets()
    {
        ToolResult result = await SimulateAsync("--policies", "random(1),random(2),random");
        string[] rows = [.. result.Output.TrimEnd().Split('\n')[2..].Select(static l => l.Split(' ', 2)[1].Trim())];
        Assert.Equal(rows[1], rows[2]);
        Assert.NotEqual(rows[0], rows[1]);
    }

    [Fact]
    public async Task The_pools_of_a_configuration_choose_as_they_say()
    {
        string path = Configuration($"{{ 'web': {{ 'Balance': 'random', 'BalanceOptions': {{ 'Draws': 1 }}, {Servers} }}, 'api': {{ 'Balance': 'RoundRobin', {Servers} }} }}");
        ToolResult all = await SimulateAsync("-c", path);
        Assert.Equal(["api:", "web:"], all.Output.TrimEnd().Split('\n')[2..].Select(static l => l.Split(' ')[0]));
        Assert.Equal("", all.Error);

        ToolResult one = await SimulateAsync("-c", path, "--pool", "WEB", "--policies", "random(1),random");
        string[] rows = one.Output.TrimEnd().Split('\n')[2..];
        Assert.StartsWith("web: random ", rows[0]);
        Assert.Equal(rows[0][15..].Trim(), rows[1][15..].Trim());
        Assert.NotEqual(rows[0][15..].Trim(), rows[2][15..].Trim());
    }

    [Fact]
    public async Task Wrong_names_and_values_are_told_with_what_there_is()
    {
        string path = Configuration($"{{ 'web': {{ {Servers} }} }}");
        Assert.Equal(new ToolResult(1, "", $"there is no scenario 'homog'; there are: {Known}\n"), await Tool.RunAsync("simulate", "--scenarios", "gc1,homog"));
        Assert.Equal(new ToolResult(1, "", "--scenarios names none\n"), await Tool.RunAsync("simulate", "--scenarios", ","));
        Assert.Equal(new ToolResult(1, "", "--requests = '0': must be a whole number, 1 to 100000000\n"), await Tool.RunAsync("simulate", "--requests", "0"));
        Assert.Equal(new ToolResult(1, "", "--requests = '100000001': must be a whole number, 1 to 100000000\n"), await Tool.RunAsync("simulate", "--requests", "100000001"));
        Assert.Equal(new ToolResult(1, "", "--requests = 'many': must be a whole number, 1 to 100000000\n"), await Tool.RunAsync("simulate", "--requests", "many"));
        Assert.Equal(new ToolResult(1, "", "--seed = '3000000000': must be a whole number, -2147483648 to 2147483647\n"), await SimulateAsync("--seed", "3000000000"));
        Assert.Equal(new ToolResult(1, "", "--pool needs a configuration: -c FILE\n"), await SimulateAsync("--pool", "web"));
        Assert.Equal(new ToolResult(1, "", $"{path}: there is no pool 'wbe'; there are: web\n"), await SimulateAsync("-c", path, "--pool", "wbe"));
        Assert.Equal(new ToolResult(1, "", "there is nothing to simulate: name policies, or a configuration with pools\n"), await SimulateAsync("--policies", ""));
        Assert.Equal(new ToolResult(1, "", "--policies:BalanceOptions:Header: is required for hdr: the name of the header\n"), await SimulateAsync("--policies", "p2c,hdr"));
        Assert.Equal(new ToolResult(1, "", "--policies:BalanceOptions:Draws = '0': must be 1 to 16\n"), await SimulateAsync("--policies", "random(0)"));

        ToolResult policy = await SimulateAsync("--policies", "p2c,rondrobin");
        Assert.Equal((1, ""), (policy.ExitCode, policy.Output));
        Assert.Matches("^--policies:Balance = 'rondrobin': is no scheduling policy .*there are: anchor, .*, roundrobin, .*, wrr\n$", policy.Error);
    }

    [Fact]
    public async Task A_bad_configuration_is_told_as_lb_check_does()
    {
        string path = Configuration("{ 'web': { 'Balance': 'rondrobin', 'Servers': [ { 'Address': '192.0.2.1:80' } ] } }");
        ToolResult result = await SimulateAsync("-c", path);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Matches("^Lb:Pools:web:Balance = 'rondrobin': .* [(]line 1[)]\n$", result.Error);
        Assert.Equal($"{path}x: there is no such file\n", (await SimulateAsync("-c", $"{path}x")).Error);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_told_before_anything_runs()
    {
        string html = Path.Combine(_folder.PathOf("nowhere"), "page.html"), markdown = Path.Combine(_folder.PathOf("nowhere"), "page.md");
        ToolResult result = await SimulateAsync("--policies", "first", "--html", html, "--markdown", markdown);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Equal(2, result.ErrorLines.Length);
        Assert.StartsWith($"{html}: can't be written: ", result.ErrorLines[0]);
        Assert.StartsWith($"{markdown}: can't be written: ", result.ErrorLines[1]);

        string page = _folder.PathOf("page");
        string same = Path.Combine(_folder.PathOf("nowhere"), "..", "page");
        Assert.Equal(new ToolResult(1, "", $"--html and --markdown name the same file: {page}\n"), await SimulateAsync("--policies", "first", "--html", page, "--markdown", same));
        Assert.False(File.Exists(page));
    }

    [Fact]
    public async Task What_is_named_twice_is_played_once()
    {
        ToolResult result = await Tool.RunAsync("simulate", "--requests", "20", "--scenarios", "slow1,ALL,gc1", "--policies", "first,First");
        string[] tables = result.Output.TrimEnd().Split("\n\n");
        Assert.Equal(["slow1", .. Known.Split(", ").Where(static s => s != "slow1")], tables.Select(static t => t.Split(':')[0]));
        Assert.All(tables, static t => Assert.Equal(3, t.Split('\n').Length));
    }

    [Fact]
    public async Task Limits_and_subsets_of_a_file_stay_behind()
    {
        string path = Configuration($"{{ 'web': {{ 'Balance': 'first', 'MaxConnections': 1, 'Subset': {{ 'Size': 1, 'Client': 'me' }}, {Servers} }} }}");
        ToolResult result = await SimulateAsync("-c", path, "--policies", "first");
        string[] rows = result.Output.TrimEnd().Split('\n')[2..];
        Assert.Equal(rows[1]["first".Length..].Trim(), rows[0]["web: first".Length..].Trim());
    }

    [Fact]
    public async Task A_file_is_replaced_whole_and_nothing_is_left_beside_it()
    {
        string path = _folder.Write("page.html", "old");
        Assert.Equal(0, (await SimulateAsync("--policies", "first", "--html", path)).ExitCode);
        Assert.StartsWith("<!DOCTYPE html>", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal([path], Directory.EnumerateFiles(Path.GetDirectoryName(path)!));

        // A folder in the place of the file: nothing is left beside it either.
        string folder = Directory.CreateDirectory(_folder.PathOf("taken")).FullName;
        Assert.Equal(1, (await SimulateAsync("--policies", "first", "--html", folder)).ExitCode);
        Assert.Equal([path, folder], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(path)!).Order(StringComparer.Ordinal));
    }
}
