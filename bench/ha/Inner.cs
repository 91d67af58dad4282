using System.Globalization;
using Lb.Vrrp;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.HaBench;

/// <summary>Routers in a process of their own that measures itself, started inside a namespace: with nothing else to do, or under a garbage collector that has much to do.</summary>
internal static class Inner
{
    // Each router looks at all addresses for the first time within the first ten lifetimes' renewals, and makes room for them.
    private static readonly TimeSpan Warmup = TimeSpan.FromSeconds(25), ShortWarmup = TimeSpan.FromSeconds(8);

    /// <summary>Runs the routers of a file, and prints one line of figures.</summary>
    /// <param name="file">The configuration.</param>
    /// <param name="seconds">Length of the measurement, after warming up.</param>
    /// <param name="garbage">Whether two threads make garbage meanwhile.</param>
    public static async Task<int> RunAsync(string file, int seconds, bool garbage)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddJsonFile(file, optional: false, reloadOnChange: false);
        builder.Services.AddLb(builder.Configuration.GetSection("Lb")).AddRouters();
        using IHost host = builder.Build();
        await host.StartAsync();
        VirtualRouters routers = host.Services.GetRequiredService<VirtualRouters>();
        bool end = false;
        Thread[] makers = garbage ? [Maker(() => Volatile.Read(ref end), 1), Maker(() => Volatile.Read(ref end), 2)] : [];
        await Task.Delay(garbage ? ShortWarmup : Warmup);

        // The first one makes what the second one needs.
        _ = Take(routers);
        Console.WriteLine("begin");
        Sample before = Take(routers);
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        Sample after = Take(routers);
        Volatile.Write(ref end, true);
        foreach (Thread maker in makers) maker.Join();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"end cpu={(after.Cpu - before.Cpu).TotalSeconds / seconds:F4} adverts={after.Adverts - before.Adverts} allocated={after.Allocated - before.Allocated} pause={(after.Paused - before.Paused).TotalSeconds / seconds:F3} collections={after.Collections - before.Collections} active={after.Active}"));

        // What follows is a change of hands: whoever counts them says when he has.
        _ = Console.In.Read();
        await host.StopAsync();
        return 0;
    }

    private static Sample Take(VirtualRouters routers)
    {
        long adverts = 0;
        int active = 0;
        foreach (RouterSnapshot router in routers.Snapshots)
        {
            adverts += router.Statistics.AdvertisementsSent;
            if (router.State == RouterState.Active) active++;
        }

        return new Sample(Environment.CpuUsage.TotalTime, adverts, GC.GetTotalAllocatedBytes(precise: true), GC.GetTotalPauseDuration(), GC.CollectionCount(0), active);
    }

    // Short-lived and long-lived blocks of all sizes, as a busy proxy without pools would make them: nearly all the time is the collector's.
    private static Thread Maker(Func<bool> isEnd, int seed)
    {
        Thread thread = new(() =>
        {
            Random random = new(seed);
            byte[]?[] kept = new byte[50_000][];
            while (!isEnd())
            {
                int size = random.Next(100) == 0 ? random.Next(85_000, 200_000) : random.Next(16, 2_000);
                byte[] block = new byte[size];
                if (size < 2_000) kept[random.Next(kept.Length)] = block;
            }
        }) { IsBackground = true };
        thread.Start();
        return thread;
    }

    private readonly record struct Sample(TimeSpan Cpu, long Adverts, long Allocated, TimeSpan Paused, int Collections, int Active);
}
