namespace Lb.Vrrp;

/// <summary>An alarm at a moment of <see cref="Clocks.Monotonic"/> (timerfd). Late by what waking a thread takes; the time-out of a poll is rounded by up to 0.1 %.</summary>
internal sealed unsafe class TimerFd : IDisposable
{
    private TimeSpan? _at;

    /// <summary>Opens it, not armed.</summary>
    /// <exception cref="IOException">The process has no descriptor left.</exception>
    public TimerFd()
    {
        Descriptor = Libc.CreateTimer(Libc.ClockMonotonic, Libc.NonBlocking | Libc.CloseOnExec);
        if (Descriptor < 0) throw new IOException(Libc.Failure("timerfd_create", Libc.LastError));
    }

    /// <summary>What to poll: readable from the moment on.</summary>
    public int Descriptor { get; }

    /// <summary>Sets the alarm; costs nothing when it is set already.</summary>
    /// <param name="at">The moment; null = no alarm. What is past already sounds at once.</param>
    public void Set(TimeSpan? at)
    {
        if (at == _at) return;
        _at = at;

        // Nought would disarm it.
        Libc.TimerSpec time = new() { Value = at is { } moment ? Libc.TimeSpec.From(TimeSpan.FromTicks(Math.Max(1, moment.Ticks))) : default };
        _ = Libc.SetTimer(Descriptor, Libc.TimerAbsolute, &time, null);
    }

    /// <summary>Takes the alarm.</summary>
    /// <returns>False when it has not sounded.</returns>
    public bool Take()
    {
        ulong count;
        if (Libc.Read(Descriptor, &count, sizeof(ulong)) != sizeof(ulong)) return false;
        _at = null;
        return true;
    }

    public void Dispose() => _ = Libc.Close(Descriptor);
}
