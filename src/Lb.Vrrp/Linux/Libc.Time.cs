using System.Runtime.InteropServices;

namespace Lb.Vrrp;

internal static unsafe partial class Libc
{
    public const int ClockRealtime = 0;
    public const int ClockMonotonic = 1;

    public const int TimerAbsolute = 1;

    public const short PollIn = 1;

    public const int ScheduleFifo = 1;

    /// <summary>Children do not inherit the real-time priority (SCHED_RESET_ON_FORK).</summary>
    public const int ScheduleResetOnFork = 0x40000000;

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    public static partial int GetTime(int clock, TimeSpec* time);

    [LibraryImport("libc", EntryPoint = "ppoll", SetLastError = true)]
    public static partial int Poll(PollItem* items, nuint count, TimeSpec* timeout, void* signals);

    [LibraryImport("libc", EntryPoint = "timerfd_create", SetLastError = true)]
    public static partial int CreateTimer(int clock, int flags);

    [LibraryImport("libc", EntryPoint = "timerfd_settime", SetLastError = true)]
    public static partial int SetTimer(int descriptor, int flags, TimerSpec* time, TimerSpec* old);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventDescriptor(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, void* bytes, nint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, void* bytes, nint length);

    [LibraryImport("libc", EntryPoint = "sched_setscheduler", SetLastError = true)]
    public static partial int SetScheduler(int thread, int policy, int* priority);

    /// <summary><c>struct timespec</c>.</summary>
    public struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;

        public readonly long TotalNanoseconds => Seconds * 1_000_000_000 + Nanoseconds;

        public static TimeSpec From(TimeSpan time)
        {
            (long seconds, long ticks) = Math.DivRem(Math.Max(0, time.Ticks), TimeSpan.TicksPerSecond);
            return new TimeSpec { Seconds = seconds, Nanoseconds = ticks * TimeSpan.NanosecondsPerTick };
        }
    }

    /// <summary><c>struct itimerspec</c>.</summary>
    public struct TimerSpec
    {
        public TimeSpec Interval;
        public TimeSpec Value;
    }

    /// <summary><c>struct pollfd</c>.</summary>
    public struct PollItem
    {
        public int Descriptor;
        public short Events;
        public short Happened;
    }
}
