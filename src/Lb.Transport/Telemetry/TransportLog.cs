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

    [LoggerMessage(4100, LogLevel.Warning, "The driver {Driver} can't be used: {Reason}. The driver {Instead} is used instead")]
    public static partial void DriverMissing(ILogger logger, string driver, string reason, string instead);

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

    [LoggerMessage(4605, LogLevel.Error, "No process can take over from this one by {Address}: {Why}")]
    public static partial void NoHandOver(ILogger logger, string address, string why);

    [LoggerMessage(4400, LogLevel.Information, "Gateway {Gateway} shows {Count} certificates; the first to expire is {Source}, on {Day:yyyy-MM-dd}")]
    public static partial void CertificatesRead(ILogger logger, string gateway, int count, string source, DateTimeOffset day);

    [LoggerMessage(4401, LogLevel.Error, "Gateway {Gateway} keeps its certificates, the new ones can't be used: {Fault}")]
    public static partial void CertificatesRefused(ILogger logger, string gateway, string fault);

    [LoggerMessage(4402, LogLevel.Warning, "Gateway {Gateway}: the certificate in {Source} is valid from {From:yyyy-MM-dd} to {To:yyyy-MM-dd}, not now")]
    public static partial void CertificateNotValid(ILogger logger, string gateway, string source, DateTimeOffset from, DateTimeOffset to);

    [LoggerMessage(4403, LogLevel.Debug, "Gateway {Gateway}: no TLS with a client: {Fault}")]
    public static partial void ClientTlsFailed(ILogger logger, string gateway, string fault);

    [LoggerMessage(4404, LogLevel.Debug, "Gateway {Gateway}: no TLS with {Pool}/{Server}: {Fault}")]
    public static partial void ServerTlsFailed(ILogger logger, string gateway, string pool, string server, string fault);

    [LoggerMessage(4006, LogLevel.Information, "Gateway {Gateway} has stopped")]
    public static partial void Stopped(ILogger logger, string gateway);

    [LoggerMessage(4200, LogLevel.Debug, "Gateway {Gateway}: {Pool}/{Server} failed a UDP session ({Kind}); its next datagram goes to another server")]
    public static partial void UdpServerFailed(ILogger logger, string gateway, string pool, string server, FailureKind kind);

    [LoggerMessage(4201, LogLevel.Debug, "Gateway {Gateway}: a UDP session ended with {End}")]
    public static partial void UdpSessionEnded(ILogger logger, string gateway, UdpEnd end);

    [LoggerMessage(4202, LogLevel.Warning, "Gateway {Gateway} has {Limit} UDP sessions, which is the limit: those silent for longest make room (said once a minute)")]
    public static partial void UdpTableFull(ILogger logger, string gateway, int limit);

    [LoggerMessage(4500, LogLevel.Information, "Gateway {Gateway} goes by {File}: {Count} networks")]
    public static partial void AddressesRead(ILogger logger, string gateway, string file, int count);

    [LoggerMessage(4501, LogLevel.Error, "Gateway {Gateway} can't use {File} as it is now and goes by what it read before: {Faults}")]
    public static partial void AddressesNotRead(ILogger logger, string gateway, string file, string faults);

    [LoggerMessage(4502, LogLevel.Warning, "Buffers hold {Bytes} bytes, the limit is {Limit}: no client is accepted until slow readers have taken some of it")]
    public static partial void MemoryFull(ILogger logger, long bytes, long limit);

    [LoggerMessage(4503, LogLevel.Information, "Buffers hold {Bytes} bytes of {Limit} again: clients are accepted")]
    public static partial void MemoryFree(ILogger logger, long bytes, long limit);

    [LoggerMessage(4300, LogLevel.Debug, "Gateway {Gateway}: the PROXY header of {Peer} was refused: {Reason}")]
    public static partial void ProxyHeaderRefused(ILogger logger, string gateway, PeerAddress peer, ProxyHeaderResult reason);
}
