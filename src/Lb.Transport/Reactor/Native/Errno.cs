using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>Error numbers of Linux and what they mean to us.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int Again = 11;
    public const int NoMemory = 12;
    public const int Access = 13;
    public const int Busy = 16;
    public const int NoDevice = 19;
    public const int Invalid = 22;
    public const int SystemTableFull = 23;
    public const int TooManyOpen = 24;
    public const int BrokenPipe = 32;
    public const int NoSystemCall = 38;
    public const int TimerExpired = 62;
    public const int ProtocolError = 71;
    public const int NoProtocolOption = 92;
    public const int NotSupported = 95;
    public const int FamilyNotSupported = 97;
    public const int AddressInUse = 98;
    public const int AddressNotAvailable = 99;
    public const int NetworkDown = 100;
    public const int NetworkUnreachable = 101;
    public const int ConnectionAborted = 103;
    public const int ConnectionReset = 104;
    public const int MessageTooLong = 90;
    public const int NoBuffers = 105;
    public const int NotConnected = 107;
    public const int TimedOut = 110;
    public const int ConnectionRefused = 111;
    public const int HostDown = 112;
    public const int HostUnreachable = 113;
    public const int InProgress = 115;
    public const int NoNetwork = 64;
    public const int Cancelled = 125;

    /// <summary>Why a connection ended, from its error.</summary>
    public static CloseReason ToCloseReason(int error) => error switch
    {
        ConnectionReset or BrokenPipe or ConnectionAborted or NotConnected => CloseReason.Reset,
        ConnectionRefused or NoEntry => CloseReason.Refused,
        TimedOut or HostUnreachable or NetworkUnreachable or NetworkDown or HostDown or NoNetwork => CloseReason.Unreachable,
        AddressNotAvailable or AddressInUse => CloseReason.NoPort,
        _ => CloseReason.LocalError,
    };

    /// <summary>
    /// True for an accept error that belongs to the one connection (accept(2): "treat them like EAGAIN"): the next one may be fine.
    /// </summary>
    public static bool ConcernsOneConnection(int error) => error is Interrupted or ConnectionAborted or ProtocolError or NotPermitted
        or NetworkDown or NoProtocolOption or HostDown or NoNetwork or HostUnreachable or NotSupported or NetworkUnreachable or TimedOut;

    /// <summary>The exception .NET users know for an error of <paramref name="what"/>.</summary>
    public static SocketException ToException(int error, string what)
    {
        SocketError code = error switch
        {
            AddressInUse => SocketError.AddressAlreadyInUse,
            AddressNotAvailable => SocketError.AddressNotAvailable,
            Access or NotPermitted => SocketError.AccessDenied,
            FamilyNotSupported => SocketError.AddressFamilyNotSupported,
            TooManyOpen or SystemTableFull => SocketError.TooManyOpenSockets,
            NoBuffers or NoMemory => SocketError.NoBufferSpaceAvailable,
            _ => SocketError.SocketError,
        };
        return new SocketException((int)code, $"{what} failed: {new SocketException((int)code).Message} (errno {error})");
    }
}
