namespace Lb.Health;

/// <summary>
/// Passes when a program of the host's ends with exit code 0 (HAProxy <c>external-check</c>, keepalived <c>MISC_CHECK</c>). With
/// <see cref="CheckOptions.Dynamic"/> codes from 2 on pass too and set the weight to the code less 2 (keepalived <c>misc_dynamic</c>). Linux.
/// </summary>
/// <remarks>
/// <para>No shell: the words of <see cref="CheckOptions.Command"/> are the program's arguments as they stand. It has HAProxy's variables and nothing else
/// of an environment, no input, and <c>/</c> as its directory. When its time is up it is killed with its whole process group, and so is what it leaves
/// behind when it ends.</para>
/// <para>Results: L7OK; L7STS with the exit code; L7RSP = ended by a signal; L7TOUT = killed, its time was up; SOCKERR = it could not be started, or must
/// not be: a file that its group or others may write, or that belongs neither to root nor to the user of this process, is never run. Its first 4 KiB of
/// output are the text. Any thread.</para>
/// </remarks>
public sealed class CommandChecker : IHealthChecker
{
    private readonly string[] _command;
    private readonly string? _runAs;
    private readonly bool _dynamic;

    /// <summary>Makes a checker from the command keys of <paramref name="options"/>, which are read once.</summary>
    /// <param name="options">Command, RunAs and Dynamic.</param>
    /// <exception cref="ArgumentException">There is no program, or no absolute path to it. Whether it may be run is looked at before every check.</exception>
    public CommandChecker(CheckOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ServiceCheckRules.Demand("command", options);
        _command = [.. options.Command];
        _runAs = options.RunAs;
        _dynamic = options.Dynamic;
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        CommandLine command = new(CommandRun.Arguments(_command, target)) { Environment = CommandRun.Environment(target), User = _runAs };
        return CommandRun.Judge(await ExternalCommand.RunAsync(command, ct).ConfigureAwait(false), _dynamic);
    }
}
