namespace Lb.Vrrp;

/// <summary>Asks the kernel to prefer this thread. Helps against busy neighbours, not against the garbage collector, which stops this thread too.</summary>
internal static unsafe class RealTime
{
    /// <summary>Gives the calling thread a real-time priority (SCHED_FIFO); programs it starts do not inherit it. Needs CAP_SYS_NICE.</summary>
    /// <param name="priority">1 to 99.</param>
    /// <param name="error">Why not, for people.</param>
    public static bool TrySetFifo(int priority, out string? error)
    {
        bool isSet = Libc.SetScheduler(0, Libc.ScheduleFifo | Libc.ScheduleResetOnFork, &priority) == 0;
        error = isSet ? null : Libc.Failure($"Real-time priority {priority} (CAP_SYS_NICE)", Libc.LastError);
        return isSet;
    }
}
