using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>Log messages of the programs that are told of changes: ids 3100 to 3119.</summary>
internal static partial class NotifyLog
{
    [LoggerMessage(3100, LogLevel.Error, "Program {Program}, to be told that router {Router} is {State}, has failed: {Text}")]
    public static partial void CommandFailed(ILogger logger, string program, string router, RouterState state, string text);
}
