using System.Globalization;

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
    private const int MostOutput = 4096;
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider _time;
    private readonly string[] _command;
    private readonly string? _runAs;
    private readonly bool _dynamic;

    /// <summary>Makes a checker from the command keys of <paramref name="options"/>, which are read once.</summary>
    /// <param name="options">Command, RunAs and Dynamic.</param>
    /// <param name="time">Clock; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">There is no program, or no absolute path to it. Whether it may be run is looked at before every check.</exception>
    public CommandChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ServiceCheckRules.Demand("command", options);
        _time = time ?? TimeProvider.System;
        _command = [.. options.Command];
        _runAs = options.RunAs;
        _dynamic = options.Dynamic;
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (ct.IsCancellationRequested) return TimeIsUp("");
        string? refused = CommandFile.Fault(_command[0]);
        string[] prefix = [];
        if (refused is null && _runAs is not null) _ = CommandFile.TryRunAs(_runAs, out prefix, out refused);
        if (refused is not null) return new ProbeResult(CheckStatus.SocketError, 0, $"{_command[0]}: {refused}");

        string[] words = [.. prefix, .. CommandRun.Arguments(_command, target)];
        if (!ChildProcess.TryStart(words, CommandRun.Environment(target), out ChildProcess? child, out int error))
            return new ProbeResult(CheckStatus.SocketError, 0, string.Create(CultureInfo.InvariantCulture, $"{_command[0]}: can't be started, error {error}"));

        using CancellationTokenSource stopReading = new();
        using (child)
        using (ct.UnsafeRegister(static state => ((ChildProcess)state!).Kill(), child))
        {
            Task<string> reading = child.ReadAsync(MostOutput, stopReading.Token);
            (int code, int signal) = await child.Ended.ConfigureAwait(false);

            // Its group is gone, so the pipe ends too; unless somebody has left the group and holds it.
            await ((Task)reading.WaitAsync(LastWords, _time, CancellationToken.None)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await stopReading.CancelAsync().ConfigureAwait(false);
            string output = await reading.ConfigureAwait(false);
            if (code < 0 && ct.IsCancellationRequested) return TimeIsUp(output);
            if (code < 0 && signal == 0) return new ProbeResult(CheckStatus.SocketError, 0, "its end was taken by somebody else");
            return CommandRun.Judge(code, signal, _dynamic, output);
        }
    }

    private static ProbeResult TimeIsUp(string output) =>
        new(CheckStatus.Layer7Timeout, 0, output.Length == 0 ? "did not end in time" : $"did not end in time: {output}");
}
