using System.Globalization;
using System.Text;

namespace Lb.HealthBench;

/// <summary>The results as Markdown, with the goals of issue "health" and whether they are met.</summary>
internal sealed class Report(Options options, IReadOnlyList<Figure> figures, Figure none, string? keepalivedSays)
{
    private readonly StringBuilder _text = new();

    public bool AllMet { get; private set; } = true;

    public string Markdown(IEnumerable<(string Name, string Value)> facts)
    {
        Figure[] ours = [.. figures.Where(static f => f.Program == "lb")];
        double[] ratios = [.. ours.Select(f => f.PerCheck / figures.First(h => h.Program == "haproxy" && h.Round == f.Round).PerCheck)];
        Line($"# Health checks: {options.Servers} servers, a TCP check every 2 s, beside HAProxy");
        Line();
        Line("Whole-process CPU (user + system) per connection that the kernel counted. Median of the rounds (least–most). Lower is better.");
        Line("How it is measured and what is not claimed: [bench/README.md](../README.md).");
        Line();
        Line("| What | Value | Goal | Verdict |");
        Line("|---|---:|---:|---|");
        Row("CPU of lb, cores", ours.Select(static f => f.Cpu), "0.000", 0.5);
        Row("CPU per check, lb to HAProxy", ratios, "0.00", 1.5);
        Row("Memory of lb per server, managed and native, KiB", ours.Select(f => (f.Own["collected"] - none.Own["collected"]) / options.Servers), "0.00", 4);
        Row("the same with garbage that is not collected yet", ours.Select(f => (f.ResidentKiB - none.ResidentKiB) / options.Servers), "0.00", null);
        Row("live managed objects alone, KiB", ours.Select(f => (f.Own["heap"] - none.Own["heap"]) / 1024 / options.Servers), "0.00", null);
        Row("Allocated per check, bytes", ours.Select(static f => f.Own["allocated"] / f.Own["checks"]), "0", 512);
        Row("Lateness of check starts, p99, ms", ours.Select(static f => f.Own["p99"] / 1000), "0.0", 100);
        Row("Lateness, median, ms", ours.Select(static f => f.Own["p50"] / 1000), "0.0", null);
        Row("Lateness, greatest, ms", ours.Select(static f => f.Own["max"] / 1000), "0.0", null);
        Row("Failed checks", ours.Select(static f => f.Own["failed"]), "0", 0);
        Line();
        Line("| Program | µs per check | Cores | Checks/s | Resident, MiB |");
        Line("|---|---:|---:|---:|---:|");
        foreach (IGrouping<string, Figure> program in figures.GroupBy(static f => f.Program))
            Line($"| {program.Key} | {Show(program.Select(static f => f.PerCheck), "0.0")} | {Show(program.Select(static f => f.Cpu), "0.000")} | {Show(program.Select(static f => f.Rate), "0")} | {Show(program.Select(static f => f.ResidentKiB / 1024), "0.0")} |");
        if (keepalivedSays is not null) Line($"| keepalived | does not run here: {keepalivedSays} | | | |");
        Line();
        Line("## Machine and run");
        Line();
        Line("| | |");
        Line("|---|---|");
        foreach ((string name, string value) in facts) Line($"| {name} | {value} |");
        return _text.ToString();
    }

    private void Row(string name, IEnumerable<double> values, string format, double? goal)
    {
        double[] all = [.. values];
        bool met = goal is null || Median(all) <= goal;
        AllMet &= met;
        string wanted = goal is { } limit ? $"≤ {limit.ToString(CultureInfo.InvariantCulture)}" : "";
        Line($"| {name} | {Show(all, format)} | {wanted} | {(goal is null ? "" : met ? "pass" : "**FAIL**")} |");
    }

    private static string Show(IEnumerable<double> values, string format)
    {
        double[] all = [.. values];
        return $"{Format(Median(all))} ({Format(all.Min())}–{Format(all.Max())})";

        string Format(double value) => value.ToString(format, CultureInfo.InvariantCulture);
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private void Line(string line = "") => _text.Append(line).Append('\n');
}
