using Lb.Interop.Tests.Vrrp;

namespace Lb.HaBench;

/// <summary>One figure: of a part and a fault, by a program or a pair of them, once for each round. Milliseconds; infinite = it has not ended.</summary>
internal sealed record Series(string Part, string What, string Program, List<double> Values)
{
    public double Median
    {
        get
        {
            double[] sorted = [.. Values.Order()];
            return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }
    }
}

/// <summary>Faults of the first host, ours and keepalived's in turn: how long a client is without an answer, and when the other host answers.</summary>
internal sealed class FaultBench(Options options, List<Series> results)
{
    /// <summary>Time of probing before a fault.</summary>
    public static readonly TimeSpan Lead = TimeSpan.FromMilliseconds(300);

    // A client whose host keeps a wrong MAC address asks again 5 s later at the earliest.
    private static readonly TimeSpan HealWatch = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan Never = TimeSpan.FromSeconds(10);

    /// <summary>The faults at one setting.</summary>
    public async Task RunAsync(string part, RouterSpec router, CancellationToken ct)
    {
        TimeSpan interval = TimeSpan.FromMilliseconds(router.Centiseconds * 10);
        await using Lab ours = new("lb", "lb", "lb", router);
        await using Lab theirs = new("keepalived", "keepalived", "keepalived", router);
        foreach (string fault in options.Faults.Where(f => router.Version == 3 || f == "term"))
        {
            for (int round = 0; round < options.Rounds; round++)
            {
                // Spread over the interval, and the same for both: it is no merit to be hit just before an advert.
                TimeSpan phase = interval * ((round + 0.5) / options.Rounds);
                foreach (Lab lab in round % 2 == 0 ? [ours, theirs] : (Lab[])[theirs, ours])
                {
                    ct.ThrowIfCancellationRequested();
                    await lab.WhenSteadyAsync();
                    using Prober prober = lab.Probe();
                    await Task.Delay(Lead, ct);
                    await lab.AfterAdvertAsync(phase, ct);
                    long at = await lab.BreakAsync(fault);
                    await Task.Delay(interval * 4 + Lead, ct);
                    prober.End();
                    Add(part, $"{fault}: client outage", lab.Name, prober.Outage(at));
                    Add(part, $"{fault}: the other host answers", lab.Name, prober.FirstAnswer(2, at) ?? double.PositiveInfinity);
                    await lab.HealAsync(fault);
                }
            }

            Console.Error.WriteLine($"{part} {fault}: {string.Join("; ", results.Where(s => s.Part == part && s.What.StartsWith(fault, StringComparison.Ordinal)).Select(static s => $"{s.Program} {s.What[(s.What.IndexOf(':') + 2)..]} {s.Median:F1}"))}");
        }
    }

    /// <summary>Two Active nodes that hear each other again: how long the client is without an answer from then on.</summary>
    public async Task HealAsync(RouterSpec router, CancellationToken ct)
    {
        List<Lab> labs = [];
        try
        {
            foreach ((string first, string second) in new[] { ("lb", "lb"), ("lb", "keepalived"), ("keepalived", "lb"), ("keepalived", "keepalived") })
                labs.Add(new Lab($"{first} over {second}", first, second, router));
            for (int round = 0; round < options.Rounds * 2; round++)
            {
                foreach (Lab lab in labs)
                {
                    ct.ThrowIfCancellationRequested();
                    await lab.WhenSteadyAsync();
                    await lab.BreakAsync("split");
                    await lab.Addresses.WhenHeldByAsync(router.Address, 1, 2);
                    using Prober prober = lab.Probe();
                    await Task.Delay(Lead + TimeSpan.FromMilliseconds(router.Centiseconds * 10 * Random.Shared.NextDouble()), ct);
                    long at = await lab.HealAsync("split");
                    await Task.Delay(HealWatch, ct);
                    prober.End();
                    Add("heal", "client outage after a split heals", lab.Name, prober.Outage(at));
                }
            }
        }
        finally
        {
            foreach (Lab lab in labs) await lab.DisposeAsync();
        }

        foreach (Series series in results.Where(static s => s.Part == "heal")) Console.Error.WriteLine($"heal {series.Program}: median {series.Median:F0}, worst {series.Values.Max():F0}, dead > 1 s in {series.Values.Count(static v => v > 1000)} of {series.Values.Count}");
    }

    /// <summary>kill -9 while the kernel lives: when the address has left the dead node.</summary>
    public async Task LeaseAsync(RouterSpec router, CancellationToken ct)
    {
        foreach (string program in new[] { "lb", "keepalived" })
        {
            await using Lab lab = new(program, program, program, router);
            for (int round = 0; round < (program == "lb" ? options.Rounds : 1); round++)
            {
                ct.ThrowIfCancellationRequested();
                await lab.WhenSteadyAsync();
                int from = lab.Addresses.Changes.Count;
                long at = await lab.BreakAsync("kill9");
                double took = double.PositiveInfinity;
                try
                {
                    AddressChange gone = await lab.Addresses.Changes.WhenAsync(static c => c is { Host: 1, IsAdded: false }, from).WaitAsync(Never, ct);
                    took = Prober.Milliseconds(gone.At - at);
                }
                catch (TimeoutException)
                {
                    // It stays.
                }

                Add("lease", "address gone from the killed node", program, took);
                await lab.HealAsync("kill9");
            }
        }
    }

    private void Add(string part, string what, string program, double value)
    {
        Series? series = results.Find(s => s.Part == part && s.What == what && s.Program == program);
        if (series is null) results.Add(series = new Series(part, what, program, []));
        series.Values.Add(value);
    }
}
