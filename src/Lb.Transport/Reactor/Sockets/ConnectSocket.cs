namespace Lb.Transport;

/// <summary>Makes the sockets of connections to servers, for the native drivers.</summary>
internal static unsafe class ConnectSocket
{
    private const int LevelV4 = 0;
    private const int BindAddressNoPort = 24;

    /// <summary>Makes a non-blocking socket with its options and source address and begins the connect.</summary>
    /// <param name="native">The server's address.</param>
    /// <param name="length">Its length.</param>
    /// <param name="family">Its family.</param>
    /// <param name="options">How to connect; null: <see cref="SocketTuning.Default"/>.</param>
    /// <param name="client">The client's address, for sources that are the client's.</param>
    /// <param name="reason">Why it failed.</param>
    /// <returns>The descriptor, or -1.</returns>
    public static int Open(byte* native, uint length, int family, ConnectOptions? options, in PeerAddress client, out CloseReason reason)
    {
        bool isUnix = family == Libc.AddressFamilyUnix;
        reason = CloseReason.LocalError;
        for (int tries = isUnix || options is null ? 1 : options.Tries; ; tries--)
        {
            int descriptor = Libc.Socket(family, Libc.SockStream | Libc.SockNonBlocking | Libc.SockCloseOnExec, 0);
            if (descriptor < 0) return -1;
            int error = isUnix ? 0 : Prepare(descriptor, family == Libc.AddressFamilyV6, options, in client);
            bool isReady = error == 0;
            if (isReady && (Libc.Connect(descriptor, native, length) == 0 || Libc.Errno is Errno.InProgress or Errno.Interrupted)) return descriptor;
            if (isReady) error = Libc.Errno;
            _ = Libc.Close(descriptor);

            // Bound by somebody else, or in use towards this very server: the next port. An address that is not here stays so.
            bool isPort = error == Errno.AddressInUse || (isReady && error == Errno.AddressNotAvailable);
            if (!isUnix && isPort && tries > 1) continue;

            // A Unix socket whose queue is full answers EAGAIN, and nothing reports when there is room again.
            if (isUnix && error == Errno.Again) reason = CloseReason.Unreachable;
            else if (isReady || error == Errno.AddressInUse) reason = Errno.ToCloseReason(error);
            return -1;
        }
    }

    /// <summary>Binds to a source address.</summary>
    /// <param name="descriptor">A TCP socket.</param>
    /// <param name="local">The address; port 0: the system chooses it when it knows the server, so that one port serves many of them.</param>
    /// <param name="isV6">Whether the socket is of IPv6.</param>
    /// <returns>0, or the error number.</returns>
    public static int Bind(int descriptor, in PeerAddress local, bool isV6)
    {
        // Ports of a range may be in use towards other servers, or in TIME_WAIT: the kernel looks at both ends when it connects.
        _ = local.Port == 0 ? Libc.SetOption(descriptor, LevelV4, BindAddressNoPort, 1) : Libc.SetOption(descriptor, Libc.LevelSocket, Libc.ReuseAddress, 1);
        byte* native = stackalloc byte[NativeAddress.Capacity];
        uint length = NativeAddress.Write(in local, isV6, native);
        return Libc.Bind(descriptor, native, length) == 0 ? 0 : Libc.Errno;
    }

    private static int Prepare(int descriptor, bool isV6, ConnectOptions? options, in PeerAddress client)
    {
        int error = (options?.Tuning ?? SocketTuning.Default).Apply(descriptor, isV6, out _);
        return error != 0 || options is null || !options.TryNext(in client, isV6, out PeerAddress local) ? error : Bind(descriptor, in local, isV6);
    }
}
