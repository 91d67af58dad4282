using System.Buffers.Binary;

namespace Lb.Vrrp;

/// <summary>Sends and receives whole Ethernet frames on one interface (packet(7)). Allocates nothing after it was made. Not thread-safe; never blocks.</summary>
internal sealed unsafe class PacketSocket : IDisposable
{
    public const ushort Arp = 0x0806;
    public const ushort V6 = 0x86DD;

    // sll_pkttype of frames that this host has sent.
    private const byte Outgoing = 4;
    private const int AddressSize = 20;

    private readonly int _index;
    private bool _closed;

    /// <summary>Opens a socket on an interface.</summary>
    /// <param name="index">Number of the interface.</param>
    /// <param name="etherType">Frames to receive: <see cref="Arp"/> or <see cref="V6"/>; 0 = none, for sending only.</param>
    /// <param name="filter">Classic BPF program, 8 bytes an instruction, that frames must pass; empty = all.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    /// <exception cref="NetlinkException">The kernel refuses it: CAP_NET_RAW is missing, or there is no such interface.</exception>
    public PacketSocket(int index, ushort etherType = 0, ReadOnlySpan<ulong> filter = default)
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("Neighbours are told of virtual addresses by packet sockets, which only Linux has.");
        _index = index;

        // Made for no protocol: nothing arrives before filter and interface are set.
        Descriptor = Libc.NetlinkSocket(Libc.PacketFamily, Libc.NetlinkSockRaw | Libc.NetlinkSockCloseOnExec | Libc.NetlinkSockNonBlocking, 0);
        if (Descriptor < 0) throw Failure("opening a packet socket", Libc.NetlinkErrno);
        if (etherType == 0) return;
        byte* address = stackalloc byte[AddressSize];
        WriteAddress(address, etherType);
        int error = 0;
        fixed (ulong* program = filter)
        {
            // struct sock_fprog: count, then at the pointer's alignment the program.
            nint* attached = stackalloc nint[2] { filter.Length, (nint)program };
            if (filter.Length > 0 && Libc.NetlinkSetOption(Descriptor, Libc.NetlinkLevelSocket, Libc.NetlinkAttachFilter, attached, (uint)(2 * sizeof(nint))) != 0) error = Libc.NetlinkErrno;
        }

        if (error == 0 && Libc.NetlinkBind(Descriptor, address, AddressSize) != 0) error = Libc.NetlinkErrno;
        if (error == 0) return;
        Dispose();
        throw Failure("listening on a packet socket", error);
    }

    /// <summary>The descriptor, to wait on.</summary>
    public int Descriptor { get; }

    /// <summary>Sends one frame.</summary>
    /// <returns>False when the link does not take it.</returns>
    public bool Send(ReadOnlySpan<byte> frame)
    {
        if (_closed) return false;
        byte* address = stackalloc byte[AddressSize];
        WriteAddress(address, BinaryPrimitives.ReadUInt16BigEndian(frame[12..]));
        address[11] = 6;
        frame[..6].CopyTo(new Span<byte>(address + 12, 6));
        fixed (byte* bytes = frame)
        {
            nint sent;
            do sent = Libc.NetlinkSend(Descriptor, bytes, frame.Length, 0, address, AddressSize);
            while (sent < 0 && Libc.NetlinkErrno == Libc.NetlinkInterrupted);
            return sent == frame.Length;
        }
    }

    /// <summary>Takes the next frame from somebody else.</summary>
    /// <param name="buffer">Room for it; what does not fit is cut off.</param>
    /// <param name="length">Bytes of it.</param>
    /// <returns>False when there is none now.</returns>
    public bool TryReceive(Span<byte> buffer, out int length)
    {
        byte* address = stackalloc byte[AddressSize];
        fixed (byte* bytes = buffer)
        {
            while (!_closed)
            {
                uint size = AddressSize;
                length = (int)Libc.NetlinkReceive(Descriptor, bytes, buffer.Length, Libc.NetlinkMessageDontWait, address, &size);
                if (length >= 0 && address[10] != Outgoing) return true;
                if (length < 0 && Libc.NetlinkErrno != Libc.NetlinkInterrupted) break;
            }
        }

        length = 0;
        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_closed) return;
        _closed = true;
        _ = Libc.NetlinkClose(Descriptor);
    }

    // struct sockaddr_ll: family, protocol in network order, interface.
    private void WriteAddress(byte* address, ushort etherType)
    {
        new Span<byte>(address, AddressSize).Clear();
        *(ushort*)address = Libc.PacketFamily;
        BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(address + 2, 2), etherType);
        *(int*)(address + 4) = _index;
    }

    private static NetlinkException Failure(string what, int error) => new(what, error, capability: "CAP_NET_RAW");
}
