using System.Globalization;

namespace Lb;

/// <summary>Runs programs of the host's: checks, what routers track, what is told of their changes. Linux; any thread.</summary>
/// <remarks>
/// No shell, no input, <c>/</c> as the directory, signals at their defaults, a session and process group of its own. What a program leaves behind in its
/// group ends with it. A file that its group or others may write, or that belongs neither to root nor to the user of this process, is never run.
/// </remarks>
public static class ExternalCommand
{
    private const int MostOutput = 4096;
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(100);

    /// <summary>What speaks against running a program, for people; null: nothing. Looks at the file, at every directory above it and at what links lead to.</summary>
    /// <param name="path">The program's full path.</param>
    public static string? Fault(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return CommandFile.Fault(path);
    }

    /// <summary>What speaks against running programs as a user, for people; null: nothing.</summary>
    /// <param name="user">Name of the user.</param>
    public static string? FaultOfUser(string user)
    {
        ArgumentNullException.ThrowIfNull(user);
        _ = CommandFile.TryRunAs(user, out _, out string? fault);
        return fault;
    }

    /// <summary>Runs a program to its end. Whether it may be run is looked at each time. Never throws for what becomes of the program.</summary>
    /// <param name="command">The program.</param>
    /// <param name="ct">Its time is up: it is killed with its process group.</param>
    /// <returns>How it ended; what was started is gone by then, unless it has left the process group.</returns>
    /// <exception cref="ArgumentException">The command has no word.</exception>
    public static ValueTask<CommandEnd> RunAsync(CommandLine command, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (command.Words.Count == 0) throw new ArgumentException("A command needs a program.", nameof(command));
        if (ct.IsCancellationRequested) return new(new CommandEnd(CommandOutcome.TimedOut, 0, ""));
        string program = command.Words[0];
        string[] prefix = [];
        string? refused = CommandFile.Fault(program);
        if (refused is null && command.User is { } user) _ = CommandFile.TryRunAs(user, out prefix, out refused);
        if (refused is not null) return new(new CommandEnd(CommandOutcome.NotStarted, 0, $"{program}: {refused}"));
        if (!ChildProcess.TryStart([.. prefix, .. command.Words], [.. command.Environment], out ChildProcess? child, out int error))
            return new(new CommandEnd(CommandOutcome.NotStarted, 0, string.Create(CultureInfo.InvariantCulture, $"{program}: can't be started, error {error}")));
        return new(FollowAsync(child, ct));
    }

    private static async Task<CommandEnd> FollowAsync(ChildProcess child, CancellationToken ct)
    {
        using CancellationTokenSource stopReading = new();
        using (child)
        using (ct.UnsafeRegister(static state => ((ChildProcess)state!).Kill(), child))
        {
            Task<string> reading = child.ReadAsync(MostOutput, stopReading.Token);
            (int code, int signal) = await child.Ended.ConfigureAwait(false);

            // Its group is gone, so the pipe ends too; unless somebody has left the group and holds it. A matter of real pipes, hence of real time.
            await ((Task)reading.WaitAsync(LastWords, TimeProvider.System, CancellationToken.None)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await stopReading.CancelAsync().ConfigureAwait(false);
            string output = await reading.ConfigureAwait(false);
            if (code >= 0) return new CommandEnd(CommandOutcome.Exited, code, output);
            if (ct.IsCancellationRequested) return new CommandEnd(CommandOutcome.TimedOut, 0, output);
            return signal == 0 ? new CommandEnd(CommandOutcome.Lost, 0, "its end was taken by somebody else") : new CommandEnd(CommandOutcome.Signalled, signal, output);
        }
    }
}
