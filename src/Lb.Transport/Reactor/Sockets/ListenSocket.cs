using System.Net;
using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>Makes listening sockets, for the native drivers.</summary>
internal static unsafe class ListenSocket
{
    /// <summary>Binds and listens, or takes an inherited socket over.</summary>
    /// <param name="address">Where.</param>
    /// <param name="options">How.</param>
    /// <param name="local">Where it listens, with the real port.</param>
    /// <returns>The descriptor; it does not block.</returns>
    /// <exception cref="SocketException">The address can't be bound. An inherited socket is closed.</exception>
    public static int Open(EndPoint address, in ListenOptions options, out EndPoint local)
    {
        byte* native = stackalloc byte[NativeAddress.Capacity];
        uint length = NativeAddress.Write(address, native, out int family);
        int descriptor = options.Inherited is { } inherited ? (int)inherited : Libc.Socket(family, Libc.SockStream | Libc.SockNonBlocking | Libc.SockCloseOnExec, 0);
        if (descriptor < 0) throw Errno.ToException(Libc.Errno, $"socket for {address}");
        try
        {
            if (options.Inherited is not null) InheritedSocket.Prepare(descriptor);
            if (family != Libc.AddressFamilyUnix) SetOptions(descriptor, family == Libc.AddressFamilyV6, address, options);
            if (options.Inherited is null) Bind(descriptor, address, native, length);
            if (Libc.Listen(descriptor, options.Backlog) != 0) throw Errno.ToException(Libc.Errno, $"listen on {address}");
            local = address is IPEndPoint ip ? new IPEndPoint(ip.Address, NativeAddress.LocalPortOf(descriptor)) : address;
            return descriptor;
        }
        catch
        {
            _ = Libc.Close(descriptor);
            throw;
        }
    }

    private static void Bind(int descriptor, EndPoint address, byte* native, uint length)
    {
        int error = Libc.Bind(descriptor, native, length) == 0 ? 0 : Libc.Errno;
        if (error == Errno.AddressInUse && address is UnixDomainSocketEndPoint unix && UnixSocketFile.TryRemoveStale(unix))
            error = Libc.Bind(descriptor, native, length) == 0 ? 0 : Libc.Errno;
        if (error != 0) throw Errno.ToException(error, $"bind to {address}");
    }

    private static void SetOptions(int descriptor, bool isV6, EndPoint address, in ListenOptions options)
    {
        if (options.Inherited is null)
        {
            Set(Libc.LevelSocket, Libc.ReuseAddress, 1);
            if (options.ReusePort) Set(Libc.LevelSocket, Libc.ReusePort, 1);
            if (isV6) Set(Libc.LevelV6, Libc.V6Only, options.DualMode ? 0 : 1);
        }

        int error = (options.Tuning ?? SocketTuning.Default).Apply(descriptor, isV6, out string? failed);
        if (error != 0) throw Errno.ToException(error, $"{failed} for {address}");

        void Set(int level, int option, int value)
        {
            if (Libc.SetOption(descriptor, level, option, value) != 0) throw Errno.ToException(Libc.Errno, $"setsockopt for {address}");
        }
    }
}
