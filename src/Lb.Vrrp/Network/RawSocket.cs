using System.Text;

namespace Lb.Vrrp;

/// <summary>Opens sockets of IP protocol 112 on one interface. What fails closes the socket again and is told as text.</summary>
internal static unsafe class RawSocket
{
    private const int Hops = 255;

    // Internetwork control (RFC 9568 does not ask for it, keepalived and FRR send it), and the highest priority that needs no capability.
    private const int ClassInternetworkControl = 0xC0;
    private const int QueuePriority = 6;

    // ldx 4*([0]&0xf): where the IPv4 header ends; ldb [x+1]; ldb [1]; jeq; ret.
    private const ushort LoadHeaderLength = 0xB1;
    private const ushort LoadByteAfterHeader = 0x50;
    private const ushort LoadByte = 0x30;
    private const ushort JumpIfEqual = 0x15;
    private const ushort Return = 0x06;

    /// <summary>A socket that receives what is sent to the group or to this node over the interface.</summary>
    /// <param name="device">Name of the interface.</param>
    /// <param name="index">Its index now.</param>
    /// <param name="group">The multicast group; empty for none. Its family is the socket's.</param>
    /// <param name="isV6">The family.</param>
    /// <param name="error">Why not.</param>
    /// <returns>The descriptor, or -1.</returns>
    public static int OpenReceiver(string device, int index, in PeerAddress group, bool isV6, out int error)
    {
        int descriptor = Open(device, isV6, out error);
        if (descriptor < 0) return descriptor;
        bool done = Libc.SetOption(descriptor, Libc.LevelSocket, Libc.TimestampNs, 1) == 0
            && (isV6
                ? Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6ReceivePacketInfo, 1) == 0
                    && Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6ReceiveHopLimit, 1) == 0
                    && Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6MulticastAll, 0) == 0
                : Libc.SetOption(descriptor, Libc.LevelV4, Libc.V4MulticastAll, 0) == 0)
            && (group.IsEmpty || Join(descriptor, index, group));

        // Between being made and being bound to its interface, the socket took from all of them.
        byte any;
        while (done && Libc.Receive(descriptor, &any, 1, Libc.MessageDoNotWait) >= 0)
        {
            // Dropped.
        }

        return Finish(descriptor, done, out error);
    }

    /// <summary>
    /// A socket that only sends, bound to its source: otherwise the kernel may choose a virtual address, which then is the node's best source.
    /// </summary>
    /// <param name="device">Name of the interface.</param>
    /// <param name="index">Its index now.</param>
    /// <param name="source">Address on this node.</param>
    /// <param name="fillChecksum">IPv6: the kernel writes the checksum of the message.</param>
    /// <param name="error">Why not.</param>
    /// <returns>The descriptor, or -1.</returns>
    public static int OpenSender(string device, int index, in PeerAddress source, bool fillChecksum, out int error)
    {
        int descriptor = Open(device, source.IsV6, out error);
        if (descriptor < 0) return descriptor;
        byte* address = stackalloc byte[Libc.AddressCapacity];
        uint length = NativeAddress.Write(source, index, address);
        bool done = (source.IsV6 ? PrepareV6(descriptor, index, fillChecksum) : PrepareV4(descriptor, index))
            && Libc.SetOption(descriptor, Libc.LevelSocket, Libc.Priority, QueuePriority) == 0
            && Filter(descriptor, [(Return, 0, 0, 0)]) // adverts of others also reach this socket; nobody reads it
            && Libc.Bind(descriptor, address, length) == 0;
        return Finish(descriptor, done, out error);
    }

    /// <summary>Lets the kernel drop what is not for these routers, before it wakes anybody.</summary>
    /// <param name="descriptor">A receiver.</param>
    /// <param name="isV6">Its family: an IPv4 packet begins with its IP header.</param>
    /// <param name="routerIds">VRIDs, at most 255; none = everything is accepted.</param>
    /// <returns>False when the kernel refuses; then everything arrives, as before.</returns>
    public static bool AcceptOnly(int descriptor, bool isV6, ReadOnlySpan<byte> routerIds)
    {
        List<(ushort Code, byte True, byte False, uint Value)> program = isV6 ? [(LoadByte, 0, 0, 1)] : [(LoadHeaderLength, 0, 0, 0), (LoadByteAfterHeader, 0, 0, 1)];
        for (int i = 0; i < routerIds.Length; i++) program.Add((JumpIfEqual, (byte)(routerIds.Length - i), 0, routerIds[i]));
        if (routerIds.Length > 0) program.Add((Return, 0, 0, 0));
        program.Add((Return, 0, 0, uint.MaxValue));
        return Filter(descriptor, [.. program]);
    }

    private static int Open(string device, bool isV6, out int error)
    {
        int descriptor = Libc.Socket(isV6 ? Libc.FamilyV6 : Libc.FamilyV4, Libc.TypeRaw | Libc.NonBlocking | Libc.CloseOnExec, Libc.ProtocolVrrp);
        if (descriptor < 0)
        {
            error = Libc.LastError;
            return descriptor;
        }

        int length = Encoding.UTF8.GetByteCount(device);
        Span<byte> name = stackalloc byte[length + 1];
        Encoding.UTF8.GetBytes(device, name);
        name[length] = 0;
        fixed (byte* bytes = name) return Finish(descriptor, Libc.SetOption(descriptor, Libc.LevelSocket, Libc.BindToDevice, bytes, (uint)name.Length) == 0, out error);
    }

    private static bool PrepareV4(int descriptor, int index)
    {
        // struct ip_mreqn { in_addr group; in_addr address; int index; }
        int* device = stackalloc int[3] { 0, 0, index };
        return Libc.SetOption(descriptor, Libc.LevelV4, Libc.V4MulticastInterface, device, 3 * sizeof(int)) == 0
            && Libc.SetOption(descriptor, Libc.LevelV4, Libc.V4MulticastTtl, Hops) == 0
            && Libc.SetOption(descriptor, Libc.LevelV4, Libc.V4TimeToLive, Hops) == 0
            && Libc.SetOption(descriptor, Libc.LevelV4, Libc.V4MulticastLoop, 0) == 0
            && Libc.SetOption(descriptor, Libc.LevelV4, Libc.V4MulticastAll, 0) == 0
            && Libc.SetOption(descriptor, Libc.LevelV4, Libc.V4TypeOfService, ClassInternetworkControl) == 0;
    }

    private static bool PrepareV6(int descriptor, int index, bool fillChecksum) =>
        Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6MulticastInterface, index) == 0
            && Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6MulticastHops, Hops) == 0
            && Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6UnicastHops, Hops) == 0
            && Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6MulticastLoop, 0) == 0
            && Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6MulticastAll, 0) == 0
            && Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6TrafficClass, ClassInternetworkControl) == 0
            && (!fillChecksum || Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6Checksum, PeerChecksum.Offset) == 0);

    private static bool Join(int descriptor, int index, in PeerAddress group)
    {
        // ip_mreqn as above; struct ipv6_mreq { in6_addr group; int index; }
        byte* request = stackalloc byte[20];
        new Span<byte>(request, 20).Clear();
        group.WriteBytes(new Span<byte>(request, 16));
        *(int*)(request + (group.IsV6 ? 16 : 8)) = index;
        return group.IsV6
            ? Libc.SetOption(descriptor, Libc.LevelV6, Libc.V6AddMembership, request, 20) == 0
            : Libc.SetOption(descriptor, Libc.LevelV4, Libc.V4AddMembership, request, 12) == 0;
    }

    private static bool Filter(int descriptor, ReadOnlySpan<(ushort Code, byte True, byte False, uint Value)> program)
    {
        // struct sock_filter { u16 code; u8 jt, jf; u32 k; }, struct sock_fprog { u16 count; sock_filter* }
        ulong* code = stackalloc ulong[program.Length];
        for (int i = 0; i < program.Length; i++)
        {
            (ushort operation, byte whenTrue, byte whenFalse, uint value) = program[i];
            code[i] = operation | (ulong)whenTrue << 16 | (ulong)whenFalse << 24 | (ulong)value << 32;
        }

        ulong* head = stackalloc ulong[2] { (ushort)program.Length, (ulong)code };
        return Libc.SetOption(descriptor, Libc.LevelSocket, Libc.AttachFilter, head, 16) == 0;
    }

    private static int Finish(int descriptor, bool done, out int error)
    {
        error = done ? 0 : Libc.LastError;
        if (done) return descriptor;
        _ = Libc.Close(descriptor);
        return -1;
    }
}
