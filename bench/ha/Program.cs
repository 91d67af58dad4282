using System.Globalization;
using System.Runtime.InteropServices;
using Lb.Interop.Tests.Vrrp;
using Lb.Peers;

namespace Lb.HaBench;

/// <summary>
/// Entry. One executable, three parts: the measurement, and inside a namespace <c>routers</c> and <c>garbage</c> (routers that measure their own process).
/// Exit codes: 0 measured, 1 a goal was missed with --strict, 2 cannot run, 130 stopped.
/// </summary>
internal static class Program
{
    private static readonly RouterSpec s_fast = new(200), s_fastest = new(200, Centiseconds: 1), s_slow = new(200, Version: 2, Centiseconds: 100);

    private static async Task<int> Main(string[] args)
    {
        try
        {
            return args switch
            {
                ["routers", string file, string seconds] => await Inner.RunAsync(file, int.Parse(seconds, CultureInfo.InvariantCulture), garbage: false),
                ["garbage", string file, string seconds] => await Inner.RunAsync(file, int.Parse(seconds, CultureInfo.InvariantCulture), garbage: true),
                _ when args.Any(static a => a is "-h" or "--help") => Help(),
                _ => await MeasureAsync(Options.Parse(args), TimeProvider.System),
            };
        }
        catch (BenchException e)
        {
            await Console.Error.WriteLineAsync($"lb-ha-bench: {e.Message}");
            return 2;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("lb-ha-bench: stopped");
            return 130;
        }
    }

    private static async Task<int> MeasureAsync(Options options, TimeProvider time)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) throw new BenchException("network namespaces need Linux and root (run it with sudo)");
        if (!File.Exists(Node.NeedKeepalived.Item1)) throw new BenchException("missing: keepalived (Debian package keepalived)");
        using StopSignal stop = new();
        Child version = await Child.RunAsync("keepalived", null, ["keepalived", "--version"], TimeSpan.FromSeconds(10), time, stop.Token);
        List<(string Name, string Value)> facts =
        [
            ("Date", time.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
            ("Commit", await LbBuild.CommitAsync(time, stop.Token)),
            ("CPU", $"{Hardware.CpuModel()}, {Environment.ProcessorCount} processors, nothing pinned"),
            ("Kernel", $"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()} {RuntimeInformation.OSArchitecture}"),
            (".NET", RuntimeInformation.FrameworkDescription),
            ("Peer", version.Output.Split('\n').FirstOrDefault(static l => l.Contains("eepalived v", StringComparison.Ordinal))?.Trim() ?? "keepalived"),
            ("Load average", $"{Hardware.LoadAverage()} at the start"),
            ("Options", $"`{options.Describe()}`"),
        ];
        List<Series> series = [];
        List<Total> totals = [];
        FaultBench faults = new(options, series);
        LoadBench load = new(options, totals);
        foreach (string part in Options.AllParts.Where(options.Parts.Contains))
        {
            Console.Error.WriteLine($"--- {part}");
            await (part switch
            {
                "v2-1s" => faults.RunAsync(part, s_slow, stop.Token),
                "v3-100ms" => faults.RunAsync(part, s_fast, stop.Token),
                "v3-10ms" => faults.RunAsync(part, s_fastest, stop.Token),
                "heal" => faults.HealAsync(s_fast, stop.Token),
                "lease" => faults.LeaseAsync(s_fast, stop.Token),
                "many" => load.ManyAsync(stop.Token),
                _ => GarbageAsync(load, stop.Token),
            });
        }

        facts.Insert(facts.Count - 1, ("Load average after", Hardware.LoadAverage()));
        Report report = new(options, series, totals);
        string text = report.Markdown(facts);
        Console.WriteLine(text);
        Save(text, options, time);
        return options.Strict && !report.AllMet ? 1 : 0;
    }

    private static async Task GarbageAsync(LoadBench load, CancellationToken ct)
    {
        TimeSpan ahead = TimeSpan.FromMilliseconds(300);
        await load.GarbageAsync(s_fastest, ahead, isRealTime: true, 30, counts: true, ct);
        await load.GarbageAsync(s_fastest, ahead, isRealTime: false, null, counts: false, ct);
        await load.GarbageAsync(s_fastest, TimeSpan.Zero, isRealTime: false, null, counts: false, ct);
        await load.GarbageAsync(s_fast, TimeSpan.Zero, isRealTime: false, null, counts: true, ct);
    }

    private static void Save(string text, Options options, TimeProvider time)
    {
        if (options.Out == "-") return;
        string name = string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-dd}-ha.md");
        string path = Path.GetFullPath(options.Out ?? Path.Combine(LbBuild.Root ?? ".", "bench", "results", name));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        Console.Error.WriteLine($"written: {path}");
    }

    private static int Help()
    {
        Console.WriteLine(Options.Usage);
        return 0;
    }
}
