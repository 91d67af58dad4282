using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lb.HealthBench;

/// <summary>
/// <c>checks PORT SERVERS</c>: a host with one pool and a TCP check every 2 s, as a user would set it up. Answers each line of its input with what was counted
/// since the last one; ends with its input.
/// </summary>
internal static class Checks
{
    public static async Task<int> RunAsync(int port, int servers)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddMetrics();
        builder.Logging.AddFilter(static level => level >= LogLevel.Warning);
        builder.Services.AddLb().AddHealth();
        builder.Services.AddServerPool("bench").Configure(pool =>
        {
            pool.Checks.Add(new CheckOptions { Type = "tcp", Interval = TimeSpan.FromSeconds(2) });
            for (int i = 0; i < servers; i++) pool.Servers.Add(new ServerOptions { Name = $"s{i}", Address = $"{Listener.AddressOf(i)}:{port}" });
        });
        using IHost host = builder.Build();

        // Index = microseconds by powers of 1.1.
        long[] late = new long[256];
        long run = 0, failed = 0;
        using MeterListener listener = new();
        listener.InstrumentPublished = static (instrument, l) =>
        {
            if (instrument.Meter.Name == "Lb.Health") l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, value, _, _) =>
            Interlocked.Increment(ref late[Math.Clamp((int)Math.Ceiling(Math.Log(Math.Max(value * 1e6, 1), 1.1)), 0, late.Length - 1)]));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
        {
            if (instrument.Name == "lb.health.checks") run = value;
            if (instrument.Name == "lb.health.checks.failed") failed = value;
        });
        listener.Start();
        await host.StartAsync();
        Console.WriteLine("ready");

        long runBefore = 0, failedBefore = 0, allocatedBefore = 0;
        int collectionsBefore = 0;
        while (await Console.In.ReadLineAsync() is { } command)
        {
            listener.RecordObservableInstruments();
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            int collections = GC.CollectionCount(0);
            if (command == "heap") GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            long heap = command == "heap" ? GC.GetTotalMemory(forceFullCollection: true) : 0;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"checks {run - runBefore} failed {failed - failedBefore} allocated {allocated - allocatedBefore} collections {collections - collectionsBefore} heap {heap} "
                + $"p50 {Quantile(late, 0.5):0} p99 {Quantile(late, 0.99):0} max {Quantile(late, 1):0}"));
            (runBefore, failedBefore, allocatedBefore, collectionsBefore) = (run, failed, GC.GetTotalAllocatedBytes(precise: true), collections);
            Array.Clear(late);
        }

        await host.StopAsync();
        return 0;
    }

    // Microseconds, the upper end of the step.
    private static double Quantile(long[] counts, double part)
    {
        long wanted = (long)Math.Ceiling(counts.Sum() * part), seen = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            seen += counts[i];
            if (seen >= wanted && seen > 0) return Math.Pow(1.1, i);
        }

        return 0;
    }
}
