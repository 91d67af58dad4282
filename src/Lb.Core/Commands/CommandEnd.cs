namespace Lb;

/// <summary>How the run of a program came to its end.</summary>
public enum CommandOutcome
{
    /// <summary>It ended by itself, with an exit code.</summary>
    Exited,

    /// <summary>A signal ended it, and not because its time was up.</summary>
    Signalled,

    /// <summary>Its time was up; it was killed with its process group, or was not started at all.</summary>
    TimedOut,

    /// <summary>It must not be run, or could not be.</summary>
    NotStarted,

    /// <summary>It ended, but somebody else in this process took its exit code.</summary>
    Lost,
}

/// <summary>How a program ended.</summary>
/// <param name="Outcome">In which way.</param>
/// <param name="Code">Exit code, 0 to 255, when it exited; number of the signal when one ended it; else 0.</param>
/// <param name="Text">The first 4 KiB of what it wrote to output and errors, trimmed; the reason when it was not started or its exit code is lost.</param>
public readonly record struct CommandEnd(CommandOutcome Outcome, int Code, string Text)
{
    /// <summary>True when it ended with exit code 0.</summary>
    public bool IsSuccess => this is { Outcome: CommandOutcome.Exited, Code: 0 };
}
