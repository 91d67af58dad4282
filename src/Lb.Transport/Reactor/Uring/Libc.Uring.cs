using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <content>What io_uring needs beyond sockets. The numbers of its three calls are the same on every architecture.</content>
internal static unsafe partial class Libc
{
    private const nint SystemCallSetup = 425;
    private const nint SystemCallEnter = 426;
    private const nint SystemCallRegister = 427;

    public static readonly void* MapFailed = (void*)-1;

    /// <returns>The descriptor of the ring, or -1 with <see cref="Errno"/>.</returns>
    public static int UringSetup(uint entries, void* parameters) =>
        (int)SystemCall(SystemCallSetup, (nint)entries, (nint)parameters, 0, 0, 0, 0);

    /// <returns>Operations submitted, or -1 with <see cref="Errno"/>.</returns>
    public static int UringEnter(int ring, uint submit, uint complete, uint flags, void* argument, nint size) =>
        (int)SystemCall(SystemCallEnter, ring, (nint)submit, (nint)complete, (nint)flags, (nint)argument, size);

    /// <returns>0 or more, or -1 with <see cref="Errno"/>.</returns>
    public static int UringRegister(int ring, uint operation, void* argument, uint count) =>
        (int)SystemCall(SystemCallRegister, ring, (nint)operation, (nint)argument, (nint)count, 0, 0);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial void* Map(void* address, nint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(void* address, nint length);

    // Variadic in C, which makes no difference on Linux for x64 and arm64.
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);
}
