using Lb.Peers;

namespace Lb.HealthBench;

/// <summary>
/// Entry. One executable, four parts: the outer process, <c>inside</c> (the measurement, in a network namespace), <c>listen</c> (accepts and closes) and <c>checks</c> (a host that does nothing but check).
/// Exit codes: 0 measured, 1 a goal was missed with --strict, 2 cannot run, 130 stopped.
/// </summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        TimeProvider time = TimeProvider.System;
        try
        {
            return args switch
            {
                ["listen", string port] => Listener.Run(int.Parse(port)),
                ["checks", string port, string servers] => await Checks.RunAsync(int.Parse(port), int.Parse(servers)),
                _ when args.Any(static a => a is "-h" or "--help") => Help(),
                ["inside", .. string[] rest] => await Bench.MeasureAllAsync(Options.Parse(rest), time),
                _ => await Bench.RunAsync(args, time),
            };
        }
        catch (BenchException e)
        {
            await Console.Error.WriteLineAsync($"lb-health-bench: {e.Message}");
            return 2;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("lb-health-bench: stopped");
            return 130;
        }
    }

    private static int Help()
    {
        Console.WriteLine(Options.Usage);
        return 0;
    }
}
