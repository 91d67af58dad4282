using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>The file a listening Unix socket leaves behind.</summary>
internal static partial class UnixSocketFile
{
    /// <summary>The full path of the socket's file, or null for an abstract name (Linux), which has none.</summary>
    public static string? PathOf(UnixDomainSocketEndPoint endPoint)
    {
        string name = endPoint.ToString();
        return name.Length == 0 || name[0] == '@' && IsAbstract(endPoint) ? null : Path.GetFullPath(name);
    }

    /// <summary>
    /// Removes the file of a socket nobody listens on any more, for example after a crash. A live socket and a file of another
    /// kind are left alone.
    /// </summary>
    /// <param name="endPoint">The socket's address.</param>
    /// <param name="type">The kind of socket.</param>
    /// <returns>True when it was removed: binding may be tried again.</returns>
    public static bool TryRemoveStale(UnixDomainSocketEndPoint endPoint, SocketType type = SocketType.Stream)
    {
        if (PathOf(endPoint) is not { } path || !IsSocket(path)) return false;
        using Socket probe = new(AddressFamily.Unix, type, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(endPoint);
            return false;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            Remove(path);
            return true;
        }
        catch (SocketException)
        {
            // It may be alive: its queue is full, or it belongs to someone else.
            return false;
        }
    }

    /// <summary>Removes the file; it may be gone already.</summary>
    public static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The socket is closed all the same; the next listener meets a stale file and replaces it.
        }
    }

    private static bool IsAbstract(UnixDomainSocketEndPoint endPoint) => endPoint.Serialize()[2] == 0;

    /// <summary>A connect is refused by an ordinary file too, and an ordinary file must not be removed.</summary>
    private static bool IsSocket(string path)
    {
        if (OperatingSystem.IsWindows()) return File.Exists(path) && (File.GetAttributes(path) & FileAttributes.ReparsePoint) != 0;

        // A socket is the one thing that can't be opened: ENXIO on Linux, EOPNOTSUPP on macOS and the BSDs.
        // Non-blocking, because opening a pipe waits for its other end.
        int nonBlocking = OperatingSystem.IsLinux() ? 0x800 : 0x4;
        int descriptor = Open(path, nonBlocking);
        if (descriptor < 0) return Marshal.GetLastPInvokeError() is 6 or 102 or 45;
        _ = Close(descriptor);
        return false;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
