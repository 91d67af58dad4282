using Microsoft.Extensions.Logging;

namespace Lb.Tool;

/// <summary>Log messages of the tool: ids 9000 to 9999.</summary>
internal static partial class ToolLog
{
    [LoggerMessage(9000, LogLevel.Information, "Running {File}: {Summary}")]
    public static partial void Running(ILogger logger, string file, string summary);

    [LoggerMessage(9001, LogLevel.Information, "Stopping: connections are drained; a second signal closes them")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(9002, LogLevel.Error, "Changed configuration refused, the running one stays: {Error}")]
    public static partial void FileRefused(ILogger logger, string error);

    [LoggerMessage(9003, LogLevel.Warning, "Changes of {File} are not followed, SIGHUP reloads it: {Reason}")]
    public static partial void NotFollowed(ILogger logger, string file, string reason);
}
