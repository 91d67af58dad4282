using System.Diagnostics;
using System.Globalization;
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
            ("CPU", $"{Hardware.CpuModel()}; proxy on cpu{options.ProxyCpu}, backend and client on cpu{options.ClientCpu}"),
            ("Kernel", $"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()} {RuntimeInformation.OSArchitecture}"),
            ("Soft interrupts", Hardware.SoftInterrupts()),
            ("Network", options.UseNetns ? "loopback in a network namespace of its own" : "loopback of the host"),
            ("Congestion control", Netns.CongestionControl + (options.UseNetns ? "" : " (the host's)")),
            ("Open files", $"limit {ProcFs.OpenFileLimit()}, so {IdleBench.Connections(options)} idle connections"),
            (".NET", RuntimeInformation.FrameworkDescription),
            ("Peers", string.Join(", ", new[] { tools.HaproxyVersion, tools.NginxVersion, tools.WrkVersion }.Where(static v => v.Length > 0))),
            ("Load average", $"{Hardware.LoadAverage()} at the start"),
            ("Options", $"`{options.Describe()}`"),
        ];
        if (options.NeedsLb) facts.Insert(2, ("lb", $"lb.dll {FileVersionInfo.GetVersionInfo(options.LbPath!).ProductVersion}, JIT"));
        return facts;
    }
}
