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

    [LoggerMessage(4006, LogLevel.Information, "Gateway {Gateway} has stopped")]
    public static partial void Stopped(ILogger logger, string gateway);

    [LoggerMessage(4500, LogLevel.Information, "Gateway {Gateway} goes by {File}: {Count} networks")]
    public static partial void AddressesRead(ILogger logger, string gateway, string file, int count);

    [LoggerMessage(4501, LogLevel.Error, "Gateway {Gateway} can't use {File} as it is now and goes by what it read before: {Faults}")]
    public static partial void AddressesNotRead(ILogger logger, string gateway, string file, string faults);

    [LoggerMessage(4502, LogLevel.Warning, "Buffers hold {Bytes} bytes, the limit is {Limit}: no client is accepted until slow readers have taken some of it")]
    public static partial void MemoryFull(ILogger logger, long bytes, long limit);

    [LoggerMessage(4503, LogLevel.Information, "Buffers hold {Bytes} bytes of {Limit} again: clients are accepted")]
    public static partial void MemoryFree(ILogger logger, long bytes, long limit);
}
