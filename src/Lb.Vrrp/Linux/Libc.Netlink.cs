using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <summary>System calls of netlink and packet sockets. Numbers are those of Linux on x64 and arm64, where they agree.</summary>
internal static unsafe partial class Libc
{
    public const int NetlinkFamily = 16;
    public const int PacketFamily = 17;

    public const int NetlinkSockRaw = 3;
    public const int NetlinkSockNonBlocking = 0x800;
    public const int NetlinkSockCloseOnExec = 0x80000;

    public const int NetlinkLevelSocket = 1;
    public const int NetlinkReceiveTimeout = 20;
    public const int NetlinkAttachFilter = 26;
    public const int NetlinkLevel = 270;
    public const int NetlinkCapAck = 10;
    public const int NetlinkExtendedAck = 11;
    public const int NetlinkStrictCheck = 12;

    public const int NetlinkMessageTruncate = 0x20;
    public const int NetlinkMessageDontWait = 0x40;

    public const int NetlinkNotPermitted = 1;
    public const int NetlinkInterrupted = 4;
    public const int NetlinkAgain = 11;
    public const int NetlinkExists = 17;
    public const int NetlinkNoDevice = 19;
    public const int NetlinkAddressNotAvailable = 99;
    public const int NetlinkTimedOut = 110;

    /// <summary>The error number of the last failed call on this thread.</summary>
    public static int NetlinkErrno => Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int NetlinkSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int NetlinkBind(int descriptor, void* address, uint length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int NetlinkSetOption(int descriptor, int level, int option, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    public static partial nint NetlinkSend(int descriptor, void* buffer, nint length, int flags, void* address, uint addressLength);

    [LibraryImport("libc", EntryPoint = "recvfrom", SetLastError = true)]
    public static partial nint NetlinkReceive(int descriptor, void* buffer, nint length, int flags, void* address, uint* addressLength);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int NetlinkClose(int descriptor);
}
