using System.Net;
using System.Net.Sockets;

namespace Lb.Transport;

/// <summary>How to connect to a server. Made once for it and used by every loop, so a connect allocates nothing for it. Any thread.</summary>
internal sealed class ConnectOptions
{
    // A range that is in use as a whole must not hold the loop up for ever.
    private const int MostTries = 2048;

    private static readonly PeerAddress s_anyV4 = PeerAddress.From(new IPEndPoint(IPAddress.Any, 0)), s_anyV6 = PeerAddress.From(new IPEndPoint(IPAddress.IPv6Any, 0));

    private readonly PeerAddress _address;
    private int _used = -1;

    /// <summary>Makes it.</summary>
    /// <param name="tcp">TCP options.</param>
    /// <param name="device">The interface to leave by, or null.</param>
    /// <param name="source">Where connections come from, or null.</param>
    public ConnectOptions(ConnectTcpOptions tcp, string? device, SourceAddress? source)
    {
        Tuning = SocketTuning.Of(tcp, device, source?.IsClient == true);
        Source = source;
        if (source?.Address is { } address) _address = PeerAddress.From(new IPEndPoint(address, 0));
    }

    /// <summary>The socket options.</summary>
    public SocketTuning Tuning { get; }

    /// <summary>Where connections come from; null: the system chooses.</summary>
    public SourceAddress? Source { get; }

    /// <summary>Ports to choose from: after so many attempts none is left.</summary>
    public int Tries => Source is { FirstPort: > 0 } s ? Math.Min(MostTries, s.LastPort - s.FirstPort + 1) : 1;

    /// <summary>The address and port to bind the next connection to; false: leave it to the system.</summary>
    /// <param name="client">The client's address.</param>
    /// <param name="isV6">The server has an IPv6 address.</param>
    /// <param name="local">The address; its port is 0 where the system is to choose one.</param>
    public bool TryNext(in PeerAddress client, bool isV6, out PeerAddress local)
    {
        local = default;
        if (Source is null) return false;

        // A client of the other family, or without an address, can't be put in front of the server.
        if (Source.IsClient)
        {
            if (client.IsEmpty || client.IsV6 != isV6) return false;
            local = WithPort(client, 0);
            return true;
        }

        // An address of the other family can't be bound to; the validation has refused it, but a host name may stand for either.
        bool isAny = Source.Address!.Equals(IPAddress.Any) || Source.Address.Equals(IPAddress.IPv6Any);
        if (!isAny && _address.IsV6 != isV6) return false;
        int port = Source.FirstPort;
        if (port > 0) port += (int)((uint)Interlocked.Increment(ref _used) % (uint)(Source.LastPort - port + 1));
        local = WithPort(!isAny ? _address : isV6 ? s_anyV6 : s_anyV4, port);
        return true;
    }

    /// <summary>Binds a socket of the framework.</summary>
    /// <exception cref="SocketException">It can't be bound.</exception>
    public void Bind(Socket socket, in PeerAddress client)
    {
        bool isV6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        if (!TryNext(in client, isV6, out PeerAddress local)) return;
        if (OperatingSystem.IsLinux())
        {
            int error = ConnectSocket.Bind((int)socket.Handle, in local, isV6);
            if (error != 0) throw Errno.ToException(error, "bind to the source address");
            return;
        }

        Span<byte> bytes = stackalloc byte[16];
        socket.Bind(new IPEndPoint(new IPAddress(bytes[..local.WriteBytes(bytes)]), local.Port));
    }

    private static PeerAddress WithPort(in PeerAddress address, int port)
    {
        Span<byte> bytes = stackalloc byte[16];
        return PeerAddress.FromBytes(bytes[..address.WriteBytes(bytes)], (ushort)port);
    }
}
