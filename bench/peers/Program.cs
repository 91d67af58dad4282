namespace Lb.Peers;

/// <summary>
/// Entry. One executable, four parts: the outer process (checks, network namespace), <c>inside</c> (the measurement) and the <c>client</c> modes.
/// Exit codes: 0 measured, 1 errors under load (or a goal missed with --strict), 2 cannot run, 130 stopped.
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
                ["client", "bulk", string port, string connections, string seconds] =>
                    BulkClient.Run(int.Parse(port), int.Parse(connections), int.Parse(seconds), time),
                ["client", "latency", string port, string connections, string rate, string seconds] =>
                    LatencyClient.Run(int.Parse(port), int.Parse(connections), int.Parse(rate), int.Parse(seconds), time),
                ["client", "idle", string port, string count] => await IdleClient.RunAsync(int.Parse(port), int.Parse(count), time),
                ["client", "udp", string port, string flows, string size, string window, string seconds] =>
                    UdpClient.Run(int.Parse(port), int.Parse(flows), int.Parse(size), int.Parse(window), int.Parse(seconds), time),
                ["client", "udpecho", string port] => UdpClient.Echo(int.Parse(port)),
                ["inside", .. string[] rest] => await Inside.RunAsync(Options.Parse(rest), time),
                _ when args.Any(static a => a is "-h" or "--help") => Help(),
                _ => await Outside.RunAsync(Options.Parse(args), time),
            };
        }
        catch (BenchException e)
        {
            await Console.Error.WriteLineAsync($"lb-peers: {e.Message}");
            return 2;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("lb-peers: stopped");
            return 130;
        }
    }

    private static int Help()
    {
        Console.WriteLine(Options.Usage);
        return 0;
    }
}
