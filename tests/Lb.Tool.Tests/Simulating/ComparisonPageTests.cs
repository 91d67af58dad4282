using System.Xml.Linq;
using Lb.Testing;

namespace Lb.Tool.Tests;

public sealed class ComparisonPageTests
{
    private static Comparison Compare(SimulationScenario scenario, params string[] names)
    {
        SimulationResult result = Simulator.Run(scenario with { Requests = 200, WarmUp = TimeSpan.Zero });
        return new Comparison(scenario, [.. names.Select(name => result with { Policy = name })]);
    }

    private static string Write(params string[] names) => ComparisonPage.Write([Compare(SimulationScenarios.Find("homog70")!, names), Compare(SimulationScenarios.Find("gc1")!, names)], seed: 7);

    [Fact]
    public void The_page_is_well_formed_and_needs_nothing_from_elsewhere()
    {
        string page = Write("p2c", "roundrobin");
        XElement html = XDocument.Parse(page).Root!;
        Assert.Equal("html", html.Name);
        Assert.DoesNotContain(html.Descendants(), static e => e.Name.LocalName is "script" or "link" or "img" or "iframe" or "object" or "embed" or "base");
        Assert.DoesNotContain(html.Descendants().Attributes(), static a => a.Name.LocalName is "src" or "srcset" or "data" || a.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.All(html.Descendants("a"), static a => Assert.StartsWith("#", a.Attribute("href")!.Value));
        foreach (string word in (string[])["http:", "https:", "//", "url(", "@import", "src="]) Assert.DoesNotContain(word, page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("prefers-color-scheme: dark", page);
        Assert.Contains("Seed 7.", page);
    }

    [Fact]
    public void Every_scenario_has_two_charts_and_a_table_and_a_way_to_them()
    {
        XElement html = XDocument.Parse(Write("p2c", "roundrobin", "first")).Root!;
        Assert.Equal(["homog70", "gc1"], html.Descendants("section").Attributes("id").Select(static a => a.Value));
        Assert.Equal(["#homog70", "#gc1"], html.Descendants("a").Attributes("href").Select(static a => a.Value));
        foreach (XElement section in html.Descendants("section").Where(static s => s.Attribute("id") is not null))
        {
            Assert.Equal(["mean", "p99"], section.Descendants("svg").Attributes("aria-label").Select(static a => a.Value.Split(' ')[1]));
            Assert.All(section.Descendants("svg"), static svg => Assert.Equal(3, svg.Elements("rect").Count()));
            Assert.Equal(["p2c", "roundrobin", "first"], section.Descendants("tbody").Elements("tr").Select(static row => row.Elements("td").First().Value));
            Assert.Single(section.Descendants("tr").Select(static row => row.Elements().Count()).Distinct());
        }
    }

    [Theory]
    [InlineData(0, "good", "")]
    [InlineData(2, "bad", " (1.0 % errors)")]
    public void Errors_are_seen_in_the_overview(int errors, string grade, string words)
    {
        Comparison comparison = Compare(SimulationScenarios.Find("homog70")!, "p2c");
        comparison = comparison with { Results = [comparison.Results[0] with { Errors = errors }] };
        XElement cell = XDocument.Parse(ComparisonPage.Write([comparison, comparison], seed: 1)).Descendants("td").First(static td => td.Attribute("class") is not null);
        Assert.Equal((grade, $"{Comparison.Milliseconds(comparison.Results[0].P99)}{words}"), (cell.Attribute("class")!.Value, cell.Value));
    }

    [Fact]
    public void Names_from_a_configuration_stay_text()
    {
        const string name = "</text><script>alert(\"1\" & '2')</script>: p2c";
        string page = Write(name);
        XElement html = XDocument.Parse(page).Root!;
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(html.Descendants("td"), cell => cell.Value == name);
        Assert.Contains(html.Descendants("title"), title => title.Value == name);

        string markdown = MarkdownTables.Write([Compare(SimulationScenarios.Find("gc1")!, "a`b|c: p2c")]);
        Assert.Contains("| `a'b/c: p2c` |", markdown);
    }

    [Fact]
    public void Bars_are_as_long_as_their_values_and_one_of_nothing_is_seen()
    {
        XElement svg = XElement.Parse(BarChart.Write("t", [("a", 200, "200"), ("b", 50, "50"), ("c", 0, "0")]));
        double[] widths = [.. svg.Elements("rect").Select(static r => (double)r.Attribute("width")!)];
        Assert.Equal(widths[0] / 4, widths[1], 0.1);
        Assert.Equal(2, widths[2]);
        Assert.Equal(2, (double)XElement.Parse(BarChart.Write("t", [("a", 0, "0")])).Element("rect")!.Attribute("width")!);
        string[] bounds = svg.Attribute("viewBox")!.Value.Split(' ');
        Assert.All(svg.Elements("text"), text => Assert.InRange((double)text.Attribute("x")! + (text.Attribute("text-anchor") is null ? 7 * text.Value.Length : 0), 0, double.Parse(bounds[2])));
    }
}
