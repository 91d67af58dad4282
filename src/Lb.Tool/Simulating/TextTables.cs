using System.Text;
using Lb.Testing;

namespace Lb.Tool;

/// <summary>A comparison for a terminal: columns as wide as they have to be, numbers to the right.</summary>
internal static class TextTables
{
    /// <summary>The scenario in a line, and the table; without an end of line.</summary>
    public static string Write(Comparison comparison)
    {
        string[][] rows = [comparison.Columns, .. comparison.Results.Select(Comparison.Row)];
        int[] widths = [.. comparison.Columns.Select((_, column) => rows.Max(row => row[column].Length))];
        SimulationScenario scenario = comparison.Scenario;
        StringBuilder text = new();
        text.Append(scenario.Name).Append(": ").Append(scenario.Description);
        foreach (string[] row in rows)
        {
            text.Append('\n').Append(row[0].PadRight(widths[0]));
            for (int i = 1; i < row.Length; i++) text.Append("  ").Append(row[i].PadLeft(widths[i]));
        }

        return text.ToString();
    }
}
