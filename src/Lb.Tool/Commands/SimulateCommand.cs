using System.CommandLine;
using Lb.Testing;

namespace Lb.Tool;

/// <summary><c>lb simulate</c>: plays scenarios against scheduling policies in virtual time and compares what clients would see.</summary>
internal static class SimulateCommand
{
    private const string DefaultPolicies = "p2c,roundrobin,leastconn,random,peak-ewma";
    private const string All = "all";

    public static Command Create()
    {
        Option<string> config = LbCommand.ConfigurationOption(isRequired: false);
        Option<string?> pool = new("--pool") { Description = "Only this pool of the configuration", HelpName = "NAME" };
        Option<string?> policies = new("--policies")
        {
            Description = $"Names of policies, random(N) for N draws; default {DefaultPolicies}, or none beside a configuration",
            HelpName = "NAME,…",
        };
        Option<string> scenarios = new("--scenarios")
        {
            Description = $"Names of scenarios: {string.Join(", ", SimulationScenarios.All.Select(static s => s.Name))}",
            HelpName = "NAME,…",
            DefaultValueFactory = static _ => All,
        };
        Option<int?> requests = new("--requests") { Description = "Requests that count; default: those of each scenario", HelpName = "N" };
        Option<int> seed = new("--seed")
        {
            Description = "Where chance begins: the same seed gives the same numbers",
            HelpName = "N",
            DefaultValueFactory = static _ => 1,
        };
        Option<string?> html = new("--html") { Description = "Writes a page with charts too, which needs nothing else", HelpName = "FILE" };
        Option<string?> markdown = new("--markdown") { Description = "Writes the tables as Markdown too", HelpName = "FILE" };
        Command command = new("simulate", "Compare scheduling policies in virtual time: latencies, errors and load in each of the built-in scenarios")
        {
            config, pool, policies, scenarios, requests, seed, html, markdown,
        };
        command.SetAction((result, ct) =>
        {
            InvocationConfiguration invocation = result.InvocationConfiguration;
            SimulateRequest request = new()
            {
                Path = result.GetValue(config),
                Pool = result.GetValue(pool),
                Policies = result.GetValue(policies),
                Scenarios = result.GetRequiredValue(scenarios),
                Requests = result.GetValue(requests),
                Seed = result.GetValue(seed),
                Html = result.GetValue(html),
                Markdown = result.GetValue(markdown),
            };
            return RunAsync(request, invocation.Output, invocation.Error, ct);
        });
        return command;
    }

    /// <summary>Plays everything that was asked for.</summary>
    /// <returns>0; 1 when a name or a value is wrong, or a file can't be written.</returns>
    public static async Task<int> RunAsync(SimulateRequest request, TextWriter output, TextWriter error, CancellationToken ct)
    {
        if (!Contenders.TryFind(request.Path, request.Pool, request.Policies ?? (request.Path is null ? DefaultPolicies : ""), error, out IReadOnlyList<Contender> contenders))
            return 1;
        if (!TryFindScenarios(request, error, out IReadOnlyList<SimulationScenario> scenarios)) return 1;

        List<Comparison> comparisons = [];
        foreach (SimulationScenario scenario in scenarios)
        {
            List<SimulationResult> results = [];
            foreach (Contender contender in contenders)
            {
                ct.ThrowIfCancellationRequested();
                results.Add(Simulator.Run(scenario, contender.Configure) with { Policy = contender.Name });
            }

            Comparison comparison = new(scenario, results);
            await output.WriteLineAsync(comparisons.Count == 0 ? TextTables.Write(comparison) : $"\n{TextTables.Write(comparison)}").ConfigureAwait(false);
            await output.FlushAsync(ct).ConfigureAwait(false);
            comparisons.Add(comparison);
        }

        return TryWrite(request.Html, () => ComparisonPage.Write(comparisons, request.Seed), error) & TryWrite(request.Markdown, () => MarkdownTables.Write(comparisons), error) ? 0 : 1;
    }

    private static bool TryFindScenarios(SimulateRequest request, TextWriter error, out IReadOnlyList<SimulationScenario> scenarios)
    {
        List<SimulationScenario> found = [];
        scenarios = found;
        if (request.Requests < 1)
        {
            error.WriteLine($"--requests = '{request.Requests}': must be 1 or more");
            return false;
        }

        bool isAll = string.Equals(request.Scenarios, All, StringComparison.OrdinalIgnoreCase);
        IEnumerable<string> names = isAll ? SimulationScenarios.All.Select(static s => s.Name) : Contenders.Split(request.Scenarios);
        foreach (string name in names)
        {
            if (SimulationScenarios.Find(name) is not { } scenario)
            {
                error.WriteLine($"there is no scenario '{name}'; there are: {string.Join(", ", SimulationScenarios.All.Select(static s => s.Name))}");
                return false;
            }

            found.Add(scenario with { Seed = request.Seed, Requests = request.Requests ?? scenario.Requests });
        }

        if (found.Count > 0) return true;
        error.WriteLine("--scenarios names none");
        return false;
    }

    private static bool TryWrite(string? path, Func<string> text, TextWriter error)
    {
        if (path is null || WholeFile.TryWrite(path, text(), out string? fault)) return true;
        error.WriteLine(fault);
        return false;
    }
}

/// <summary>What to simulate, as it was asked for.</summary>
internal sealed record SimulateRequest
{
    /// <summary>The configuration, or null.</summary>
    public string? Path { get; init; }

    /// <summary>One pool of it, or null for all.</summary>
    public string? Pool { get; init; }

    /// <summary>Names of policies, separated by commas; null = the default.</summary>
    public string? Policies { get; init; }

    /// <summary>Names of scenarios, separated by commas, or <c>all</c>.</summary>
    public string Scenarios { get; init; } = "all";

    /// <summary>Requests that count; null = those of each scenario.</summary>
    public int? Requests { get; init; }

    /// <summary>Where chance begins.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>A page to write, or null.</summary>
    public string? Html { get; init; }

    /// <summary>A file of Markdown to write, or null.</summary>
    public string? Markdown { get; init; }
}
