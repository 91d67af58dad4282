using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Lb.Testing;

namespace Lb.Tool.Tests;

/// <summary>The page "Which policy?" says what the simulator says. <c>LB_APPROVE=1</c> writes its tables anew.</summary>
public sealed partial class WhichPolicyTests(SimulatedPage page) : IClassFixture<SimulatedPage>
{
    [Fact]
    public void The_tables_of_the_page_are_those_of_the_simulator()
    {
        string told = page.Told, simulated = page.Simulated;
        Assert.Equal(Number().Replace(simulated, "N"), Number().Replace(told, "N"));

        // The last digit of a logarithm differs between machines, and a queue grows from it: equal here, nearly equal elsewhere.
        foreach ((Match now, Match then) in Number().Matches(simulated).Zip(Number().Matches(told)))
        {
            double expected = double.Parse(now.ValueSpan, CultureInfo.InvariantCulture);
            Assert.Equal(expected, double.Parse(then.ValueSpan, CultureInfo.InvariantCulture), 0.5 + (0.1 * expected));
        }
    }

    [Fact]
    public void The_advice_of_the_page_follows_from_its_tables()
    {
        // "within a tenth of the best of the five"
        Dictionary<string, double[]> means = Overview(page.Simulated);
        Assert.True(means.Count >= 15);
        Assert.All(means, static row => Assert.True(row.Value[0] <= 1.1 * row.Value.Min(), row.Key));

        // "equal servers": round robin costs little there, and a lot with one that is slow.
        Assert.True(means["homog70"][3] <= 1.05 * means["homog70"].Min());
        Assert.All((string[])["hetero", "slow1", "antagonist", "cold1"], name => Assert.True(means[name][3] > 2 * means[name][0], name));
        Assert.Equal(means["linkerd"].Min(), means["linkerd"][2]);
    }

    /// <summary>Mean of each policy, by scenario, in the order of the page: p2c, leastconn, peak-ewma, roundrobin, random(1).</summary>
    private static Dictionary<string, double[]> Overview(string tables) =>
        OverviewRow().Matches(tables).ToDictionary(
            static m => m.Groups[1].Value,
            static m => m.Groups[2].Value.Split('|').Select(static c => double.Parse(c.Split('/')[0], CultureInfo.InvariantCulture)).ToArray());

    [GeneratedRegex(@"(?<![\w.(])\d+(\.\d+)?(?![\w)])")]
    private static partial Regex Number();

    [GeneratedRegex(@"^\| \[([\w-]+)\]\(#[\w-]+\) \| (.*) \|$", RegexOptions.Multiline)]
    private static partial Regex OverviewRow();
}

/// <summary>The page's tables, and what the simulator gives for them now. The large fleets are played only to write the page: they would take most of the time.</summary>
public sealed partial class SimulatedPage : IAsyncLifetime
{
    private static readonly string[] Large = ["n1000", "n100b100", "antag100"];

    private const string Command = "simulate --policies p2c,leastconn,peak-ewma,roundrobin,random(1)";

    private static string Path { get; } = System.IO.Path.Combine(
        typeof(SimulatedPage).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static a => a.Key == "RepositoryRoot").Value!, "docs/guide/which-policy.md");

    internal string Told { get; private set; } = "";

    internal string Simulated { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        using TempFolder folder = new();
        string markdown = folder.PathOf("tables.md");
        bool writes = Environment.GetEnvironmentVariable("LB_APPROVE") == "1";
        string[] names = [.. SimulationScenarios.All.Select(static s => s.Name).Where(name => writes || !Large.Contains(name))];
        ToolResult result = await Tool.RunAsync([.. Command.Split(' '), "--markdown", markdown, "--scenarios", string.Join(',', names)]);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Simulated = await File.ReadAllTextAsync(markdown);

        string page = (await File.ReadAllTextAsync(Path)).ReplaceLineEndings("\n");
        Assert.Contains($"lb {Command.Replace("random(1)", "'random(1)'", StringComparison.Ordinal)}", page);
        if (writes)
        {
            string approved = Block().Replace(page, m => $"{m.Groups[1].Value}{Simulated}{m.Groups[3].Value}");
            if (approved != page) await File.WriteAllTextAsync(Path, approved);
            page = approved;
        }

        Told = Block().Match(page).Groups[2].Value;
        foreach (string name in SimulationScenarios.All.Select(static s => s.Name).Except(names)) Told = Without(Told, name);
    }

    public ValueTask DisposeAsync() => default;

    // Its row of the overview, and its section.
    private static string Without(string tables, string scenario)
    {
        string without = Regex.Replace(tables, $@"^\| \[{scenario}\].*\n", "", RegexOptions.Multiline);
        without = Regex.Replace(without, $@"\n### {scenario}\n.*?(?=\n### |\z)", "", RegexOptions.Singleline);
        Assert.DoesNotContain($"[{scenario}]", without);
        Assert.DoesNotContain($"### {scenario}\n", without);
        Assert.True(without.Length < tables.Length - 500);
        return without;
    }

    [GeneratedRegex(@"(<!-- simulated -->\n\n)(.*?)(\n<!-- end of simulated -->)", RegexOptions.Singleline)]
    private static partial Regex Block();
}
