using System.Globalization;
using Lb.Interop.Tests.Peers;
using Lb.Interop.Tests.Vrrp;
using Lb.Peers;

namespace Lb.HaBench;

/// <summary>A figure of a whole measurement, what it has to be at most, and what was seen besides.</summary>
internal sealed record Total(string What, double Value, string Unit, double? Goal, string Besides);

/// <summary>What routers cost, and whether their adverts leave in time while the process has no time.</summary>
internal sealed class LoadBench(Options options, List<Total> results)
{
    private const int Routers = 255;

    // How this executable starts itself once more.
    private static readonly string[] s_self = [Environment.ProcessPath!, .. Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(LoadBench).Assembly.Location] : Array.Empty<string>()];

    /// <summary>255 routers on one interface at 1 s.</summary>
    public async Task ManyAsync(CancellationToken ct)
    {
        using PeerHome home = new();
        await using HostNetwork network = new(1);
        string file = home.Write("many.json", $$"""
            { "Lb": { "Routers": { {{string.Join(",\n", Enumerable.Range(1, Routers).Select(static i => $$"""
              "r{{i}}": { "Interface": "eth0", "RouterId": {{i}}, "Priority": 200, "AdvertisementInterval": "1s", "Addresses": [ { "Address": "10.78.0.{{i}}/16", "OffLink": true } ] }
              """))}} } } }
            """);
        Dictionary<string, double> figures = await InsideAsync(network, "routers", file, null, null, ct);
        double each = figures["allocated"] / Math.Max(1, figures["adverts"]);
        string besides = string.Create(CultureInfo.InvariantCulture, $"{figures["active"]} Active, {figures["adverts"]} adverts, {figures["allocated"]} bytes in {options.Seconds} s, {figures["collections"]} collections");
        results.Add(new Total("255 routers at 1 s: CPU", figures["cpu"] * 100, "% of a core", 2, besides));
        results.Add(new Total("255 routers at 1 s: allocated per advert", each, "bytes", 1, "of the whole process, the measuring included; less than 1 = nothing by adverts"));
    }

    /// <summary>Adverts while the collector works; the backup, in a process of its own, tells by taking over.</summary>
    /// <param name="router">The router, at its interval.</param>
    /// <param name="ahead">Adverts queued ahead by so much; zero = not.</param>
    /// <param name="isRealTime">Whether the thread has a real-time priority.</param>
    /// <param name="goal">The longest gap that is allowed, in milliseconds; null = only no failover.</param>
    /// <param name="counts">Whether a failover is a goal missed.</param>
    /// <param name="ct">Stops it.</param>
    public async Task GarbageAsync(RouterSpec router, TimeSpan ahead, bool isRealTime, double? goal, bool counts, CancellationToken ct)
    {
        using PeerHome home = new();
        await using HostNetwork network = new(2);
        await using LbNode backup = new LbNode(network, 2).With([router.ForLb(2, 100)]);
        backup.Start();
        string file = home.Write("garbage.json", $$"""
            { "Lb": { "Vrrp": { "QueueAhead": "{{ahead.TotalMilliseconds}}ms", "RealTimePriority": {{(isRealTime ? 50 : 0)}} }, "Routers": { {{router.ForLb(1, 200)}} } } }
            """);
        using AdvertWatch watch = new(network.Client, "10.77.0.1");
        (int first, int changes) = (0, 0);
        double[] gaps = [];
        int failovers = 0;
        Dictionary<string, double> figures = await InsideAsync(
            network, "garbage", file, () => (first, changes) = (watch.Count, network.Addresses.Changes.Count),
            () => (gaps, failovers) = (watch.Gaps(first), network.Addresses.Changes.All.Skip(changes).Count(static c => c is { Host: 2, IsAdded: true })), ct);
        string name = string.Create(CultureInfo.InvariantCulture, $"{router.Centiseconds * 10} ms adverts under garbage collection{(ahead > TimeSpan.Zero ? ", queued ahead" : "")}{(isRealTime ? ", real-time priority" : "")}");
        string besides = string.Create(CultureInfo.InvariantCulture, $"{gaps.Length} gaps in {options.Seconds} s, {gaps.Count(g => g > router.Centiseconds * 15)} above 1.5 intervals; the process stood for {figures["pause"] * 100:F0} % of the time, {figures["collections"]} collections");
        results.Add(new Total($"{name}: longest gap", gaps.DefaultIfEmpty(double.NaN).Max(), "ms", goal, besides));
        results.Add(new Total($"{name}: false failovers", failovers, "", counts ? 0 : null, ""));
    }

    private async Task<Dictionary<string, double>> InsideAsync(HostNetwork network, string mode, string file, Action? begin, Action? end, CancellationToken ct)
    {
        await using Child child = Child.Start(mode, null, ["ip", "netns", "exec", network.Host(1).Name, .. s_self, mode, file, $"{options.Seconds}"]);
        await WhenSaysAsync("begin");
        begin?.Invoke();
        string line = await WhenSaysAsync("end ");
        end?.Invoke();
        child.Input.Close();
        await child.WaitAsync(ct);
        Console.Error.WriteLine($"{mode}: {line}");
        return line.Split(' ').Skip(1).Select(static p => p.Split('=')).ToDictionary(static p => p[0], static p => double.Parse(p[1], CultureInfo.InvariantCulture));

        async Task<string> WhenSaysAsync(string word)
        {
            while (true)
            {
                string? found = child.Output.Split('\n').SkipLast(1).FirstOrDefault(l => l.StartsWith(word, StringComparison.Ordinal));
                if (found is not null) return found;
                if (child.HasExited) throw new BenchException($"{mode} ended with {child.ExitCode}:\n{child.Output}");
                await Task.Delay(50, ct);
            }
        }
    }
}
