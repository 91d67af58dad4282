using System.Diagnostics;

namespace Lb.Peers;

/// <summary>The outer process: checks, builds lb, makes the namespace and starts <see cref="Inside"/> in it.</summary>
internal static class Outside
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>How this executable starts itself once more.</summary>
    public static string[] Self { get; } = [Environment.ProcessPath!, .. IsDotnet ? [typeof(Program).Assembly.Location] : Array.Empty<string>()];

    private static bool IsDotnet => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";

    public static async Task<int> RunAsync(Options options, TimeProvider time)
    {
        using StopSignal stop = new();
        if (!OperatingSystem.IsLinux()) throw new BenchException("Linux only: the figures come from /proc");
        if (options.ProxyCpu == options.ClientCpu || Math.Max(options.ProxyCpu, options.ClientCpu) >= ProcessorCount())
        {
            throw new BenchException(
                $"the proxy (cpu {options.ProxyCpu}) and the load (cpu {options.ClientCpu}) need two different processors of the {ProcessorCount()} here");
        }

        await Tools.CheckAsync(options, time, stop.Token);
        List<string> arguments = [.. Environment.GetCommandLineArgs().Skip(1)];
        if (options.NeedsLb && options.LbPath is null) arguments.AddRange(["--lb", await LbBuild.MakeAsync(time, stop.Token)]);

        if (!options.UseNetns) return await RunInsideAsync([], arguments, options, time, stop.Token);
        await using Netns netns = await Netns.CreateAsync(time, stop.Token);
        return await RunInsideAsync(["ip", "netns", "exec", netns.Name], arguments, options, time, stop.Token);
    }

    private static async Task<int> RunInsideAsync(string[] prefix, List<string> arguments, Options options, TimeProvider time, CancellationToken ct)
    {
        string[] command = [.. prefix, "taskset", "-c", $"{options.ClientCpu}", .. Self, "inside", .. arguments];
        using Process inside = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true })!;
        try
        {
            await inside.WaitForExitAsync(ct);
            return inside.ExitCode;
        }
        finally
        {
            // Its standard input is its leash: the end of it means "take down what you started", also when we die without a word.
            inside.StandardInput.Close();
            using CancellationTokenSource late = new(Patience, time);
            try
            {
                await inside.WaitForExitAsync(late.Token);
            }
            catch (OperationCanceledException)
            {
                inside.Kill();
            }
        }
    }

    // Environment.ProcessorCount is that of our own affinity.
    private static int ProcessorCount() => File.ReadLines("/proc/cpuinfo").Count(static l => l.StartsWith("processor", StringComparison.Ordinal));
}
