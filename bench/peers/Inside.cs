using System.Globalization;

namespace Lb.Peers;

/// <summary>The measuring process, in the namespace: backend, proxies, loads, report.</summary>
internal static class Inside
{
    // Everything is bounded one by one; this is the bound of the whole, far above any sensible run.
    private static readonly TimeSpan WholeLimit = TimeSpan.FromHours(4);

    public static async Task<int> RunAsync(Options options, TimeProvider time)
    {
        using StopSignal stop = new();
        using CancellationTokenSource late = new(WholeLimit, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, late.Token);
        _ = Task.Run(() =>
        {
            // The end of standard input: the outer process stops or is gone.
            while (Console.In.Read() >= 0) { }
            stop.Stop();
        });

        if (options.UseNetns) Netns.UseReno();
        Tools tools = await Tools.CheckAsync(options, time, either.Token);
        List<(string Name, string Value)> facts = await Machine.FactsAsync(options, tools, time, either.Token);
        Results results = new();
        await MeasureAsync(options, tools, time, results, either.Token);
        facts.Insert(facts.Count - 1, ("Load average after", Hardware.LoadAverage()));

        string report = Report.Markdown(options, facts, results);
        Console.WriteLine(report);
        Save(report, options, time);
        if (results.Errors.Any()) return 1;
        bool isMissed = Goal.All.Any(goal => goal.IsMet(results) == false);
        return options.Strict && isMissed ? 1 : 0;
    }

    private static async Task MeasureAsync(Options options, Tools tools, TimeProvider time, Results results, CancellationToken ct)
    {
        using Workspace workspace = new();
        workspace.WriteBulkFile();
        if (options.NeedsTls) workspace.WriteCertificate(time);
        int connections = IdleBench.Connections(options);
        await using Child backend = await Nginx.Backend(workspace, connections).StartAsync(options.ClientCpu, time, ct);
        await using Child? echo = options.Loads.Contains(Load.Udp.Name)
            ? await new Service("udp echo", Workspace.EchoPort, [.. Outside.Self, "client", "udpecho", $"{Workspace.EchoPort}"]).StartAsync(options.ClientCpu, time, ct)
            : null;
        List<Service> proxies =
            [.. options.AllProxies.Select((name, i) => ProxyPlan.Make(name, Workspace.FirstProxyPort + i, connections, options, tools, workspace))];
        List<Load> loads = [.. Load.All.Where(load => options.Loads.Contains(load.Name))];
        List<Load> flows = [.. loads.Where(static load => load != Load.Idle)];
        if (flows.Count > 0) await new FlowBench(proxies, options, time, results).RunAsync(flows, ct);
        if (loads.Contains(Load.Idle)) await new IdleBench([.. proxies.Where(static p => Load.Idle.IsFor(p.Name))], options, time, results).RunAsync(ct);
    }

    private static void Save(string report, Options options, TimeProvider time)
    {
        if (options.Out == "-") return;
        string name = string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-dd}-l4.md");
        string path = Path.GetFullPath(options.Out ?? Path.Combine(LbBuild.Root ?? ".", "bench", "results", name));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, report);
        Console.Error.WriteLine($"written: {path}");
    }
}
