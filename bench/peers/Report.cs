using System.Globalization;
using System.Text;

namespace Lb.Peers;

/// <summary>The results as Markdown.</summary>
internal static class Report
{
    public static string Markdown(Options options, IEnumerable<(string Name, string Value)> facts, Results results)
    {
        StringBuilder text = new();
        void Line(string line = "") => text.Append(line).Append('\n');
        List<Load> loads = [.. Load.All.Where(load => options.Loads.Contains(load.Name))];

        Line("# Layer 4: CPU per unit of work, beside HAProxy and nginx");
        Line();
        Line("Whole-process CPU (user + system) of the proxy, one thread, one processor. Ratio: to HAProxy, for UDP to nginx, in the same round; median (least–most) of the rounds.");
        Line("`haproxy` and `nginx` as they come (16 KiB buffers, copying); `haproxy-splice` is HAProxy with `option splice-request` and `splice-response`.");
        Line("Lower is better. How it is measured and what is not claimed: [bench/README.md](../README.md).");
        Line();
        Line("| Load | Whose | What | Median (least–most) | Must | Aim | Verdict |");
        Line("|---|---|---|---:|---:|---:|---|");
        foreach (Goal goal in Goal.All.Where(goal => goal.IsMet(results) is not null)) Line(goal.Row(results));
        Line();
        Line("## All figures");
        Line();
        Line("| Load | Proxy | Median | Unit | Ratio | Rate (information) | Context switches | Errors |");
        Line("|---|---|---:|---|---:|---:|---:|---:|");
        foreach (Load load in loads)
        {
            foreach (string proxy in options.AllProxies.Where(load.IsFor)) Line(Row(load, proxy, results));
        }

        Line();
        if (loads.Contains(Load.Idle))
        {
            Line("`idle`: growth of the process's resident memory per proxied connection (client side and server side), two seconds after the last one was opened, in a fresh");
            Line("process after a little traffic. For lb it holds the slack of the garbage-collected heap. The kernel's socket memory is in nobody's figure.");
            Line();
        }

        if (results.Errors.Any())
        {
            Line("## Errors: this run does not count");
            Line();
            foreach (string error in results.Errors) Line($"- {error.ReplaceLineEndings(" ")}");
            Line();
        }

        Line("## Round by round");
        Line();
        Line("| Load | Proxy | Values | Ratios |");
        Line("|---|---|---|---|");
        foreach (Load load in loads)
        {
            foreach (string proxy in options.AllProxies.Where(load.IsFor))
            {
                string values = List(results.Of(load, proxy).Select(static m => m.Value), ValueFormat(load));
                Line($"| {load.Name} | {proxy} | {values} | {List(results.Ratios(load, proxy), "0.00")} |");
            }
        }

        Line();
        Line("## Machine and run");
        Line();
        Line("| | |");
        Line("|---|---|");
        foreach ((string name, string value) in facts) Line($"| {name} | {value} |");
        return text.ToString();
    }

    private static string Row(Load load, string proxy, Results results)
    {
        IReadOnlyList<Measurement> rounds = results.Of(load, proxy);
        IReadOnlyList<double> ratios = results.Ratios(load, proxy);
        string ratio = ratios.Count == 0
            ? "–"
            : $"{Format(Results.Median(ratios), "0.00")} ({Format(ratios.Min(), "0.00")}–{Format(ratios.Max(), "0.00")})";
        string rate = $"{Format(Median(static m => m.Rate), load.IsBulk ? "0.00" : "#,0")} {load.RateUnit}";
        string switches = load == Load.Idle || load == Load.Latency ? "" : $"{Format(Median(static m => m.Switches), load.IsBulk ? "#,0" : "0.000")} /{load.Unit.Split('/')[1]}";
        string value = Format(Median(static m => m.Value), ValueFormat(load));
        int errors = rounds.Sum(static m => m.Errors.Count);
        return $"| {load.Name} | {proxy} | {value} | {load.Unit} | {ratio} | {rate} | {switches} | {errors} |";

        double Median(Func<Measurement, double> of) => Results.Median(rounds.Select(of));
    }

    private static string ValueFormat(Load load) => load.IsBulk ? "0.000" : load == Load.Idle ? "0.00" : "0.0";

    private static string List(IEnumerable<double> values, string format) => string.Join(", ", values.Select(v => Format(v, format)));

    private static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
