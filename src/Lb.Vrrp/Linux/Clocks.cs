namespace Lb.Vrrp;

/// <summary>The one time axis of the package: the kernel's CLOCK_MONOTONIC, zero when the machine started. Any thread; does not allocate.</summary>
internal static unsafe class Clocks
{
    /// <summary>Now. On Linux exactly CLOCK_MONOTONIC, so that a moment may be given to a timer of the kernel.</summary>
    public static TimeSpan Monotonic() =>
        OperatingSystem.IsLinux()
            ? TimeSpan.FromTicks(Nanoseconds(Libc.ClockMonotonic) / TimeSpan.NanosecondsPerTick)
            : TimeProvider.System.GetElapsedTime(0);

    /// <summary>The wall clock as nanoseconds since 1970, as the kernel stamps packets with it. Linux only.</summary>
    public static long RealNanoseconds() => Nanoseconds(Libc.ClockRealtime);

    /// <summary>Turns the kernel's stamp of a packet into a moment of <see cref="Monotonic"/>.</summary>
    /// <param name="stamp">Wall clock at arrival, nanoseconds since 1970; 0 = not stamped.</param>
    /// <param name="realNow">Wall clock now, read together with <paramref name="now"/>.</param>
    /// <param name="now">The moment of reading.</param>
    /// <param name="lastEmpty">When the receiver was last found empty: what is read now arrived later.</param>
    /// <remarks>The wall clock may have been set since; the bounds keep a jump from being taken for an early or a future arrival.</remarks>
    public static TimeSpan ArrivedAt(long stamp, long realNow, TimeSpan now, TimeSpan lastEmpty)
    {
        if (stamp == 0) return now;
        long age = Math.Clamp((realNow - stamp) / TimeSpan.NanosecondsPerTick, 0, Math.Max(0, (now - lastEmpty).Ticks));
        return now - TimeSpan.FromTicks(age);
    }

    private static long Nanoseconds(int clock)
    {
        Libc.TimeSpec time;
        _ = Libc.GetTime(clock, &time);
        return time.TotalNanoseconds;
    }
}
