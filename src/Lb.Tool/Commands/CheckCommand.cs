using System.CommandLine;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Tool;

/// <summary><c>lb check</c>: finds every fault of a configuration; opens, starts and looks up nothing.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        Option<string> config = LbCommand.ConfigurationOption();
        Option<bool> skipPorts = new("--skip-ports")
        {
            Description = "Don't ask whether ports are free: for a changed file beside the gateway that holds them",
        };
        Command command = new("check", "Check a configuration: every error with its path and value; nothing is started") { config, skipPorts };
        command.SetAction((result, _) =>
        {
            InvocationConfiguration invocation = result.InvocationConfiguration;
            return RunAsync(result.GetRequiredValue(config), invocation.Output, invocation.Error, result.GetValue(skipPorts));
        });
        return command;
    }

    public static async Task<int> RunAsync(string path, TextWriter output, TextWriter error, bool skipPorts = false)
    {
        ConfigurationFile file = new(path);
        if (!TryRead(file, error)) return 1;
        ServiceCollection services = new();
        ConfigurationFile.AddParts(services, new ConfigurationBuilder().Add(file).Build());
        services.Configure<LbOptions>(options =>
        {
            options.SkipPortChecks = skipPorts;
            options.ExaminesMachine = !skipPorts;
        });
        ServiceProvider provider = services.BuildServiceProvider();
        await using ConfiguredAsyncDisposable disposal = provider.ConfigureAwait(false);
        if (!TryValidate(file, provider, error, out LbOptions options)) return 1;
        await output.WriteLineAsync($"{path}: {Summary(options)}: no errors").ConfigureAwait(false);
        return 0;
    }

    /// <summary>Reads a file for the first time; tells what is wrong with it.</summary>
    public static bool TryRead(ConfigurationFile file, TextWriter error)
    {
        if (file.Read() is not { } fault) return true;
        error.WriteLine(fault);
        return false;
    }

    /// <summary>Asks every part for faults; tells of each in a line.</summary>
    public static bool TryValidate(ConfigurationFile file, IServiceProvider provider, TextWriter error, out LbOptions options)
    {
        LbConfiguration configuration = provider.GetRequiredService<LbConfiguration>();
        options = configuration.Read();
        IReadOnlyList<ConfigurationError> errors = configuration.Validate(options);
        Tell(file, errors, error);
        return errors.Count == 0;
    }

    /// <summary>Writes one line for each fault, in the order of the file.</summary>
    public static void Tell(ConfigurationFile file, IReadOnlyList<ConfigurationError> errors, TextWriter error)
    {
        IEnumerable<ConfigurationError> ordered = errors.OrderBy(e => file.LineOf(e.Path) ?? int.MaxValue);
        foreach (ConfigurationError fault in ordered) error.WriteLine(file.Describe(fault));
    }

    /// <summary><c>2 pools, 3 servers, 1 gateway, 0 routers</c></summary>
    public static string Summary(LbOptions options)
    {
        int servers = options.Pools.Values.Sum(static pool => pool.Servers.Count);
        return $"{Count(options.Pools.Count, "pool")}, {Count(servers, "server")}, {Count(options.Gateways.Count, "gateway")}, {Count(options.Routers.Count, "router")}";

        static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";
    }
}
