using System.Globalization;

namespace Lb.Peers;

/// <summary>What the kernel says about a process. Throws <see cref="IOException"/> when the process is gone.</summary>
internal static class ProcFs
{
    // USER_HZ: the unit of /proc/PID/stat is part of the kernel's ABI and 100 on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>CPU seconds of all threads, user and system. Only the sum is exact: the split is by ticks.</summary>
    public static double CpuSeconds(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' '); // The name may hold spaces and parentheses.
        return (Number(fields[11]) + Number(fields[12])) / TicksPerSecond;
    }

    /// <summary>Context switches, voluntary and not, of the threads that live now.</summary>
    public static long ContextSwitches(int pid)
    {
        long total = 0;
        foreach (string thread in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            try
            {
                total += File.ReadLines(Path.Combine(thread, "status"))
                    .Where(static l => l.Contains("ctxt_switches", StringComparison.Ordinal))
                    .Sum(static l => Number(l[(l.IndexOf(':') + 1)..]));
            }
            catch (IOException)
            {
                // The thread ended between the listing and the reading.
            }
        }

        return total;
    }

    /// <summary>Resident memory in KiB, exact: VmRSS of /proc/PID/status lags by some pages a processor.</summary>
    public static long ResidentKiB(int pid)
    {
        string line = File.ReadLines($"/proc/{pid}/smaps_rollup").First(static l => l.StartsWith("Rss:", StringComparison.Ordinal));
        return Number(line["Rss:".Length..^"kB".Length]);
    }

    public static int OpenFiles(int pid) => Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").Count();

    /// <summary>The soft limit of open files of this process. The runtime has raised it to the hard one at start; children inherit it.</summary>
    public static int OpenFileLimit()
    {
        string line = File.ReadLines("/proc/self/limits").First(static l => l.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return soft == "unlimited" ? int.MaxValue : (int)Math.Min(int.MaxValue, Number(soft));
    }

    private static long Number(string text) => long.Parse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
}
