namespace Lb.Peers;

/// <summary>The loads that are a flow of work: all proxies live side by side and take turns, so that a change of the machine's mood meets all of them.</summary>
internal sealed class FlowBench(IReadOnlyList<Service> proxies, Options options, TimeProvider time, Results results)
{
    private readonly Dictionary<int, double> _direct = [];

    public async Task RunAsync(IReadOnlyList<Load> loads, CancellationToken ct)
    {
        Dictionary<Service, Child> live = [];
        try
        {
            foreach (Service proxy in proxies) live.Add(proxy, await proxy.StartAsync(options.ProxyCpu, time, ct));
            if (options.Warmup > 0) await WarmUpAsync(loads, ct);
            for (int round = 1; round <= options.Rounds; round++)
            {
                foreach (Load load in loads)
                {
                    foreach (Service proxy in (round % 2 == 1 ? proxies : proxies.Reverse()).Where(p => load.IsFor(p.Name)))
                        results.Add(await MeasureAsync(load, proxy, live[proxy], round, ct));
                }
            }
        }
        finally
        {
            foreach (Child child in live.Values) await child.DisposeAsync();
        }
    }

    // For the JIT's tiers, and for everybody's pools and caches.
    private async Task WarmUpAsync(IReadOnlyList<Load> loads, CancellationToken ct)
    {
        foreach (Service proxy in proxies)
        {
            foreach (Load load in loads.Where(l => l.IsFor(proxy.Name)))
            {
                Console.Error.WriteLine($"warm-up  {load.Name,-11}  {proxy.Name}");
                WorkDone done = await load.RunAsync(proxy.Port, options.Warmup, options, time, ct);
                if (done.Units == 0) throw new BenchException($"{proxy.Name} serves nothing under {load.Name}: {string.Join("; ", done.Errors)}");
            }
        }
    }

    /// <summary>The backend's own 99th percentile in this round, without a proxy.</summary>
    private async Task<double> DirectAsync(int round, CancellationToken ct)
    {
        if (_direct.TryGetValue(round, out double known)) return known;
        WorkDone done = await Load.Latency.RunAsync(Workspace.BackendPort, options.Seconds, options, time, ct);
        if (done.Units == 0) throw new BenchException($"the backend alone serves nothing: {string.Join("; ", done.Errors)}");
        return _direct[round] = done.P99;
    }

    private async Task<Measurement> MeasureAsync(Load load, Service proxy, Child child, int round, CancellationToken ct)
    {
        try
        {
            double direct = load == Load.Latency ? await DirectAsync(round, ct) : 0;
            double cpu = ProcFs.CpuSeconds(child.Id);
            long switches = ProcFs.ContextSwitches(child.Id);
            WorkDone done = await load.RunAsync(proxy.Port, options.Seconds, options, time, ct);
            cpu = ProcFs.CpuSeconds(child.Id) - cpu;
            switches = ProcFs.ContextSwitches(child.Id) - switches;
            if (done.Units == 0) throw new BenchException($"{proxy.Name} serves nothing under {load.Name}: {string.Join("; ", done.Errors)}");
            double value = load == Load.Latency ? Math.Max(1, done.P99 - direct) : cpu / done.Units * load.ValueScale;
            return new(load, proxy.Name, round, value, done.Units / options.Seconds, switches / done.Units, done.Errors);
        }
        catch (IOException) when (child.HasExited)
        {
            throw new BenchException($"{proxy.Name} ended with exit code {child.ExitCode} under {load.Name}:\n{child.Output}");
        }
    }
}
