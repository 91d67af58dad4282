using System.CommandLine;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Lb.Tool;

/// <summary><c>lb doctor</c>: looks whether this machine and this process have what a configuration needs; changes nothing.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        Option<string?> config = new("--config", "-c") { Description = "The configuration that is to run here; without one only the machine is looked at", HelpName = "FILE" };
        Option<bool> skipPorts = new("--skip-ports") { Description = "Don't ask whether ports are free: beside the gateway that holds them" };
        Command command = new("doctor", "Look whether this machine has what a configuration needs: rights, interfaces, kernel settings, firewall, clock; each with the line that mends it") { config, skipPorts };
        command.SetAction((result, ct) =>
        {
            InvocationConfiguration invocation = result.InvocationConfiguration;
            return RunAsync(result.GetValue(config), result.GetValue(skipPorts), invocation.Output, invocation.Error, ct);
        });
        return command;
    }

    /// <summary>Examines.</summary>
    /// <returns>0; 1 when something fails.</returns>
    public static async Task<int> RunAsync(string? path, bool skipPorts, TextWriter output, TextWriter error, CancellationToken ct)
    {
        List<Finding> findings = [];
        LbOptions options = new();
        if (path is not null)
        {
            ConfigurationFile file = new(path);
            if (!CheckCommand.TryRead(file, error)) return 1;
            ServiceCollection services = new();
            ConfigurationFile.AddParts(services, new ConfigurationBuilder().Add(file).Build());
            ServiceProvider provider = services.BuildServiceProvider();
            await using ConfiguredAsyncDisposable disposal = provider.ConfigureAwait(false);

            LbConfiguration configuration = provider.GetRequiredService<LbConfiguration>();
            options = configuration.Read();
            options.SkipPortChecks = skipPorts;
            IReadOnlyList<ConfigurationError> faults = configuration.Validate(options);
            findings.AddRange(faults.Select(fault => Finding.Fail(file.Describe(fault), $"mend {path}, or what it names")));
            if (faults.Count == 0) findings.Add(Finding.Ok($"{path}: {CheckCommand.Summary(options)}: no errors{(skipPorts ? "" : ", ports are free")}"));
        }

        if (OperatingSystem.IsLinux())
        {
            MachineFacts facts = await MachineReader.ReadAsync(ct).ConfigureAwait(false);
            findings.AddRange(path is null ? HostExamination.Examine(facts) : [.. HostExamination.Examine(options, facts), .. RouterExamination.Examine(options, facts)]);
        }
        else
        {
            findings.Add(Finding.Warn("rights, kernel settings and firewall are looked at on Linux only"));
        }

        foreach (Finding finding in findings) await output.WriteLineAsync(finding.ToString()).ConfigureAwait(false);
        return findings.Exists(static f => f.Level == FindingLevel.Fail) ? 1 : 0;
    }
}
