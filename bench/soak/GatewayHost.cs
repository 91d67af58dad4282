using System.Globalization;
using System.Net;
using Lb.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Soak;

/// <summary>
/// The measured process: a host with a gateway over the ports it is told. It prints where it listens, then a line of figures for every line it reads, and
/// stops at the end of its input.
/// </summary>
internal static class GatewayHost
{
    public static async Task<int> RunAsync(string driver, int loops, IReadOnlyList<int> servers)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        var pool = builder.Services.AddServerPool("web");
        foreach (int port in servers) pool.AddServer($"127.0.0.1:{port}");
        pool.UseRoundRobin().AddTcpCheck(static check =>
        {
            check.Interval = TimeSpan.FromSeconds(1);
            check.Rise = 1;
            check.Fall = 1;
        });
        builder.Services.AddTcpGateway("127.0.0.1:0", "web", "soak");
        builder.Services.Configure<LbOptions>(options =>
        {
            options.Transport.Driver = driver;
            options.Transport.Loops = loops;
            options.Defaults.ClientTimeout = options.Defaults.ServerTimeout = TimeSpan.FromDays(1); // for those that are only held
            options.Gateways["soak"].DrainTimeout = TimeSpan.FromSeconds(5);
        });
        using IHost host = builder.Build();
        await host.StartAsync();
        TcpGateway gateway = (TcpGateway)host.Services.GetRequiredService<Gateways>()["soak"];
        Console.WriteLine(((IPEndPoint)gateway.EndPoints[0]).Port);
        while (await Console.In.ReadLineAsync() is not null) Console.WriteLine(Figures(gateway));
        await host.StopAsync();
        return gateway.OpenConnections == 0 ? 0 : 1;
    }

    private static string Figures(TcpGateway gateway)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        string ends = string.Join(',', Enum.GetValues<RelayEnd>().Select(end => (end, Count: gateway.Count(end))).Where(static e => e.Count > 0).Select(static e => $"{e.end}={e.Count}"));
        return string.Create(CultureInfo.InvariantCulture, $"{gateway.OpenConnections} {gateway.TotalConnections} {gateway.BytesIn + gateway.BytesOut} {Descriptors()} {Environment.WorkingSet} {heap} {ends}");
    }

    private static int Descriptors() => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();
}
