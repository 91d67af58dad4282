using System.Globalization;
using System.Net;
using System.Text;
using Lb.Testing;

namespace Lb.Tool;

/// <summary>Comparisons as one page: an overview, then charts and a table for each scenario. Needs no script and nothing from elsewhere.</summary>
internal static class ComparisonPage
{
    /// <summary>Colours for policies; a further one begins anew.</summary>
    public const int Colours = 8;

    private const double Tolerable = 0.001;

    private const string Style = """
        :root { color-scheme: light dark; --text: #1c2430; --soft: #5b6675; --line: #dde2e9; --page: #f6f7f9; --card: #fff;
          --good: #d9f2e0; --fair: #fdf1cf; --bad: #fbdcd8;
          --c0: #2563a8; --c1: #d0702a; --c2: #2f8f5b; --c3: #8a5cb8; --c4: #b93a55; --c5: #5a7d8c; --c6: #9a7b1f; --c7: #4a4a8f; }
        @media (prefers-color-scheme: dark) { :root { --text: #e4e9f0; --soft: #9aa6b5; --line: #333c48; --page: #14181e; --card: #1c222b;
          --good: #1d3f2c; --fair: #463c18; --bad: #52241f;
          --c0: #6ea8e6; --c1: #eb9a5b; --c2: #63c18c; --c3: #b894e0; --c4: #e57f94; --c5: #8fb3c2; --c6: #d0b05a; --c7: #9c9ce0; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
        main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
        h1 { font-size: 1.7rem; margin: 0 0 .25rem; }
        h2 { font-size: 1.15rem; margin: 0; }
        p { margin: .25rem 0 1rem; color: var(--soft); }
        section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1.1rem 1.25rem; margin-top: 1.25rem; }
        a { color: inherit; }
        .wide { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { padding: .32rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
        th { font-weight: 600; color: var(--soft); font-size: .85rem; }
        th:first-child, td:first-child { text-align: left; }
        tbody tr:last-child td { border-bottom: 0; }
        td.good { background: var(--good); } td.fair { background: var(--fair); } td.bad { background: var(--bad); }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: .5rem 2rem; margin-bottom: .75rem; }
        figure { margin: 0; } figcaption { font-size: .85rem; font-weight: 600; color: var(--soft); }
        svg { width: 100%; height: auto; display: block; } svg text { fill: var(--text); font: 12px system-ui, sans-serif; } svg .value { fill: var(--soft); }

        """;

    /// <summary>The whole page.</summary>
    /// <param name="comparisons">At least one.</param>
    /// <param name="seed">Where chance began.</param>
    public static string Write(IReadOnlyList<Comparison> comparisons, int seed)
    {
        StringBuilder page = new();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
        page.Append("<title>Which policy?</title>\n<style>\n").Append(Style);
        for (int i = 0; i < Colours; i++) page.Append(CultureInfo.InvariantCulture, $".c{i} {{ fill: var(--c{i}); }}\n");
        page.Append("</style>\n</head>\n<body>\n<main>\n<h1>Which policy?</h1>\n");
        page.Append(CultureInfo.InvariantCulture, $"<p>Scheduling policies of Lb in virtual time: the pools and policies of production, simulated servers. Seed {seed}. Latencies are those that clients see.</p>\n");
        if (comparisons.Count > 1) Overview(page, comparisons);
        foreach (Comparison comparison in comparisons) Section(page, comparison);
        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static void Overview(StringBuilder page, IReadOnlyList<Comparison> comparisons)
    {
        page.Append("<section>\n<h2>p99 in ms</h2>\n<p>Green: within a tenth of the best of its row. Red: more than twice as much, or more than one error in a thousand.</p>\n<div class=\"wide\"><table>\n<thead><tr><th>scenario</th>");
        foreach (SimulationResult result in comparisons[0].Results) page.Append("<th>").Append(Encode(result.Policy)).Append("</th>");
        page.Append("</tr></thead>\n<tbody>\n");
        foreach (Comparison comparison in comparisons)
        {
            string name = Encode(comparison.Scenario.Name);
            page.Append("<tr><td><a href=\"#").Append(name).Append("\">").Append(name).Append("</a></td>");
            TimeSpan best = comparison.Results.Min(static r => r.P99);
            foreach (SimulationResult result in comparison.Results)
            {
                page.Append("<td class=\"").Append(Grade(result, best)).Append("\">").Append(Comparison.Milliseconds(result.P99)).Append(Errors(result)).Append("</td>");
            }

            page.Append("</tr>\n");
        }

        page.Append("</tbody>\n</table></div>\n</section>\n");
    }

    private static string Errors(SimulationResult result) =>
        result.ErrorShare <= Tolerable ? "" : string.Create(CultureInfo.InvariantCulture, $" ({100 * result.ErrorShare:F1} % errors)");

    private static string Grade(SimulationResult result, TimeSpan best) =>
        result.P99 > 2 * best || result.ErrorShare > Tolerable ? "bad" : result.P99 <= 1.1 * best ? "good" : "fair";

    private static void Section(StringBuilder page, Comparison comparison)
    {
        string name = Encode(comparison.Scenario.Name);
        page.Append("<section id=\"").Append(name).Append("\">\n<h2>").Append(name).Append("</h2>\n<p>").Append(Encode(comparison.Scenario.Description)).Append("</p>\n<div class=\"charts\">\n");
        Chart(page, comparison, "mean", static r => r.Mean);
        Chart(page, comparison, "p99", static r => r.P99);
        page.Append("</div>\n<div class=\"wide\"><table>\n<thead><tr>");
        foreach (string column in comparison.Columns) page.Append("<th>").Append(Encode(column)).Append("</th>");
        page.Append("</tr></thead>\n<tbody>\n");
        foreach (SimulationResult result in comparison.Results)
        {
            page.Append("<tr>");
            foreach (string cell in Comparison.Row(result)) page.Append("<td>").Append(Encode(cell)).Append("</td>");
            page.Append("</tr>\n");
        }

        page.Append("</tbody>\n</table></div>\n</section>\n");
    }

    private static void Chart(StringBuilder page, Comparison comparison, string what, Func<SimulationResult, TimeSpan> of)
    {
        page.Append("<figure><figcaption>").Append(what).Append(", ms</figcaption>\n");
        page.Append(BarChart.Write($"{comparison.Scenario.Name}: {what} in ms", [.. comparison.Results.Select(r => (r.Policy, of(r).TotalMilliseconds, Comparison.Milliseconds(of(r))))]));
        page.Append("</figure>\n");
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
