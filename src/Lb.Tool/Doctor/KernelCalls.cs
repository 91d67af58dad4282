using System.Runtime.InteropServices;

namespace Lb.Tool;

/// <summary>System calls by which the kernel tells what no file does. Linux, x64 and arm64.</summary>
internal static partial class KernelCalls
{
    private const int TimeError = 5; // TIME_ERROR: the clock is not synchronized.
    private const int SizeOfTimex = 208;
    private const int SetupRing = 425; // io_uring_setup, the same number everywhere.
    private const int SizeOfParameters = 120;

    /// <summary>Whether the kernel's clock is kept in step with another; null = it does not say.</summary>
    public static bool? ClockIsSynchronized()
    {
        // With no mode set it only reads.
        byte[] timex = new byte[SizeOfTimex];
        int state = AdjustTime(ref timex[0]);
        return state < 0 ? null : state != TimeError;
    }

    /// <summary>Tries io_uring.</summary>
    /// <returns>Why it can't be used; null = it can.</returns>
    public static string? TryRing()
    {
        byte[] parameters = new byte[SizeOfParameters];
        nint descriptor = SystemCall(SetupRing, 1, ref parameters[0]);
        if (descriptor < 0) return Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
        _ = Close((int)descriptor);
        return Environment.OSVersion.Version < new Version(5, 19) ? "Linux 5.19 is needed" : null;
    }

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    private static partial int AdjustTime(ref byte timex);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint entries, ref byte parameters);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
