using System.IO.Compression;

namespace Lb.Peers;

/// <summary>What a reader of any results needs to know of the machine.</summary>
internal static class Hardware
{
    // Most of a proxy's work is done in soft interrupts; a kernel with this option keeps them out of every process's CPU, and the figures mean less.
    public static string SoftInterrupts()
    {
        string release = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        string[] files = ["/proc/config.gz", $"/boot/config-{release}"];
        string? file = files.FirstOrDefault(File.Exists);
        if (file is null) return "unknown whether charged to the process (no kernel configuration to read)";
        using Stream raw = File.OpenRead(file);
        using StreamReader text = new(file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(raw, CompressionMode.Decompress) : raw);
        return text.ReadToEnd().Contains("CONFIG_IRQ_TIME_ACCOUNTING=y", StringComparison.Ordinal)
            ? "not charged to the process (CONFIG_IRQ_TIME_ACCOUNTING)"
            : "charged to the process";
    }

    public static string LoadAverage() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3));

    public static string CpuModel() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(static l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";
}
