using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>What virtual routers log. Ids 3000 to 3099.</summary>
internal static partial class RouterLog
{
    [LoggerMessage(3000, LogLevel.Information, "Router {Router}: {From} -> {To}, priority {Priority}: {Cause}")]
    public static partial void StateChanged(ILogger log, string router, RouterState from, RouterState to, int priority, string cause);

    [LoggerMessage(3001, LogLevel.Information, "Router {Router}: priority {From} -> {To}: {Cause}")]
    public static partial void PriorityChanged(ILogger log, string router, int from, int to, string cause);

    [LoggerMessage(3002, LogLevel.Warning, "Router {Router}: {Kind} of {Peer}: {Text}")]
    public static partial void Mismatch(ILogger log, string router, MismatchKind kind, string peer, string text);

    [LoggerMessage(3003, LogLevel.Warning, "Router {Router}: {Peer} with priority {Priority} is Active too")]
    public static partial void DualActive(ILogger log, string router, string peer, int priority);

    [LoggerMessage(3004, LogLevel.Warning, "Router {Router}: this process did not run for {Milliseconds:F0} ms; no peer is declared dead for it")]
    public static partial void Paused(ILogger log, string router, double milliseconds);

    [LoggerMessage(3005, LogLevel.Warning, "Router {Router}: virtual addresses were gone, and were put back")]
    public static partial void Restored(ILogger log, string router);

    [LoggerMessage(3006, LogLevel.Error, "Router {Router}: the virtual addresses can't be taken or given up: {Error}")]
    public static partial void AddressesFailed(ILogger log, string router, string error);

    [LoggerMessage(3007, LogLevel.Warning, "Router {Router}: in fault ({Error}); tries again in {Seconds:F0} s")]
    public static partial void RetryLater(ILogger log, string router, string error, double seconds);

    [LoggerMessage(3008, LogLevel.Warning, "Router {Router}: {Address} is also at {Mac}: another device has this address")]
    public static partial void Conflict(ILogger log, string router, string address, string mac);

    [LoggerMessage(3009, LogLevel.Error, "Router {Router}: {Error}")]
    public static partial void LinkFailed(ILogger log, string router, string error);

    [LoggerMessage(3010, LogLevel.Error, "The VRRP thread met an error and goes on")]
    public static partial void LoopFailed(ILogger log, Exception error);

    [LoggerMessage(3011, LogLevel.Warning, "The VRRP thread has no real-time priority: {Error}")]
    public static partial void NoRealTime(ILogger log, string error);

    [LoggerMessage(3012, LogLevel.Information, "Router {Router}: {Count} addresses that an earlier run had left were removed")]
    public static partial void StaleRemoved(ILogger log, string router, int count);

    [LoggerMessage(3013, LogLevel.Information, "Router {Router}: its adverts are not queued ahead: {Error}")]
    public static partial void NotQueuedAhead(ILogger log, string router, string error);

    [LoggerMessage(3015, LogLevel.Warning, "Router {Router}: {Address} is on this node already, and not by Lb: it answers for it as a Backup too, and the address stays")]
    public static partial void AlreadyHere(ILogger log, string router, string address);

    [LoggerMessage(3017, LogLevel.Warning, "Router {Router}: {Count} chains of rules that an earlier run had left for its addresses were removed")]
    public static partial void FilterRemoved(ILogger log, string router, int count);

    [LoggerMessage(3016, LogLevel.Warning, "{Error}")]
    public static partial void OffLink(ILogger log, string error);

    [LoggerMessage(3014, LogLevel.Warning, "Whether others have virtual addresses is not heard on {Device}: {Error}")]
    public static partial void NoProbe(ILogger log, string device, string error);
}
