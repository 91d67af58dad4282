using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>Gives a UDP socket the options and the source address of a server. Unlike with TCP a port of a range serves one session at a time.</summary>
internal static unsafe class DatagramSource
{
    /// <summary>Prepares a native socket. Linux.</summary>
    /// <returns>False when an option, the address or every port of the range is refused.</returns>
    public static bool Prepare(int descriptor, bool isV6, ConnectOptions options, in PeerAddress client)
    {
        if (options.Tuning.Apply(descriptor, isV6, out _, isDatagram: true) != 0) return false;
        byte* native = stackalloc byte[NativeAddress.Capacity];
        for (int tries = options.Tries; options.TryNext(in client, isV6, out PeerAddress local); tries--)
        {
            uint length = NativeAddress.Write(in local, isV6, native);
            if (Libc.Bind(descriptor, native, length) == 0) return true;
            if (Libc.Errno != Errno.AddressInUse || tries <= 1) return false;
        }

        return true;
    }

    /// <summary>The same for a socket of the framework.</summary>
    /// <exception cref="SocketException">The address is refused.</exception>
    public static bool Prepare(Socket socket, ConnectOptions options, in PeerAddress client)
    {
        if (OperatingSystem.IsLinux()) return Prepare((int)socket.Handle, socket.AddressFamily == AddressFamily.InterNetworkV6, options, in client);
        options.Bind(socket, in client);
        return true;
    }
}
