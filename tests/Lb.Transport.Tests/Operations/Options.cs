using System.Net.Sockets;

namespace Lb.Transport.Tests.Operations;

/// <summary>Reads socket options by their numbers (Linux's uapi headers), not by the code under test.</summary>
internal static class Options
{
    public const int Socket = 1, Tcp = 6, V4 = 0, V6 = 41;

    public static int Number(nint handle, int level, int option)
    {
        using Socket socket = new(new SafeSocketHandle(handle, ownsHandle: false));
        return Number(socket, level, option);
    }

    public static int Number(this Socket socket, int level, int option)
    {
        byte[] value = new byte[4];
        socket.GetRawSocketOption(level, option, value);
        return BitConverter.ToInt32(value);
    }

    public static string Text(this Socket socket, int level, int option)
    {
        byte[] value = new byte[16];
        int length = socket.GetRawSocketOption(level, option, value);
        return System.Text.Encoding.ASCII.GetString(value, 0, length).TrimEnd('\0');
    }

    /// <summary>This process's native descriptor of the TCP socket with these ends (as /proc/net/tcp and /proc/self/fd show it).</summary>
    public static nint Find(System.Net.IPEndPoint local, System.Net.IPEndPoint? remote)
    {
        foreach (string entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (new FileInfo(entry).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) != true) continue;
            int descriptor = int.Parse(Path.GetFileName(entry), System.Globalization.CultureInfo.InvariantCulture);
            try
            {
                using Socket socket = new(new SafeSocketHandle(descriptor, ownsHandle: false));
                if (socket.SocketType == SocketType.Stream && Equals(Unmapped(socket.LocalEndPoint), local) && Equals(Unmapped(socket.RemoteEndPoint), remote)) return descriptor;
            }
            catch (SocketException)
            {
                // Closed by another thread in between, or not connected.
            }
        }

        throw new InvalidOperationException($"No socket from {local} to {remote}.");
    }

    private static System.Net.EndPoint? Unmapped(System.Net.EndPoint? endPoint) =>
        endPoint is System.Net.IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped ? new System.Net.IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port) : endPoint;
}
