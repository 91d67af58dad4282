using System.Diagnostics;
using System.Globalization;
using Lb.Peers;

namespace Lb.HealthBench;

/// <summary>One figure of one program in one round.</summary>
/// <param name="Cpu">Processors used.</param>
/// <param name="PerCheck">CPU microseconds for a check.</param>
/// <param name="Rate">Checks a second, counted by the kernel.</param>
/// <param name="ResidentKiB">Resident memory at the end.</param>
internal sealed record Figure(string Program, int Round, double Cpu, double PerCheck, double Rate, double ResidentKiB)
{
    /// <summary>What only a program of ours tells.</summary>
    public Dictionary<string, double> Own { get; init; } = [];
}

/// <summary>The measurement: in each round one program after the other checks all servers for a while.</summary>
internal static class Bench
{
    private static readonly TimeSpan PeerWarmup = TimeSpan.FromSeconds(5);

    /// <summary>Makes a network namespace and measures in it: there every connection is one of a check, and the kernel counts them.</summary>
    public static async Task<int> RunAsync(string[] args, TimeProvider time)
    {
        using StopSignal stop = new();
        if (!OperatingSystem.IsLinux()) throw new BenchException("Linux only: the figures come from /proc");
        Options options = Options.Parse(args);
        await using Netns netns = await Netns.CreateAsync(time, stop.Token);
        string[] command = ["netns", "exec", netns.Name, "taskset", "-c", $"{options.OtherCpu}", .. Checker.Self, "inside", .. args];
        using Process inside = Process.Start(new ProcessStartInfo("ip", command))!;
        await inside.WaitForExitAsync(stop.Token);
        return inside.ExitCode;
    }

    public static async Task<int> MeasureAllAsync(Options options, TimeProvider time)
    {
        using StopSignal stop = new();
        using Workspace workspace = new();
        string loadBefore = Hardware.LoadAverage();
        await using Child listener = Checker.Listen(options);
        await Checker.WhenLineAsync(listener, 0, time, stop.Token);
        string? keepalivedSays = await TryKeepalivedAsync(options, workspace, time, stop.Token);

        List<Figure> figures = [];
        for (int round = 1; round <= options.Rounds; round++)
        {
            await using (Child haproxy = Checker.Haproxy(options, workspace))
                figures.Add(await MeasureAsync(haproxy, round, PeerWarmup, isOurs: false, options, time, stop.Token));
            if (keepalivedSays is null)
            {
                await using Child keepalived = Checker.Keepalived(options, workspace, options.Servers);
                figures.Add(await MeasureAsync(keepalived, round, PeerWarmup, isOurs: false, options, time, stop.Token));
            }

            await using Child lb = Checker.Lb(options, options.Servers);
            figures.Add(await MeasureAsync(lb, round, TimeSpan.FromSeconds(options.Warmup), isOurs: true, options, time, stop.Token));
        }

        // What the process has without the servers.
        await using Child alone = Checker.Lb(options, 1);
        Figure none = await MeasureAsync(alone, 0, PeerWarmup, isOurs: true, options, time, stop.Token);

        Report report = new(options, figures, none, keepalivedSays);
        string text = report.Markdown(await FactsAsync(options, loadBefore, time, stop.Token));
        Console.WriteLine(text);
        Save(text, options, time);
        return options.Strict && !report.AllMet ? 1 : 0;
    }

    private static async Task<Figure> MeasureAsync(
        Child checker, int round, TimeSpan warmup, bool isOurs, Options options, TimeProvider time, CancellationToken ct)
    {
        if (isOurs) await Checker.WhenLineAsync(checker, 0, time, ct);
        await Task.Delay(warmup, time, ct);
        if (checker.HasExited) throw new BenchException($"{checker.Name} ended with exit code {checker.ExitCode}:\n{checker.Output}");
        if (isOurs) await Checker.AskAsync(checker, "reset", time, ct);
        double openedBefore = Opened(), cpuBefore = Checker.CpuSeconds(checker);
        long start = time.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(options.Seconds), time, ct);
        double cpu = Checker.CpuSeconds(checker) - cpuBefore, seconds = time.GetElapsedTime(start).TotalSeconds;
        double checks = Opened() - openedBefore;
        double resident = ProcFs.ResidentKiB(checker.Id);
        Dictionary<string, double> own = isOurs ? await Checker.AskAsync(checker, "heap", time, ct) : [];
        if (isOurs) own["collected"] = ProcFs.ResidentKiB(checker.Id);
        Figure figure = new(checker.Name, round, cpu / seconds, cpu / checks * 1e6, checks / seconds, resident) { Own = own };
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"round {round}  {figure.Program,-10}  {figure.PerCheck,6:0.0} µs/check  {figure.Cpu:0.000} cores  {figure.Rate:0} checks/s  {figure.ResidentKiB:0} KiB  {string.Join(' ', own)}"));
        return figure;
    }

    /// <summary>Connections begun in this network so far. The servers can't tell: HAProxy's checks, and ours, end before a program sees them.</summary>
    private static double Opened()
    {
        string[][] tcp = [.. File.ReadLines("/proc/net/snmp").Where(static l => l.StartsWith("Tcp:", StringComparison.Ordinal)).Select(static l => l.Split(' '))];
        return double.Parse(tcp[1][Array.IndexOf(tcp[0], "ActiveOpens")], CultureInfo.InvariantCulture);
    }

    /// <summary>Null when it runs, else what it says.</summary>
    private static async Task<string?> TryKeepalivedAsync(Options options, Workspace workspace, TimeProvider time, CancellationToken ct)
    {
        try
        {
            await using Child child = Checker.Keepalived(options, workspace, 1);
            await Task.WhenAny(child.WaitAsync(ct), Task.Delay(PeerWarmup, time, ct));
            if (!child.HasExited) return null;
            string? reason = child.Output.Split('\n').FirstOrDefault(static l => l.Contains("ipvs:", StringComparison.OrdinalIgnoreCase) || l.Contains("IPVS:", StringComparison.Ordinal));
            return $"exit code {child.ExitCode}: {reason?.Split(": ", 2)[^1] ?? child.Output.Trim()}";
        }
        catch (BenchException e)
        {
            return e.Message;
        }
    }

    private static async Task<List<(string Name, string Value)>> FactsAsync(Options options, string loadBefore, TimeProvider time, CancellationToken ct) =>
    [
        ("Date", time.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
        ("Commit", await LbBuild.CommitAsync(time, ct)),
        ("CPU", $"{Hardware.CpuModel()}; whoever checks on cpu{options.CheckerCpu}, the servers on cpu{options.OtherCpu}"),
        ("Kernel", $"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}"),
        ("Soft interrupts", Hardware.SoftInterrupts()),
        (".NET", System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription),
        ("HAProxy", (await Child.RunAsync("haproxy", null, ["haproxy", "-v"], TimeSpan.FromSeconds(10), time, ct)).Output.Split('\n')[0].Split(" - http")[0]),
        ("Load average", $"{loadBefore} at the start, {Hardware.LoadAverage()} at the end"),
        ("Options", $"`{options.Describe()}`"),
    ];

    private static void Save(string text, Options options, TimeProvider time)
    {
        if (options.Out == "-") return;
        string name = string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-dd}-health.md");
        string path = Path.GetFullPath(options.Out ?? Path.Combine(LbBuild.Root ?? ".", "bench", "results", name));
        File.WriteAllText(path, text);
        Console.Error.WriteLine($"written: {path}");
    }
}
