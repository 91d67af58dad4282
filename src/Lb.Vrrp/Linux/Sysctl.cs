using System.Globalization;

namespace Lb.Vrrp;

/// <summary>Settings of the kernel's network (<c>/proc/sys/net</c>), in the network namespace of the calling thread.</summary>
internal static class Sysctl
{
    private const string Root = "/proc/sys/net/";

    /// <summary>Reads a number.</summary>
    /// <param name="path">Below <c>/proc/sys/net</c>: <c>ipv4/conf/eth0/rp_filter</c>.</param>
    /// <returns>The number, or null when this kernel does not have it.</returns>
    /// <exception cref="IOException">It can't be read; the message has path and reason.</exception>
    public static int? Read(string path)
    {
        try
        {
            return int.Parse(File.ReadAllText(Root + path), NumberStyles.AllowLeadingSign | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new IOException($"reading {Root}{path}: {exception.Message}", exception);
        }
    }

    /// <summary>Sets a number, unless it is that already: then no right to write is needed.</summary>
    /// <param name="path">Below <c>/proc/sys/net</c>.</param>
    /// <param name="value">The number.</param>
    /// <returns>False when this kernel does not have it.</returns>
    /// <exception cref="IOException">It can't be written; the message has path, value and reason.</exception>
    public static bool Write(string path, int value)
    {
        if (Read(path) is not { } now) return false;
        if (now == value) return true;
        try
        {
            File.WriteAllText(Root + path, value.ToString(CultureInfo.InvariantCulture));
            return true;
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new IOException($"writing {value} to {Root}{path}: {exception.Message} The process needs the capability CAP_NET_ADMIN and a writable /proc/sys.", exception);
        }
        catch (IOException exception)
        {
            throw new IOException($"writing {value} to {Root}{path}: {exception.Message}", exception);
        }
    }
}
