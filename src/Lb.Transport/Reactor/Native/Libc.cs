using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>
/// The system calls of the drivers of Linux. Numbers are those of Linux on x64 and arm64, where they agree.
/// </summary>
/// <remarks>
/// Ordinary calls, not SuppressGCTransition: measured, it saves nothing on a system call of this size, and a call that copies 256 KiB
/// would hold up the garbage collection of the whole host.
/// </remarks>
internal static unsafe partial class Libc
{
    public const int AddressFamilyUnix = 1;
    public const int AddressFamilyV4 = 2;
    public const int AddressFamilyV6 = 10;

    public const int SockStream = 1;
    public const int SockNonBlocking = 0x800;
    public const int SockCloseOnExec = 0x80000;

    public const int LevelSocket = 1;
    public const int LevelTcp = 6;
    public const int LevelV6 = 41;
    public const int ReuseAddress = 2;
    public const int SocketErrorOption = 4;
    public const int Linger = 13;
    public const int ReusePort = 15;
    public const int TcpNoDelay = 1;
    public const int V6Only = 26;

    public const int MessagePeek = 0x2;
    public const int MessageTruncate = 0x20;
    public const int MessageDontWait = 0x40;
    public const int MessageNoSignal = 0x4000;

    public const int ShutdownWrite = 1;

    public const uint SpliceMove = 1;
    public const uint SpliceNonBlocking = 2;

    public const int EpollAdd = 1;
    public const int EpollDelete = 2;
    public const uint EpollIn = 0x1;
    public const uint EpollPriority = 0x2;
    public const uint EpollOut = 0x4;
    public const uint EpollError = 0x8;
    public const uint EpollHangUp = 0x10;
    public const uint EpollReadHangUp = 0x2000;
    public const uint EpollEdge = 1u << 31;

    /// <summary>Size of <c>struct epoll_event</c>: packed on x64 only.</summary>
    public static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    /// <summary>Where its user data begins.</summary>
    public static readonly int EventDataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    /// <summary>The error number of the last failed call on this thread.</summary>
    public static int Errno => Marshal.GetLastPInvokeError();

    /// <summary>Adds a descriptor to an epoll set.</summary>
    /// <returns>0, or -1 with <see cref="Errno"/>.</returns>
    public static int EpollRegister(int epoll, int descriptor, uint events, ulong data)
    {
        byte* item = stackalloc byte[16];
        *(uint*)item = events;
        *(ulong*)(item + EventDataOffset) = data;
        return EpollControl(epoll, EpollAdd, descriptor, item);
    }

    public static int SetOption(int descriptor, int level, int option, int value) => SetOption(descriptor, level, option, &value, sizeof(int));

    /// <summary>Reads and clears the socket's pending error (SO_ERROR).</summary>
    public static int TakeError(int descriptor)
    {
        int error = 0;
        uint length = sizeof(int);
        return GetOption(descriptor, LevelSocket, SocketErrorOption, &error, &length) == 0 ? error : Errno;
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, int descriptor, void* item);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, void* events, int capacity, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventDescriptor(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int descriptor, void* address, uint length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    public static partial int Listen(int descriptor, int backlog);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    public static partial int Accept(int descriptor, void* address, uint* length, int flags);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    public static partial int Connect(int descriptor, void* address, uint length);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int descriptor, void* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(int descriptor, void* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, void* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    public static partial int Pipe(int* ends, int flags);

    /// <summary>The form with a number as its argument. Variadic in C, which makes no difference on Linux for x64 and arm64.</summary>
    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FileControl(int descriptor, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "splice", SetLastError = true)]
    public static partial nint Splice(int from, long* fromOffset, int to, long* toOffset, nint length, uint flags);

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    public static partial int Shutdown(int descriptor, int how);

    /// <summary>Never call it twice for one descriptor, whatever it returns: the number may belong to another thread by then.</summary>
    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetOption(int descriptor, int level, int option, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    public static partial int GetOption(int descriptor, int level, int option, void* value, uint* length);

    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    public static partial int GetSocketName(int descriptor, void* address, uint* length);
}
