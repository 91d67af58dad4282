namespace Lb.Transport;

/// <summary>
/// The pipes of one loop, kept for the next time, and the bound on those of the process: pipes never take more than a sixteenth of the limit of open files.
/// Whoever gets none copies. One loop's thread.
/// </summary>
/// <param name="isEnabled">False: there are none (<see cref="TransportOptions.Splice"/>).</param>
internal sealed class SplicePipes(bool isEnabled)
{
    private const int MostIdle = 32;

    /// <summary>Of the process: a pipe takes two descriptors, and with 256 KiB each 1024 of them may hold 256 MiB of the kernel's memory.</summary>
    private static readonly int s_most = (int)Math.Clamp(DescriptorBudget.Limit() / 16 / 2, 4, 1024);
    private static int s_open;

    private readonly Stack<SplicePipe> _idle = new();
    private bool _enabled = isEnabled;

    /// <summary>Pipes of the whole process, in use or kept.</summary>
    public static int Open => Volatile.Read(ref s_open);

    /// <summary>Most pipes of the whole process at a time.</summary>
    public static int Most => s_most;

    /// <summary>False when splicing is switched off, or this system has turned out not to allow it.</summary>
    public bool IsEnabled => _enabled;

    /// <summary>An empty pipe, or null: then copy.</summary>
    public SplicePipe? Rent()
    {
        if (_idle.TryPop(out SplicePipe? idle)) return idle;
        if (!_enabled) return null;
        if (Interlocked.Increment(ref s_open) <= s_most && SplicePipe.Open() is { } pipe) return pipe;
        Interlocked.Decrement(ref s_open);
        return null;
    }

    /// <summary>Takes a pipe back. One with bytes in it is closed: they are nobody else's.</summary>
    public void Return(SplicePipe pipe)
    {
        if (pipe.Held == 0 && _enabled && _idle.Count < MostIdle) _idle.Push(pipe);
        else Close(pipe);
    }

    /// <summary>splice(2) is refused here (a filter of system calls): nobody asks again.</summary>
    public void Disable()
    {
        _enabled = false;
        CloseIdle();
    }

    /// <summary>Gives the descriptors of unused pipes back: somebody else has run out of them, or the loop ends.</summary>
    public void CloseIdle()
    {
        while (_idle.TryPop(out SplicePipe? pipe)) Close(pipe);
    }

    private static void Close(SplicePipe pipe)
    {
        pipe.Close();
        Interlocked.Decrement(ref s_open);
    }
}
