namespace Lb.Vrrp;

/// <summary>A counter of the kernel that wakes a poll (eventfd).</summary>
internal sealed unsafe class EventFd : IDisposable
{
    /// <summary>Opens it.</summary>
    /// <exception cref="IOException">The process has no descriptor left.</exception>
    public EventFd()
    {
        Descriptor = Libc.EventDescriptor(0, Libc.NonBlocking | Libc.CloseOnExec);
        if (Descriptor < 0) throw new IOException(Libc.Failure("eventfd", Libc.LastError));
    }

    /// <summary>What to poll.</summary>
    public int Descriptor { get; }

    /// <summary>Makes it readable. Any thread.</summary>
    public void Signal()
    {
        ulong one = 1;
        _ = Libc.Write(Descriptor, &one, sizeof(ulong));
    }

    /// <summary>Takes all signals.</summary>
    /// <returns>False when there was none.</returns>
    public bool Take()
    {
        ulong count;
        return Libc.Read(Descriptor, &count, sizeof(ulong)) == sizeof(ulong);
    }

    public void Dispose() => _ = Libc.Close(Descriptor);
}
