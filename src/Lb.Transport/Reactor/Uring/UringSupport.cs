using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>Whether this process may use io_uring as the driver does, found out by doing it. Any thread.</summary>
internal static unsafe class UringSupport
{
    private const string Setting = "/proc/sys/kernel/io_uring_disabled";
    private const uint RegisterProbe = 8;
    private const int ProbeHead = 16;
    private const int ProbeEntry = 8;
    private const int Operations = 64;

    private static readonly Lazy<string?> s_missing = new(Probe);

    /// <summary>Why the driver can't be used; null when it can. Found out once for the process.</summary>
    public static string? Missing => s_missing.Value;

    /// <summary>Makes a small ring with everything the driver asks for, and runs an operation on it.</summary>
    /// <returns>What is missing, or null.</returns>
    internal static string? Probe()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
            return "it exists on Linux for x64 and arm64 only";
        try
        {
            using UringRing ring = new(8, 16);
            if (!HasOperations(ring)) return "the kernel lacks an operation of it (Linux 6.1 or later is needed)";
            ring.Enable();
            ring.Next(UringOperation.Nop, -1, 1);
            ring.Enter(1, 1000);
            if (ring.Head == ring.Tail || ring[ring.Head]->UserData != 1) return "it does not answer";

            // The kernel may use their memory as long as the ring lives, and no operation here does.
            using UringBuffers buffers = new(ring);
            return null;
        }
        catch (UringException exception)
        {
            return Explain(exception.Error, ReadSetting());
        }
    }

    /// <summary>What an error of the probe means.</summary>
    /// <param name="error">The error number.</param>
    /// <param name="setting">Content of <c>kernel.io_uring_disabled</c>; null where it does not exist.</param>
    internal static string Explain(int error, string? setting) => error switch
    {
        Errno.NoSystemCall => "this kernel has none",
        Errno.NotPermitted or Errno.Access when setting is "1" or "2" => $"kernel.io_uring_disabled is {setting}",
        Errno.NotPermitted or Errno.Access => "this process is not allowed to (a container's filter of system calls?)",
        Errno.Invalid => "the kernel is too old (Linux 6.1 or later is needed)",
        Errno.NoMemory => "there is no memory for it (the limit of locked memory, RLIMIT_MEMLOCK?)",
        Errno.TooManyOpen or Errno.SystemTableFull => "no descriptor is left for it",
        _ => $"its set-up fails with errno {error}",
    };

    private static bool HasOperations(UringRing ring)
    {
        byte* probe = stackalloc byte[ProbeHead + Operations * ProbeEntry]; // struct io_uring_probe
        new Span<byte>(probe, ProbeHead + Operations * ProbeEntry).Clear();
        ring.Register(RegisterProbe, probe, Operations);
        ReadOnlySpan<byte> needed =
            [UringOperation.PollAdd, UringOperation.Cancel, UringOperation.Close, UringOperation.Send, UringOperation.Receive];
        foreach (byte operation in needed)
        {
            const int Supported = 1;
            if (operation > probe[0] || (*(ushort*)(probe + ProbeHead + operation * ProbeEntry + 2) & Supported) == 0) return false;
        }

        return true;
    }

    private static string? ReadSetting()
    {
        try
        {
            return File.ReadAllText(Setting).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
