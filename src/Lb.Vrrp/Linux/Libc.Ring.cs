using System.Runtime.InteropServices;

namespace Lb.Vrrp;

internal static unsafe partial class Libc
{
    public const long SetupRingCall = 425;
    public const long EnterRingCall = 426;

    public const int ProtectReadWrite = 3;
    public const int MapSharedPopulated = 0x8001;
    public const nint MapFailed = -1;

    /// <summary>A call by its number: io_uring has no function in libc. The numbers are the same on x64 and arm64.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    public static partial nint SystemCall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(void* address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(nint address, nuint length);
}
