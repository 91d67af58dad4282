using System.CommandLine;
using System.Globalization;
using Lb.Testing;

namespace Lb.Tool;

/// <summary><c>lb simulate</c>: plays scenarios against scheduling policies in virtual time and compares what clients would see.</summary>
internal static class SimulateCommand
{
    private const string DefaultPolicies = "p2c,roundrobin,leastconn,random,peak-ewma";
    private const string All = "all";
    private const int MostRequests = 100_000_000;

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
        Option<string?> requests = new("--requests") { Description = "Requests that count; default: those of each scenario", HelpName = "N" };
        Option<string> seed = new("--seed")
        {
            Description = "Where chance begins: the same seed gives the same numbers",
            HelpName = "N",
            DefaultValueFactory = static _ => "1",
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
                Seed = result.GetRequiredValue(seed),
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
        if (!TryParse("--requests", request.Requests, 1, MostRequests, error, out int? requests) || !TryParse("--seed", request.Seed, int.MinValue, int.MaxValue, error, out int? seed)) return 1;
        if (!TryFindScenarios(request.Scenarios, error, out IReadOnlyList<SimulationScenario> scenarios) || !CanWrite(request, error)) return 1;

        List<Comparison> comparisons = [];
        foreach (SimulationScenario scenario in scenarios)
        {
            List<SimulationResult> results = [];
            foreach (Contender contender in contenders)
            {
                ct.ThrowIfCancellationRequested();
                SimulationScenario played = scenario with { Seed = seed ?? 1, Requests = requests ?? scenario.Requests };
                results.Add(Simulator.Run(played, contender.Configure) with { Policy = contender.Name });
            }

            Comparison comparison = new(scenario, results);
            await output.WriteLineAsync(comparisons.Count == 0 ? TextTables.Write(comparison) : $"\n{TextTables.Write(comparison)}").ConfigureAwait(false);
            await output.FlushAsync(ct).ConfigureAwait(false);
            comparisons.Add(comparison);
        }

        return TryWrite(request.Html, () => ComparisonPage.Write(comparisons, seed ?? 1), error) & TryWrite(request.Markdown, () => MarkdownTables.Write(comparisons), error) ? 0 : 1;
    }

    private static bool TryParse(string option, string? text, int least, int most, TextWriter error, out int? number)
    {
        number = null;
        if (text is null) return true;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most)
        {
            number = value;
            return true;
        }

        error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{option} = '{text}': must be a whole number, {least} to {most}"));
        return false;
    }

    private static bool TryFindScenarios(string list, TextWriter error, out IReadOnlyList<SimulationScenario> scenarios)
    {
        List<SimulationScenario> found = [];
        scenarios = found;
        IEnumerable<string> names = Contenders.Split(list)
            .SelectMany(static n => string.Equals(n, All, StringComparison.OrdinalIgnoreCase) ? SimulationScenarios.All.Select(static s => s.Name) : [n]);
        foreach (string name in names.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (SimulationScenarios.Find(name) is not { } scenario)
            {
                error.WriteLine($"there is no scenario '{name}'; there are: {string.Join(", ", SimulationScenarios.All.Select(static s => s.Name))}");
                return false;
            }

            found.Add(scenario);
        }

        if (found.Count > 0) return true;
        error.WriteLine("--scenarios names none");
        return false;
    }

    // A simulation may take minutes: whatever can't be written is told before it.
    private static bool CanWrite(SimulateRequest request, TextWriter error)
    {
        bool can = true;
        foreach (string? path in (ReadOnlySpan<string?>)[request.Html, request.Markdown])
        {
            if (path is null || WholeFile.CanWrite(path, out string? fault)) continue;
            error.WriteLine(fault);
            can = false;
        }

        if (!can || request.Html is null || request.Markdown is null || Path.GetFullPath(request.Html) != Path.GetFullPath(request.Markdown)) return can;
        error.WriteLine($"--html and --markdown name the same file: {request.Html}");
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

    /// <summary>Names of scenarios, separated by commas; <c>all</c> stands for all of them.</summary>
    public string Scenarios { get; init; } = "all";

    /// <summary>Requests that count, a number; null = those of each scenario.</summary>
    public string? Requests { get; init; }

    /// <summary>Where chance begins, a number.</summary>
    public string Seed { get; init; } = "1";

    /// <summary>A page to write, or null.</summary>
    public string? Html { get; init; }

    /// <summary>A file of Markdown to write, or null.</summary>
    public string? Markdown { get; init; }
}
