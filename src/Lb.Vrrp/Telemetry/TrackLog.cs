using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>Log messages of what routers track: ids 3120 to 3139.</summary>
internal static partial class TrackLog
{
    [LoggerMessage(3120, LogLevel.Warning, "{Item} is not well ({Text}); starting it again, attempt {Attempt} of {Attempts}")]
    public static partial void Restarting(ILogger logger, string item, string text, int attempt, int attempts);

    [LoggerMessage(3121, LogLevel.Error, "The command that starts {Item} again has failed: {Text}")]
    public static partial void RestartFailed(ILogger logger, string item, string text);
}
