using System.Text;

namespace Lb.Tool;

/// <summary>Comparisons as Markdown: an overview, then a heading, a sentence and a table for each.</summary>
internal static class MarkdownTables
{
    /// <summary>The whole text; ends with an end of line.</summary>
    /// <param name="comparisons">At least one, all of the same policies.</param>
    public static string Write(IReadOnlyList<Comparison> comparisons)
    {
        StringBuilder text = new();
        text.Append("Mean and p99 in ms:\n\n");
        Head(text, ["scenario", .. comparisons[0].Results.Select(static r => Code(r.Policy))]);
        foreach (Comparison comparison in comparisons)
        {
            Row(text, [
                $"[{comparison.Scenario.Name}](#{comparison.Scenario.Name})",
                .. comparison.Results.Select(static r => $"{Comparison.Milliseconds(r.Mean)} / {Comparison.Milliseconds(r.P99)}"),
            ]);
        }

        foreach (Comparison comparison in comparisons)
        {
            text.Append("\n### ").Append(comparison.Scenario.Name).Append("\n\n").Append(comparison.Scenario.Description).Append("\n\n");
            Head(text, comparison.Columns);
            foreach (string[] row in comparison.Results.Select(Comparison.Row)) Row(text, [Code(row[0]), .. row[1..]]);
        }

        return text.ToString();
    }

    private static void Head(StringBuilder text, string[] cells)
    {
        Row(text, cells);
        text.Append("|---|").Insert(text.Length, "--:|", cells.Length - 1).Append('\n');
    }

    private static void Row(StringBuilder text, string[] cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    // Names of pools are the configuration's: they must not end the code or the cell.
    private static string Code(string name) => $"`{name.Replace('`', '\'').Replace('|', '/')}`";
}
