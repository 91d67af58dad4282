using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Lb.Health;

/// <summary>The system calls of a connection that is only tried. Numbers and layouts are those of Linux on x64 and arm64, where they agree.</summary>
internal static unsafe partial class ConnectLibc
{
    public const int InProgress = 115;
    public const int Already = 114;
    public const int Interrupted = 4;
    public const int CloseOnExec = 0x80000;

    private const int InterNetwork = 2;
    private const int InterNetworkV6 = 10;
    private const int Stream = 1 | 0x800 | CloseOnExec;
    private const int SocketLevel = 1;
    private const int OptionError = 4;
    private const int OptionLinger = 13;
    private const int TcpLevel = 6;
    private const int OptionQuickAck = 12;
    private const int EpollAdd = 1;
    private const uint EpollOutOnce = 0x4 | (1u << 30);

    /// <summary>Size of <c>struct epoll_event</c>: packed on x64 only.</summary>
    public static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    /// <summary>Where its user data begins.</summary>
    public static readonly int EventDataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    /// <summary>The error number of the last failed call on this thread.</summary>
    public static int Errno => Marshal.GetLastPInvokeError();

    /// <summary>Makes a socket and begins to connect it.</summary>
    /// <param name="endPoint">An IP address or a Unix socket.</param>
    /// <param name="descriptor">The socket, or -1.</param>
    /// <returns>0: connected; <see cref="InProgress"/>; or another error number.</returns>
    public static int Begin(EndPoint endPoint, out int descriptor)
    {
        byte* address = stackalloc byte[128];
        int length = Write(endPoint, new Span<byte>(address, 128));
        descriptor = Socket(*(ushort*)address, Stream, 0);
        if (descriptor < 0) return Errno;

        // The last acknowledgement waits, and the reset is there first: three packets, and the server's program is not even woken. HAProxy does so too.
        int off = 0;
        if (endPoint is IPEndPoint) _ = SetOption(descriptor, TcpLevel, OptionQuickAck, &off, sizeof(int));
        if (Connect(descriptor, address, length) == 0) return 0;
        int error = Errno;
        if (error is not (InProgress or Interrupted)) return error;

        // On the same host, and on a near one after a pause of ours, it is through already: asking costs less than waiting.
        if (Connect(descriptor, address, length) == 0) return 0;
        error = Errno;
        return error is Already or InProgress or Interrupted ? InProgress : error;
    }

    /// <summary>Reads and clears the socket's pending error.</summary>
    public static int TakeError(int descriptor)
    {
        int value = 0, size = sizeof(int);
        return GetOption(descriptor, SocketLevel, OptionError, &value, &size) == 0 ? value : Errno;
    }

    /// <summary>Closes the socket with a reset, so that neither side keeps anything of it.</summary>
    public static void Reset(int descriptor)
    {
        // struct linger { 1, 0 }. It fails when the server has closed already: it did accept.
        long linger = BitConverter.IsLittleEndian ? 1 : 1L << 32;
        _ = SetOption(descriptor, SocketLevel, OptionLinger, &linger, sizeof(long));
        _ = Close(descriptor);
    }

    /// <summary>Tells once when the descriptor is connected or has failed.</summary>
    /// <returns>0, or -1 with <see cref="Errno"/>.</returns>
    public static int Watch(int epoll, int descriptor, ulong data)
    {
        byte* item = stackalloc byte[16];
        *(uint*)item = EpollOutOnce;
        *(ulong*)(item + EventDataOffset) = data;
        return EpollControl(epoll, EpollAdd, descriptor, item);
    }

    /// <summary>What the runtime's own sockets call an error number.</summary>
    public static SocketError ErrorOf(int number) => number switch
    {
        1 or 13 => SocketError.AccessDenied,
        2 or 99 => SocketError.AddressNotAvailable,
        11 => SocketError.WouldBlock,
        12 or 105 => SocketError.NoBufferSpaceAvailable,
        22 => SocketError.InvalidArgument,
        23 or 24 => SocketError.TooManyOpenSockets,
        91 => SocketError.ProtocolType,
        93 => SocketError.ProtocolNotSupported,
        95 => SocketError.OperationNotSupported,
        97 => SocketError.AddressFamilyNotSupported,
        100 => SocketError.NetworkDown,
        101 => SocketError.NetworkUnreachable,
        103 => SocketError.ConnectionAborted,
        104 => SocketError.ConnectionReset,
        110 => SocketError.TimedOut,
        111 => SocketError.ConnectionRefused,
        112 => SocketError.HostDown,
        113 => SocketError.HostUnreachable,
        _ => SocketError.SocketError,
    };

    private static int Write(EndPoint endPoint, Span<byte> address)
    {
        if (endPoint is not IPEndPoint ip)
        {
            SocketAddress unix = endPoint.Serialize();
            unix.Buffer.Span[..unix.Size].CopyTo(address);
            return unix.Size;
        }

        address[..28].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], (ushort)ip.Port);
        if (ip.AddressFamily == AddressFamily.InterNetwork)
        {
            MemoryMarshal.Write(address, (ushort)InterNetwork);
            ip.Address.TryWriteBytes(address[4..], out _);
            return 16;
        }

        MemoryMarshal.Write(address, (ushort)InterNetworkV6);
        ip.Address.TryWriteBytes(address[8..], out _);
        MemoryMarshal.Write(address[24..], (uint)ip.Address.ScopeId);
        return 28;
    }

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, void* events, int capacity, int milliseconds);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int EpollControl(int epoll, int operation, int descriptor, void* item);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(int descriptor, void* address, int length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetOption(int descriptor, int level, int option, void* value, int* size);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int descriptor, int level, int option, void* value, int size);
}
