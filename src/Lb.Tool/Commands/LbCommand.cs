using System.CommandLine;

namespace Lb.Tool;

/// <summary>The command line of <c>lb</c>.</summary>
internal static class LbCommand
{
    /// <summary>Runs one command line.</summary>
    /// <param name="args">Verb and options.</param>
    /// <param name="output">Takes what was asked for.</param>
    /// <param name="error">Takes what is wrong.</param>
    /// <returns>0, or 1 when something is wrong.</returns>
    public static Task<int> InvokeAsync(IReadOnlyList<string> args, TextWriter output, TextWriter error)
    {
        RootCommand root = new("Load balancing and failover: runs gateways and virtual routers from a configuration file, checks it and the machine, and tries scheduling out.")
        {
            RunCommand.Create(),
            CheckCommand.Create(),
            DoctorCommand.Create(),
            PlayCommand.Create(),
            SimulateCommand.Create(),
            DemoCommand.Create(),
        };

        // Signals are the verbs' own business: a gateway drains for longer than the two seconds that the parser would give it.
        InvocationConfiguration invocation = new() { Output = output, Error = error, ProcessTerminationTimeout = null };
        return root.Parse(args).InvokeAsync(invocation);
    }

    /// <summary>The option <c>-c FILE</c>.</summary>
    /// <param name="isRequired">False: the verb can do without.</param>
    public static Option<string> ConfigurationOption(bool isRequired = true) => new("--config", "-c")
    {
        Description = "The configuration: a JSON file with a section Lb",
        HelpName = "FILE",
        Required = isRequired,
    };
}
