using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lb.Transport;

/// <summary>What a socket is that another process has made. Linux.</summary>
internal static unsafe class InheritedSocket
{
    private const int SocketType = 3;
    private const int AcceptsConnections = 30;
    private const int GetFlags = 3;
    private const int SetFlags = 4;
    private const int SetDescriptorFlags = 2;
    private const int CloseOnExec = 1;
    private const int DuplicateCloseOnExec = 1030;

    /// <summary>Makes it non-blocking and keeps it from programs that this process starts.</summary>
    public static void Prepare(int descriptor)
    {
        int flags = Libc.Control(descriptor, GetFlags, 0);
        _ = Libc.Control(descriptor, SetFlags, flags | Libc.SockNonBlocking);
        _ = Libc.Control(descriptor, SetDescriptorFlags, CloseOnExec);
    }

    /// <summary>A second descriptor of the same socket, closed on exec; -1: it can't be had.</summary>
    public static int Duplicate(nint descriptor) => descriptor < 0 ? -1 : Libc.Control((int)descriptor, DuplicateCloseOnExec, 0);

    /// <summary>Where a stream socket listens, or a UDP socket is bound; null for anything else.</summary>
    public static EndPoint? ListensOn(int descriptor)
    {
        bool isDatagram = IsDatagram(descriptor);
        if (!isDatagram && (Libc.GetNumber(descriptor, Libc.LevelSocket, SocketType) != Libc.SockStream || Libc.GetNumber(descriptor, Libc.LevelSocket, AcceptsConnections) != 1)) return null;
        byte* native = stackalloc byte[NativeAddress.Capacity];
        uint length = NativeAddress.Capacity;
        if (Libc.GetSocketName(descriptor, native, &length) != 0) return null;
        int family = *(ushort*)native;
        if (family == Libc.AddressFamilyUnix)
        {
            if (isDatagram) return null;

            // An abstract name begins with a zero and is as long as the length says; a path ends with one.
            ReadOnlySpan<byte> name = new(native + 2, (int)Math.Max(0, length - 2));
            if (name.IsEmpty) return null;
            string text = Encoding.UTF8.GetString(name[0] == 0 ? name : name.TrimEnd((byte)0));
            return new UnixDomainSocketEndPoint(text);
        }

        // Not by way of PeerAddress, for which an IPv6 address of an IPv4 one is that.
        int port = native[2] << 8 | native[3];
        if (port == 0) return null;
        return family switch
        {
            Libc.AddressFamilyV4 => new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(native + 4, 4)), port),
            Libc.AddressFamilyV6 => new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(native + 8, 16), *(uint*)(native + 24)), port),
            _ => null,
        };
    }

    /// <summary>True for a datagram socket.</summary>
    public static bool IsDatagram(int descriptor) => Libc.GetNumber(descriptor, Libc.LevelSocket, SocketType) == DatagramLibc.SockDatagram;

    /// <summary>True when others may listen on its port beside it.</summary>
    public static bool SharesPort(int descriptor) => Libc.GetNumber(descriptor, Libc.LevelSocket, Libc.ReusePort) == 1;

    /// <summary>True for an IPv6 socket that takes IPv6 alone.</summary>
    public static bool IsV6Only(int descriptor) => Libc.GetNumber(descriptor, Libc.LevelV6, Libc.V6Only) == 1;
}
