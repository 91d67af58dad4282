using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <content>Calls for sockets that come from elsewhere, and for threads.</content>
internal static unsafe partial class Libc
{
    /// <summary>Reads an option that is a number; -1 when it can't be read.</summary>
    public static int GetNumber(int descriptor, int level, int option)
    {
        int value = 0;
        uint length = sizeof(int);
        return GetOption(descriptor, level, option, &value, &length) == 0 ? value : -1;
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(int descriptor, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    public static partial int SetAffinity(int thread, nint size, void* mask);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    public static partial int GetAffinity(int thread, nint size, void* mask);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendMessage(int descriptor, void* message, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(void* items, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint ReceiveMessage(int descriptor, void* message, int flags);
}
