using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Lb.Peers;

/// <summary>What a reader needs to know to judge the figures: name and value of each fact.</summary>
internal static class Machine
{
    public static async Task<List<(string Name, string Value)>> FactsAsync(Options options, Tools tools, TimeProvider time, CancellationToken ct)
    {
        List<(string Name, string Value)> facts =
        [
            ("Date", time.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
            ("Commit", await LbBuild.CommitAsync(time, ct)),
            ("CPU", $"{CpuModel()}; proxy on cpu{options.ProxyCpu}, backend and client on cpu{options.ClientCpu}"),
            ("Kernel", $"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()} {RuntimeInformation.OSArchitecture}"),
            ("Soft interrupts", SoftInterrupts()),
            ("Network", options.UseNetns ? "loopback in a network namespace of its own" : "loopback of the host"),
            ("Congestion control", Netns.CongestionControl + (options.UseNetns ? "" : " (the host's)")),
            ("Open files", $"limit {ProcFs.OpenFileLimit()}, so {IdleBench.Connections(options)} idle connections"),
            (".NET", RuntimeInformation.FrameworkDescription),
            ("Peers", string.Join(", ", new[] { tools.HaproxyVersion, tools.NginxVersion, tools.WrkVersion }.Where(static v => v.Length > 0))),
            ("Load average", $"{LoadAverage()} at the start"),
            ("Options", $"`{options.Describe()}`"),
        ];
        if (options.NeedsLb) facts.Insert(2, ("lb", $"lb.dll {FileVersionInfo.GetVersionInfo(options.LbPath!).ProductVersion}, JIT"));
        return facts;
    }

    // Most of a proxy's work is done in soft interrupts; a kernel with this option keeps them out of every process's CPU, and the figures mean less.
    private static string SoftInterrupts()
    {
        string release = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        string[] files = ["/proc/config.gz", $"/boot/config-{release}"];
        string? file = files.FirstOrDefault(File.Exists);
        if (file is null) return "unknown whether charged to the process (no kernel configuration to read)";
        using Stream raw = File.OpenRead(file);
        using StreamReader text = new(file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(raw, CompressionMode.Decompress) : raw);
        return text.ReadToEnd().Contains("CONFIG_IRQ_TIME_ACCOUNTING=y", StringComparison.Ordinal)
            ? "not charged to the process (CONFIG_IRQ_TIME_ACCOUNTING)"
            : "charged to the process";
    }

    public static string LoadAverage() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3));

    private static string CpuModel() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(static l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";
}
