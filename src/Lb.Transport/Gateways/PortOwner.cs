using System.Globalization;
using System.Net;

namespace Lb.Transport;

/// <summary>Finds which process listens on a port, where the system tells: Linux by /proc. Never throws; needs root for other users' processes.</summary>
internal static class PortOwner
{
    // TCP's LISTEN, and CLOSE, which is what the kernel calls a UDP socket that is not connected.
    private const string Listening = "0A";
    private const string Unconnected = "07";

    /// <summary>For example <c>nginx (pid 812) on 0.0.0.0:80</c>, or null when it can't be known.</summary>
    /// <param name="endPoint">The address that can't be bound.</param>
    /// <param name="isDatagram">It is one of UDP.</param>
    public static string? Find(IPEndPoint endPoint, bool isDatagram = false)
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            foreach ((IPEndPoint Local, string Inode) socket in Listeners(isDatagram).Where(s => s.Local.Port == endPoint.Port))
            {
                if (Conflicts(socket.Local.Address, endPoint.Address)) return $"{Process(socket.Inode) ?? "a process of another user"} on {socket.Local}";
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
        {
            // /proc is not what it should be here: the message goes without the owner.
        }

        return null;
    }

    /// <summary>Who listens on a Unix socket, for example <c>redis-server (pid 90)</c>; null when it can't be known.</summary>
    /// <param name="path">The socket's file.</param>
    public static string? FindUnix(string path)
    {
        const string table = "/proc/net/unix";
        if (!OperatingSystem.IsLinux() || !File.Exists(table)) return null;
        try
        {
            // "Num RefCount Protocol Flags Type St Inode Path"; the flag 00010000 is that of a listening one.
            string? inode = File.ReadLines(table).Skip(1).Select(static line => line.Split(' ', 8, StringSplitOptions.RemoveEmptyEntries))
                .FirstOrDefault(words => words.Length == 8 && words[3] == "00010000" && words[7] == path)?[6];
            return inode is null ? null : Process(inode) ?? "a process of another user";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool Conflicts(IPAddress a, IPAddress b) =>
        a.Equals(b) || a.Equals(IPAddress.Any) || b.Equals(IPAddress.Any) || a.Equals(IPAddress.IPv6Any) || b.Equals(IPAddress.IPv6Any);

    private static IEnumerable<(IPEndPoint Local, string Inode)> Listeners(bool isDatagram)
    {
        foreach (string table in isDatagram ? (string[])["/proc/net/udp", "/proc/net/udp6"] : ["/proc/net/tcp", "/proc/net/tcp6"])
        {
            if (!File.Exists(table)) continue;
            foreach (string line in File.ReadLines(table).Skip(1))
            {
                // "sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …"
                string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (words.Length > 9 && words[3] == (isDatagram ? Unconnected : Listening)) yield return (Parse(words[1]), words[9]);
            }
        }
    }

    // Words of 32 bits in the machine's byte order, then the port: 0100007F:1F90 is 127.0.0.1:8080.
    private static IPEndPoint Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        byte[] bytes = Convert.FromHexString(text[..colon]);
        for (int i = 0; i < bytes.Length; i += 4) Array.Reverse(bytes, i, 4);
        return new IPEndPoint(new IPAddress(bytes), int.Parse(text.AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    private static string? Process(string inode)
    {
        string wanted = $"socket:[{inode}]";
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            string pid = Path.GetFileName(directory);
            if (!pid.All(char.IsAsciiDigit)) continue;
            try
            {
                if (!Directory.EnumerateFileSystemEntries($"{directory}/fd").Any(fd => new FileInfo(fd).LinkTarget == wanted)) continue;
                return $"{File.ReadAllText($"{directory}/comm").Trim()} (pid {pid})";
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Ended in between, or not ours to look at.
            }
        }

        return null;
    }
}
