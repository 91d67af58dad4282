namespace Lb.Transport;

/// <summary>Which processors a thread keeps to. Linux; elsewhere nothing is known and nothing set.</summary>
internal static unsafe class ThreadAffinity
{
    // Room for 4096 processors; the kernel wants at least as many as it could have.
    private const int Words = 64;

    /// <summary>The processors that this process may use, by number; empty when the system does not tell.</summary>
    public static IReadOnlyList<int> Allowed()
    {
        if (!OperatingSystem.IsLinux()) return [];
        ulong* mask = stackalloc ulong[Words];
        new Span<ulong>(mask, Words).Clear();
        if (Libc.GetAffinity(0, Words * sizeof(ulong), mask) < 0) return [];
        List<int> allowed = [];
        for (int i = 0; i < Words * 64; i++)
        {
            if ((mask[i / 64] >> (i % 64) & 1) != 0) allowed.Add(i);
        }

        return allowed;
    }

    /// <summary>Keeps the calling thread to one processor.</summary>
    /// <returns>0, or the error number.</returns>
    public static int Pin(int processor)
    {
        ulong* mask = stackalloc ulong[Words];
        new Span<ulong>(mask, Words).Clear();
        mask[processor / 64] = 1UL << (processor % 64);
        return Libc.SetAffinity(0, Words * sizeof(ulong), mask) == 0 ? 0 : Libc.Errno;
    }
}
