using System.Diagnostics;

namespace Lb.Soak;

/// <summary>Entry: the clients and servers, and as its child the gateway. Exit codes: 0 flat, 1 not, 2 it could not run.</summary>
internal static class Program
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(10);

    private static async Task<int> Main(string[] args)
    {
        if (args is ["gateway", string driver, string loops, .. string[] servers])
            return await GatewayHost.RunAsync(driver, int.Parse(loops), [.. servers.Select(int.Parse)]);
        if (args.Any(static a => a is "-h" or "--help"))
        {
            Console.WriteLine(Options.Usage);
            return 0;
        }

        try
        {
            return await RunAsync(Options.Parse(args), TimeProvider.System);
        }
        catch (ArgumentException error)
        {
            await Console.Error.WriteLineAsync($"lb-soak: {error.Message}");
            return 2;
        }
    }

    private static async Task<int> RunAsync(Options options, TimeProvider time)
    {
        EchoServer[] servers = [new(), new(), new()];
        using Process gateway = Start(options, servers);
        int port = int.Parse((await gateway.StandardOutput.ReadLineAsync())!);
        using CancellationTokenSource stop = new();
        using IdleClients idle = new(port, options.Idle);
        Traffic traffic = new(port, options.Seed, time, stop.Token);
        Task clients = traffic.RunAsync();
        List<Sample> samples = [];
        long start = time.GetTimestamp();
        TimeSpan end = TimeSpan.FromMinutes(options.Minutes);
        for (int i = 1; time.GetElapsedTime(start) < end; i++)
        {
            await Task.Delay(Step, time);
            samples.Add(await AskAsync(gateway, time.GetElapsedTime(start)));
            Console.Error.WriteLine(samples[^1]);

            // One server is down for ten seconds of every half minute: checks, retries and resets take part.
            if (i % 3 == 1) servers[2].Stop();
            else if (i % 3 == 2) servers[2].Start();
        }

        await stop.CancelAsync();
        await clients;
        idle.Close();
        await Task.Delay(Step, time);
        Sample after = await AskAsync(gateway, time.GetElapsedTime(start));
        gateway.StandardInput.Close();
        await gateway.WaitForExitAsync();
        foreach (EchoServer server in servers) await server.DisposeAsync();
        Verdict verdict = new(options, samples, after, traffic, gateway.ExitCode, idle.Broken);
        verdict.Write(time);
        return verdict.IsFlat ? 0 : 1;
    }

    private static Process Start(Options options, IEnumerable<EchoServer> servers)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(Program).Assembly.Location);
        foreach (string argument in (string[])["gateway", options.Driver, $"{options.Loops}", .. servers.Select(static s => $"{s.Port}")]) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static async Task<Sample> AskAsync(Process gateway, TimeSpan at)
    {
        await gateway.StandardInput.WriteLineAsync();
        await gateway.StandardInput.FlushAsync();
        return Sample.Parse(at, (await gateway.StandardOutput.ReadLineAsync())!);
    }
}
