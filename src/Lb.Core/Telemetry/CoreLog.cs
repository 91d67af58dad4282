using Microsoft.Extensions.Logging;

namespace Lb;

/// <summary>Log messages of Lb.Core: ids 1000 to 1999.</summary>
internal static partial class CoreLog
{
    [LoggerMessage(1000, LogLevel.Error, "Notifier {Notifier} failed on {Event}")]
    public static partial void NotifierFailed(ILogger logger, Exception error, string notifier, string @event);

    [LoggerMessage(1001, LogLevel.Warning, "Server {Pool}/{Server} is DOWN: {Cause}")]
    public static partial void ServerDown(ILogger logger, string pool, string server, string cause);

    [LoggerMessage(1002, LogLevel.Information, "Server {Pool}/{Server} is {To}, was {From}: {Cause}")]
    public static partial void ServerChanged(ILogger logger, string pool, string server, string to, string from, string cause);

    [LoggerMessage(1003, LogLevel.Information, "Server {Pool}/{Server} joined")]
    public static partial void ServerJoined(ILogger logger, string pool, string server);

    [LoggerMessage(1004, LogLevel.Information, "Server {Pool}/{Server} left")]
    public static partial void ServerLeft(ILogger logger, string pool, string server);

    [LoggerMessage(1005, LogLevel.Error, "Pool {Pool} has no server available")]
    public static partial void PoolDown(ILogger logger, string pool);

    [LoggerMessage(1006, LogLevel.Warning, "Pool {Pool} is in mode {To}, was {From}; {Usable} servers usable")]
    public static partial void PoolModeChanged(ILogger logger, string pool, PoolMode to, PoolMode from, int usable);

    [LoggerMessage(1007, LogLevel.Information, "Configuration reloaded")]
    public static partial void Reloaded(ILogger logger);

    [LoggerMessage(1008, LogLevel.Error, "Changed configuration refused, the running one stays:\n{Errors}")]
    public static partial void ReloadRefused(ILogger logger, string errors);

    [LoggerMessage(1011, LogLevel.Error, "Scheduling policy {Policy} of pool {Pool} failed, round robin serves until the next change: {Error}")]
    public static partial void PolicyFailed(ILogger logger, string policy, string pool, string error);

    [LoggerMessage(1012, LogLevel.Warning, "Server {Pool}/{Server} is EJECTED: {Cause}")]
    public static partial void ServerEjected(ILogger logger, string pool, string server, string cause);

    [LoggerMessage(1013, LogLevel.Error, "Pool {Pool} lost its quorum: usable weight {Weight}, quorum {Quorum}")]
    public static partial void QuorumLost(ILogger logger, string pool, long weight, int quorum);

    [LoggerMessage(1014, LogLevel.Information, "Pool {Pool} has its quorum again: usable weight {Weight}, quorum {Quorum}")]
    public static partial void QuorumGained(ILogger logger, string pool, long weight, int quorum);

    [LoggerMessage(1010, LogLevel.Debug, "Stopping {Part} after a failed start failed too")]
    public static partial void StopFailed(ILogger logger, Exception error, string part);

    [LoggerMessage(1009, LogLevel.Error, "A changed configuration could not be applied in full")]
    public static partial void ApplyFailed(ILogger logger, Exception error);
}
