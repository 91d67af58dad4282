using System.Net;
using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>Log messages of Lb.Transport: ids 4000 to 4999.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(4000, LogLevel.Information, "Gateway {Gateway} listens on {EndPoint}, pool {Pool}")]
    public static partial void Listening(ILogger logger, string gateway, EndPoint endPoint, string pool);

    [LoggerMessage(4001, LogLevel.Error, "A handler of the event loop failed; its connection was closed")]
    public static partial void HandlerFailed(ILogger logger, Exception error);

    [LoggerMessage(4002, LogLevel.Debug, "Gateway {Gateway}: an attempt on {Pool}/{Server} ended with {End}")]
    public static partial void AttemptFailed(ILogger logger, string gateway, string pool, string server, RelayEnd end);

    [LoggerMessage(4003, LogLevel.Debug, "Gateway {Gateway}: a connection ended with {End}")]
    public static partial void SessionEnded(ILogger logger, string gateway, RelayEnd end);

    [LoggerMessage(4004, LogLevel.Information, "Gateway {Gateway} stops; {Open} connections have {Seconds} s to end")]
    public static partial void Draining(ILogger logger, string gateway, int open, double seconds);

    [LoggerMessage(4005, LogLevel.Warning, "Gateway {Gateway} resets the {Open} connections that did not end in time")]
    public static partial void Killing(ILogger logger, string gateway, int open);

    [LoggerMessage(4007, LogLevel.Error, "Gateway {Gateway}: the scheduling policy failed; the client was closed")]
    public static partial void PickFailed(ILogger logger, Exception error, string gateway);

    [LoggerMessage(4008, LogLevel.Information, "The limit of open files allows a gateway {Most} connections at a time")]
    public static partial void ConnectionLimit(ILogger logger, int most);

    [LoggerMessage(4600, LogLevel.Warning, "Loop {Loop} can't be kept to processor {Processor} (errno {Error}); it runs where the system puts it")]
    public static partial void NotPinned(ILogger logger, int loop, int processor, int error);

    [LoggerMessage(4601, LogLevel.Information, "The listening sockets have gone to another process; this one stops when its last connections end")]
    public static partial void HandedOver(ILogger logger);

    [LoggerMessage(4602, LogLevel.Information, "The listening sockets have come from the process that ran before, by {HandOver}")]
    public static partial void TookOver(ILogger logger, string handOver);

    [LoggerMessage(4603, LogLevel.Warning, "A socket on {EndPoint} was given to this process and no gateway listens there; it is closed")]
    public static partial void NotInherited(ILogger logger, EndPoint endPoint);

    [LoggerMessage(4604, LogLevel.Warning, "A process has asked for the listening sockets and did not take over: {Why}; this one goes on")]
    public static partial void HandOverFailed(ILogger logger, string why);

    [LoggerMessage(4006, LogLevel.Information, "Gateway {Gateway} has stopped")]
    public static partial void Stopped(ILogger logger, string gateway);
}
