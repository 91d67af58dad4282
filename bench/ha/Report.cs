using System.Globalization;
using System.Text;

namespace Lb.HaBench;

/// <summary>The results as Markdown: what has to be, what was got.</summary>
internal sealed class Report(Options options, IReadOnlyList<Series> series, IReadOnlyList<Total> totals)
{
    private const double LongestStop = 10;
    private const double LongestLease = 3_000;
    private const double Dead = 1_000;

    private readonly StringBuilder _text = new();

    public bool AllMet { get; private set; } = true;

    public string Markdown(IEnumerable<(string Name, string Value)> facts)
    {
        Line("# Failover, as a client sees it that asks each millisecond");
        Line();
        if (options.Quick) Line("**A quick run: few rounds, a machine that others use. A look, no result.**\n");
        if (options.Note is not null) Line($"**{options.Note}**\n");
        Line("Two hosts in network namespaces, priorities 200 and 100, the fault hits the first one. Ours and keepalived in the same run, in turn.");
        Line("How it is measured and what is not claimed: [bench/README.md](../README.md).");
        Line();
        Line("| What | must | got | keepalived | Verdict |");
        Line("|---|---|---:|---:|---|");
        foreach (string part in Options.AllParts.Take(3))
        {
            foreach (string fault in Options.AllFaults) Fault(part, fault);
        }

        foreach (string pair in new[] { "lb over lb", "lb over keepalived", "keepalived over lb" }) Heal(pair);
        if (Find("lease", "address gone from the killed node", "lb") is { } lease)
            Row("kill -9, kernel alive: address gone from the dead node", "≤ 3 s", $"{Number(lease.Values.Max())} ms at most", Find("lease", lease.What, "keepalived") is { } never ? Number(never.Median, "never (10 s)") : "", lease.Values.Max() <= LongestLease);
        foreach (Total total in totals)
            Row(total.What, total.Goal is { } goal ? total.Unit == "bytes" ? "0" : $"≤ {Number(goal)}" : "", $"{total.Value.ToString("0.##", CultureInfo.InvariantCulture)} {total.Unit}", "", total.Goal is null ? null : total.Value <= total.Goal);
        Line();
        Line("## All figures, ms");
        Line();
        Line("| Part | What | Program | Median | Least–most | Rounds |");
        Line("|---|---|---|---:|---:|---:|");
        foreach (Series one in series) Line($"| {one.Part} | {one.What} | {one.Program} | {Number(one.Median)} | {Number(one.Values.Min())}–{Number(one.Values.Max())} | {one.Values.Count} |");
        Line();
        foreach (Total total in totals.Where(static t => t.Besides.Length > 0)) Line($"* {total.What}: {total.Besides}.");
        Line();
        Line("## Machine and run");
        Line();
        Line("| | |");
        Line("|---|---|");
        foreach ((string name, string value) in facts) Line($"| {name} | {value} |");
        return _text.ToString();
    }

    private static string Setting(string part) => part switch
    {
        "v2-1s" => "v2 1 s",
        "v3-100ms" => "v3 100 ms",
        _ => "v3 10 ms",
    };

    private void Fault(string part, string fault)
    {
        string what = fault == "kill9" ? "kill9: the other host answers" : $"{fault}: client outage";
        if (Find(part, what, "lb") is not { } ours || Find(part, what, "keepalived") is not { } theirs) return;
        bool isStop = fault == "term";
        bool? met = isStop && part != "v3-10ms" ? ours.Median <= LongestStop : part == "v2-1s" ? null : ours.Median <= theirs.Median;
        string must = isStop && part != "v3-10ms" ? "≤ 10 ms" : part == "v2-1s" ? "" : "≤ keepalived";
        Row($"{what.Replace("term:", "graceful stop:", StringComparison.Ordinal).Replace("kill9:", "kill -9:", StringComparison.Ordinal).Replace("ifdown:", "interface down:", StringComparison.Ordinal).Replace("silent:", "silent cut:", StringComparison.Ordinal)}, {Setting(part)}", must, $"{Number(ours.Median)} ms", $"{Number(theirs.Median)} ms", met);
    }

    private void Heal(string pair)
    {
        const string What = "client outage after a split heals";
        if (Find("heal", What, pair) is not { } ours) return;
        Series? theirs = Find("heal", What, "keepalived over keepalived");
        Row($"heal after split, {pair}: rounds dead for more than 1 s", "0", Rounds(ours), theirs is null ? "" : Rounds(theirs), ours.Values.All(static v => v <= Dead));

        static string Rounds(Series of) => $"{of.Values.Count(static v => v > Dead)} of {of.Values.Count}";
    }

    private Series? Find(string part, string what, string program) => series.FirstOrDefault(s => s.Part == part && s.What == what && s.Program == program);

    private void Row(string what, string must, string got, string theirs, bool? met)
    {
        AllMet &= met != false;
        Line($"| {what} | {must} | {got} | {theirs} | {met switch { true => "pass", false => "**FAIL**", _ => "" }} |");
    }

    private static string Number(double value, string infinite = "not seen") => double.IsInfinity(value) ? infinite : value.ToString(value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);

    private void Line(string line = "") => _text.Append(line).Append('\n');
}
