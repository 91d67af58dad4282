using Lb.Contracts.Checkers;
using Lb.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lb.Health.Tests.Monitoring;

/// <summary>Certificates that are replaced in their files.</summary>
[Trait("Row", "H9")]
public sealed class RotatedFilesTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("CaFile")]
    [InlineData("ClientCertificate")]
    public async Task A_reload_reads_files_anew_that_have_changed_and_keeps_the_check_otherwise(string key)
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        string file = Path.Combine(Directory.CreateTempSubdirectory("lb-rotated-").FullName, "one.pem");
        Write();
        using ConfigurationRoot configuration = new([new MemoryConfigurationProvider(new MemoryConfigurationSource())]);
        Add("web");
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(new ManualTimeProvider());
        builder.Services.AddLb(configuration).AddHealth();
        using IHost host = builder.Build();
        await host.StartAsync(ct);
        ProbeLoops loops = host.Services.GetRequiredService<HealthMonitor>().Environment.Loops;
        IHealthChecker first = Assert.Single(loops.All).Plan.Checker;
        Assert.Empty(await host.Services.GetRequiredService<ILbReloader>().ReloadAsync(ct));
        Assert.Same(first, Assert.Single(loops.All).Plan.Checker);

        Write();
        Add("api");
        Assert.Empty(await host.Services.GetRequiredService<ILbReloader>().ReloadAsync(ct));
        Assert.NotSame(first, Assert.Single(loops.All).Plan.Checker);
        await host.StopAsync(ct);

        void Write() => Certificates.Write(Certificates.One.Make(), file);

        void Add(string pool)
        {
            configuration[$"Pools:{pool}:Servers:0:Address"] = "127.0.0.1:1";
            configuration[$"Pools:{pool}:Checks:0:Type"] = "tls";
            configuration[$"Pools:{pool}:Checks:0:Tls:{key}"] = file;
        }
    }
}
