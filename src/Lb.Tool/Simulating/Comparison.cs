using System.Globalization;
using Lb.Testing;

namespace Lb.Tool;

/// <summary>What came of several policies in one scenario.</summary>
/// <param name="Scenario">The scenario.</param>
/// <param name="Results">One for each policy, in order.</param>
internal sealed record Comparison(SimulationScenario Scenario, IReadOnlyList<SimulationResult> Results)
{
    /// <summary>Heads of the columns: the first is a name, the others are numbers.</summary>
    public string[] Columns => ["policy", "mean ms", "p50 ms", "p99 ms", "p99.9 ms", $"over {Scenario.Threshold.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s %", "errors %", "max/mean load"];

    /// <summary>The cells of a row.</summary>
    public static string[] Row(SimulationResult result) =>
    [
        result.Policy,
        Milliseconds(result.Mean),
        Milliseconds(result.P50),
        Milliseconds(result.P99),
        Milliseconds(result.P999),
        Percent(result.LateShare),
        Percent(result.ErrorShare),
        result.MaxToMeanLoad.ToString("F2", CultureInfo.InvariantCulture),
    ];

    /// <summary>Three digits, or more where the number has them before the point.</summary>
    public static string Milliseconds(TimeSpan time) =>
        time.TotalMilliseconds.ToString(time.TotalMilliseconds < 99.95 ? "F1" : "F0", CultureInfo.InvariantCulture);

    private static string Percent(double share) => (100 * share).ToString("F2", CultureInfo.InvariantCulture);
}
