using Microsoft.Extensions.Logging;

namespace Lb.Health;

/// <summary>Log messages of Lb.Health: ids 2000 to 2999. Flips are events, logged by Lb.Core; single checks are not logged.</summary>
internal static partial class HealthLog
{
    [LoggerMessage(2000, LogLevel.Warning, "Health checks came late: this process was paused or had no CPU. They are put off and do not count as failed")]
    public static partial void ChecksOverdue(ILogger logger);

    [LoggerMessage(2001, LogLevel.Error, "Health check {Type} of {Pool}/{Server} threw; it counts as failed. Not logged again until it works")]
    public static partial void CheckerThrew(ILogger logger, Exception error, string type, string pool, string server);

    [LoggerMessage(2002, LogLevel.Error, "The verdict of health check {Type} of {Pool}/{Server} could not be taken over; checks go on")]
    public static partial void LoopFailed(ILogger logger, Exception error, string type, string pool, string server);

    [LoggerMessage(2003, LogLevel.Error, "Failures that callers saw of {Pool}/{Server} could not be taken over")]
    public static partial void ReactionFailed(ILogger logger, Exception error, string pool, string server);

    [LoggerMessage(2004, LogLevel.Information, "Health checks of pool {Pool} are suspended: none of its HaSuspend addresses is on this node")]
    public static partial void PoolSuspended(ILogger logger, string pool);

    [LoggerMessage(2005, LogLevel.Information, "Health checks of pool {Pool} go on")]
    public static partial void PoolGoesOn(ILogger logger, string pool);

    [LoggerMessage(2006, LogLevel.Warning, "Health check {Type} of {Pool}/{Server} can't be made on this node: {Fault}. It says nothing of the server, which stays {Health}")]
    public static partial void OwnFault(ILogger logger, string type, string pool, string server, string fault, ServerHealth health);

    [LoggerMessage(2007, LogLevel.Information, "Health check {Type} of {Pool}/{Server} can be made again")]
    public static partial void OwnFaultEnded(ILogger logger, string type, string pool, string server);

    [LoggerMessage(2020, LogLevel.Error, "Health checks are stalled: {Late} of {Checks} are due and do not start, the latest for {Longest}. What is known of the servers grows old")]
    public static partial void ChecksStalled(ILogger logger, int late, int checks, TimeSpan longest);

    [LoggerMessage(2021, LogLevel.Warning, "Health checks run again, {Stalled} after the alarm")]
    public static partial void ChecksResumed(ILogger logger, TimeSpan stalled);

    [LoggerMessage(2022, LogLevel.Error, "Looking for stalled health checks failed")]
    public static partial void StallWatchFailed(ILogger logger, Exception error);

    [LoggerMessage(2023, LogLevel.Warning,
        "{Wanted:0.#} health checks a second are configured, Health:ChecksPerSecond allows {Allowed}: every interval grows to {Percent:0} % of what it says")]
    public static partial void BudgetTooSmall(ILogger logger, double wanted, int allowed, double percent);
}
