using System.Globalization;

namespace Lb.Transport;

/// <summary>
/// How many client connections the process's limit of open files allows, as HAProxy works its <c>maxconn</c> out of <c>ulimit -n</c>: each needs two, and some
/// stay for everybody else, because a runtime without a single descriptor left can't even start a thread.
/// </summary>
internal static class DescriptorBudget
{
    /// <summary>Descriptors that are left to health checks, logs, files and the runtime.</summary>
    public const int Reserve = 64;

    /// <summary>Most connections at a time, or 0 where the system does not tell its limit.</summary>
    /// <param name="pipes">Pipes that are set aside for bulk, two descriptors each.</param>
    public static int Connections(int pipes)
    {
        long limit = Limit();
        return limit == 0 ? 0 : Connections(limit - 2 * pipes, Directory.EnumerateFileSystemEntries("/proc/self/fd").Count());
    }

    /// <summary>Open files that this process may have (the soft limit), or 0 where the system does not tell.</summary>
    public static long Limit()
    {
        const string limits = "/proc/self/limits";
        if (!OperatingSystem.IsLinux() || !File.Exists(limits)) return 0;
        string? line = File.ReadLines(limits).FirstOrDefault(static l => l.StartsWith("Max open files", StringComparison.Ordinal));
        string? soft = line?["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out long limit) ? limit : 0;
    }

    /// <summary>The sum itself.</summary>
    internal static int Connections(long limit, int open) => (int)Math.Clamp((limit - open - Reserve) / 2, 1, 16_000_000);
}
