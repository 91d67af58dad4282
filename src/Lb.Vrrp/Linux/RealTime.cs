namespace Lb.Vrrp;

/// <summary>Asks the kernel to prefer this thread. Helps against busy neighbours, not against the garbage collector, which stops this thread too.</summary>
internal static unsafe class RealTime
{
    /// <summary>Gives the calling thread a real-time priority (SCHED_FIFO); programs it starts do not inherit it. Needs CAP_SYS_NICE.</summary>
    /// <param name="priority">1 to 99.</param>
    /// <param name="error">Why not, for people.</param>
    public static bool TrySetFifo(int priority, out string? error) =>
        Done(Libc.SetScheduler(0, Libc.ScheduleFifo | Libc.ScheduleResetOnFork, &priority), $"Real-time priority {priority} (CAP_SYS_NICE)", out error);

    /// <summary>Keeps every page of the process in memory once it was touched (mlockall). Needs CAP_IPC_LOCK or a large enough limit.</summary>
    /// <param name="error">Why not, for people.</param>
    public static bool TryLockMemory(out string? error) => Done(Libc.LockMemory(Libc.LockTouchedPages), "Locking memory (CAP_IPC_LOCK)", out error);

    private static bool Done(int result, string what, out string? error)
    {
        error = result == 0 ? null : Libc.Failure(what, Libc.LastError);
        return result == 0;
    }
}
