using System.CommandLine;
using Spectre.Console;

namespace Lb.Tool;

/// <summary><c>lb demo</c>: servers, a gateway, checks and clients in this process; a server dies and returns.</summary>
internal static class DemoCommand
{
    // Shorter ones leave the checks no time to find out.
    private const int Shortest = 3;
    private const int Longest = 3600;

    public static Command Create()
    {
        Option<int> seconds = new("--seconds")
        {
            Description = $"How long it takes, {Shortest} to {Longest}",
            HelpName = "N",
            DefaultValueFactory = static _ => 20,
        };
        seconds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < Shortest or > Longest) result.AddError($"--seconds must be {Shortest} to {Longest}");
        });
        Option<string> driver = new("--driver") { Description = "What moves the bytes", DefaultValueFactory = static _ => "auto" };
        driver.AcceptOnlyFromAmong("auto", "epoll", "io_uring", "managed");
        Command command = new("demo", "Show a failover: three servers, a gateway and clients in this process; no root, no set-up")
        {
            seconds,
            driver,
        };
        command.SetAction(async (result, _) =>
        {
            using TerminationSignals signals = new();
            InvocationConfiguration invocation = result.InvocationConfiguration;
            IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(invocation.Output),
                Interactive = Console.IsOutputRedirected ? InteractionSupport.No : InteractionSupport.Detect,
            });
            TimeSpan length = TimeSpan.FromSeconds(result.GetValue(seconds));
            return await RunAsync(length, result.GetRequiredValue(driver), console, invocation.Error, signals.Stop).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>Plays the demo and shows it.</summary>
    /// <returns>0 when clients that came again were served throughout, else 1.</returns>
    public static async Task<int> RunAsync(TimeSpan length, string driver, IAnsiConsole console, TextWriter error, CancellationToken stop)
    {
        TimeProvider time = TimeProvider.System;
        try
        {
            using DemoRun demo = new(length, driver, time);
            Task<DemoResult> running = demo.RunAsync(stop);
            await new DemoScreen(console, time).ShowAsync(demo.Status, running).ConfigureAwait(false);
            DemoResult result = await running.ConfigureAwait(false);
            foreach (string line in result.Lines()) console.Profile.Out.Writer.WriteLine(line);
            return result.IsGood ? 0 : 1;
        }
        catch (LbConfigurationException fault)
        {
            foreach (ConfigurationError found in fault.Errors) await error.WriteLineAsync(found.ToString()).ConfigureAwait(false);
            return 1;
        }
    }
}
