using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>What <see cref="SocketError"/> means to us.</summary>
internal static class SocketReasons
{
    /// <summary>Why a connection ended, from its error.</summary>
    public static CloseReason ToCloseReason(SocketError error) => error switch
    {
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown or SocketError.NotConnected
            or SocketError.Disconnecting => CloseReason.Reset,
        SocketError.ConnectionRefused => CloseReason.Refused,
        SocketError.TimedOut or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.NetworkDown
            or SocketError.HostDown or SocketError.NetworkReset => CloseReason.Unreachable,
        SocketError.AddressNotAvailable or SocketError.AddressAlreadyInUse => CloseReason.NoPort,
        _ => CloseReason.LocalError,
    };

    /// <summary>Why a connect failed; a Unix socket has errors of its own.</summary>
    public static CloseReason OfConnect(SocketError error, bool isUnix) => error switch
    {
        // The file does not exist (ENOENT); its queue is full (EAGAIN).
        SocketError.AddressNotAvailable when isUnix => CloseReason.Refused,
        SocketError.WouldBlock or SocketError.TryAgain when isUnix => CloseReason.Unreachable,
        _ => ToCloseReason(error),
    };

    /// <summary>True for an accept error that belongs to the one connection.</summary>
    public static bool ConcernsOneConnection(SocketError error) => error is SocketError.ConnectionReset or SocketError.ConnectionAborted
        or SocketError.Interrupted or SocketError.NetworkDown or SocketError.NetworkUnreachable or SocketError.HostDown
        or SocketError.HostUnreachable or SocketError.TimedOut or SocketError.WouldBlock;
}
