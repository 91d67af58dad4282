using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

// dotnet run -c Release --project bench/Lb.Benchmarks -- --filter '*P2c*'
//
// dotnet run -c Release --project bench/Lb.Benchmarks -- fuzz [INPUTS] [SEED]      packets of any kind against a whole virtual router
//
// dotnet run -c Release --project bench/Lb.Benchmarks -- fuzz proxy|clienthello|rdp [INPUTS] [SEED]      first bytes of connections
//
// The whole suite takes some minutes: short iterations in this process, which is enough for numbers in nanoseconds that are compared with each other.
if (args is ["fuzz", "proxy" or "clienthello" or "rdp", ..]) return Lb.Benchmarks.FirstBytesFuzz.Run(args[1], args[2..]);
if (args is ["fuzz", .. string[] rest]) return Lb.Benchmarks.RouterFuzz.Run(rest);

Job job = Job.Default
    .WithToolchain(InProcessEmitToolchain.Instance)
    .WithWarmupCount(3)
    .WithIterationCount(5)
    .WithIterationTime(TimeInterval.FromMilliseconds(100))
    .WithId("Brief");

IConfig config = ManualConfig.CreateMinimumViable()
    .AddJob(job.AsDefault())
    .AddExporter(MarkdownExporter.GitHub)
    .WithOptions(ConfigOptions.JoinSummary | ConfigOptions.DisableLogFile);

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
return 0;
