using System.CommandLine;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lb.Tool;

/// <summary><c>lb run</c>: runs what a configuration says until a signal asks to stop.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        Option<string> config = LbCommand.ConfigurationOption();
        const string description = "Run what a configuration says until SIGTERM or Ctrl+C; SIGHUP or a change of the file reloads it";
        Command command = new("run", description) { config };
        command.SetAction(async (result, _) =>
        {
            using TerminationSignals signals = new();
            TextWriter error = result.InvocationConfiguration.Error;
            return await RunAsync(result.GetRequiredValue(config), error, signals.Stop, signals.Hurry).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>Runs until stopped.</summary>
    /// <param name="path">The configuration.</param>
    /// <param name="error">Takes the faults that keep it from starting.</param>
    /// <param name="stop">Asks for a graceful stop.</param>
    /// <param name="hurry">Ends a graceful stop.</param>
    /// <returns>0 after a graceful stop, else 1.</returns>
    public static async Task<int> RunAsync(string path, TextWriter error, CancellationToken stop, CancellationToken hurry)
    {
        ConfigurationFile file = new(path);
        if (!CheckCommand.TryRead(file, error)) return 1;
        using IHost host = Build(file);
        if (!CheckCommand.TryValidate(file, host.Services, error, out LbOptions options)) return 1;

        ILogger logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Lb.Tool");
        TimeProvider time = host.Services.GetRequiredService<TimeProvider>();
        using ConfigurationFollower follower = new(file, time, logger);
        if (!await TryStartAsync(host, file, error, stop).ConfigureAwait(false)) return 1;
        ToolLog.Running(logger, path, CheckCommand.Summary(options));

        // A process that has taken the listening sockets over ends this one, too.
        IHostApplicationLifetime lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(stop, lifetime.ApplicationStopping);
        await Task.Delay(Timeout.InfiniteTimeSpan, time, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        ToolLog.Stopping(logger);
        try
        {
            await host.StopAsync(hurry).ConfigureAwait(false);
            return hurry.IsCancellationRequested ? 1 : 0;
        }
        catch (Exception fault) when (fault is OperationCanceledException or AggregateException)
        {
            // After a second signal this is what was asked for.
            if (!hurry.IsCancellationRequested) await error.WriteLineAsync($"{path}: not stopped cleanly: {fault.Message}").ConfigureAwait(false);
            return 1;
        }
    }

    private static async Task<bool> TryStartAsync(IHost host, ConfigurationFile file, TextWriter error, CancellationToken stop)
    {
        try
        {
            await host.StartAsync(stop).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop before it ran: whatever has started stops like the rest.
            return true;
        }
        catch (LbConfigurationException fault)
        {
            // Found only while starting: a host name that has no address, a port that somebody else has taken.
            CheckCommand.Tell(file, fault.Errors, error);
        }
        catch (Exception fault) when (fault is SocketException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            await error.WriteLineAsync($"{file.Path}: can't be started: {fault.Message}").ConfigureAwait(false);
        }

        return false;
    }

    private static IHost Build(ConfigurationFile file)
    {
        HostApplicationBuilder builder = ToolHost.CreateBuilder();
        ((IConfigurationBuilder)builder.Configuration).Add(file);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Logging.AddSimpleConsole(static console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        });
        ConfigurationFile.AddParts(builder.Services, builder.Configuration);
        return builder.Build();
    }
}
