using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Lb;

/// <summary>Takes the ends of child processes as the kernel tells of them, so that none stays a zombie and nobody blocks a thread to wait. Any thread.</summary>
internal static class ChildReaper
{
    private static readonly ConcurrentDictionary<ChildProcess, bool> Living = [];
    private static readonly Lazy<PosixSignalRegistration> Signal = new(static () => OperatingSystem.IsWindows()
        ? throw new PlatformNotSupportedException("Programs are run on Linux only.")
        : PosixSignalRegistration.Create(PosixSignal.SIGCHLD, static _ => Reap()));

    /// <summary>Children whose end was not taken yet.</summary>
    public static int Count => Living.Count;

    public static void Watch(ChildProcess child)
    {
        // First the signal, then the child, then a look: its end may have come before, and comes once.
        _ = Signal.Value;
        Living[child] = true;
        if (child.TryReap()) Living.TryRemove(child, out _);
    }

    private static void Reap()
    {
        foreach (ChildProcess child in Living.Keys)
        {
            if (child.TryReap()) Living.TryRemove(child, out _);
        }
    }
}
