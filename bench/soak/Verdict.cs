using System.Globalization;
using System.Text;

namespace Lb.Soak;

/// <summary>Whether the run was flat, and its table. The first fifth is warm-up; the first and the last third of the rest are compared.</summary>
internal sealed class Verdict(Options options, IReadOnlyList<Sample> samples, Sample after, Traffic traffic, int exitCode, int idleBroken)
{
    private readonly Sample[] _rest = [.. samples.Skip(samples.Count / 5)];

    public bool IsFlat => Faults().Count == 0;

    public void Write(TimeProvider time)
    {
        string report = Markdown(time);
        Console.WriteLine(report);
        if (options.Out == "-") return;
        string name = string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-dd}-soak-{options.Driver}.md");
        File.WriteAllText(options.Out ?? Path.Combine("bench", "results", name), report);
    }

    private List<string> Faults()
    {
        List<string> faults = [];
        if (traffic.Wrong > 0) faults.Add($"{traffic.Wrong} answers had a wrong byte");
        if (exitCode != 0) faults.Add($"the gateway ended with exit code {exitCode}");
        if (after.Open != 0) faults.Add($"{after.Open} connections are left open after all clients have gone");
        Grows("descriptors", static s => s.Descriptors, 1.10);
        Grows("managed heap", static s => s.Heap, 1.15);
        Grows("resident memory", static s => s.Resident, 1.10);
        return faults;

        void Grows(string what, Func<Sample, long> value, double most)
        {
            (double first, double last) = Thirds(value);
            if (last > first * most) faults.Add(string.Create(CultureInfo.InvariantCulture, $"{what} grew from {first:0} to {last:0}"));
        }
    }

    private (double First, double Last) Thirds(Func<Sample, long> value)
    {
        int third = Math.Max(1, _rest.Length / 3);
        return (Median(_rest.Take(third).Select(value)), Median(_rest.TakeLast(third).Select(value)));
    }

    private static double Median(IEnumerable<long> values)
    {
        long[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted[sorted.Length / 2];
    }

    private string Markdown(TimeProvider time)
    {
        StringBuilder text = new();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"# Soak: {options.Minutes} minutes, driver {options.Driver}, {options.Loops} loops");
        Line($"");
        Line($"Echo servers behind a TCP gateway, one of three down for ten seconds of every thirty; polite, short, bulk, slow and rude clients, {options.Idle} idle ones. {time.GetUtcNow():yyyy-MM-dd}.");
        Line($"{traffic.Connections} connections, {traffic.Messages} messages whole, {traffic.Wrong} wrong bytes, {traffic.Broken} clients cut by the server that goes down and by their own rudeness; {idleBroken} idle ones lost with that server.");
        List<string> faults = Faults();
        Line($"");
        Line($"Verdict: **{(faults.Count == 0 ? "flat" : string.Join("; ", faults))}**. After all clients had gone: {after.Open} connections, {after.Descriptors} descriptors, heap {after.Heap / 1024} KiB.");
        Line($"");
        Line($"| | first third after warm-up | last third |");
        Line($"|---|---:|---:|");
        foreach ((string name, Func<Sample, long> value, double scale) in ((string, Func<Sample, long>, double)[])
            [("connections open", static s => s.Open, 1), ("descriptors", static s => s.Descriptors, 1), ("managed heap after collection, KiB", static s => s.Heap, 1024), ("resident, MiB", static s => s.Resident, 1 << 20)])
        {
            (double first, double last) = Thirds(value);
            Line($"| {name} | {first / scale:0} | {last / scale:0} |");
        }

        Line($"");
        Line($"| minute | open | accepted | GB relayed | descriptors | heap KiB | resident MiB |");
        Line($"|---:|---:|---:|---:|---:|---:|---:|");
        foreach (Sample s in samples.Where(static (_, i) => i % 6 == 5))
            Line($"| {s.At.TotalMinutes:0.0} | {s.Open} | {s.Total} | {s.Bytes / 1e9:0.00} | {s.Descriptors} | {s.Heap / 1024} | {s.Resident >> 20} |");
        Line($"");
        Line($"Ends: {after.Ends.Replace(",", ", ", StringComparison.Ordinal)}");
        return text.ToString();
    }
}
