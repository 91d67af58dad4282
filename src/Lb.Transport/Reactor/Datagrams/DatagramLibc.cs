using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>The system calls for datagrams, with the numbers of Linux on x64 and arm64.</summary>
internal static unsafe partial class DatagramLibc
{
    public const int SockDatagram = 2;
    public const int LevelIp = 0;
    public const int LevelUdp = 17;
    public const int ReceiveBuffer = 8;
    public const int SendBufferForce = 32;
    public const int ReceiveBufferForce = 33;

    /// <summary>SO_RXQ_OVFL: each datagram tells how many before it found the socket's queue full.</summary>
    public const int QueueOverflow = 40;
    public const int PacketInfoV4 = 8;
    public const int ReceivePacketInfoV6 = 49;
    public const int PacketInfoV6 = 50;
    public const int ReceiveErrorsV4 = 11;
    public const int ReceiveErrorsV6 = 25;

    /// <summary>UDP_SEGMENT: one send, many datagrams of this size (Linux 4.18).</summary>
    public const int Segment = 103;

    /// <summary>UDP_GRO: one receive, many datagrams of one size (Linux 5.0).</summary>
    public const int Coalesce = 104;

    public const int MessageDontWait = 0x40;
    public const int MessageErrorQueue = 0x2000;

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    public static partial int ReceiveMany(int descriptor, MessageHeader* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint Receive(int descriptor, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    public static partial int SendMany(int descriptor, MessageHeader* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint Send(int descriptor, MessageHeader* message, int flags);
}

/// <summary><c>struct mmsghdr</c>; its beginning is a <c>struct msghdr</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct MessageHeader
{
    [FieldOffset(0)] public byte* Name;
    [FieldOffset(8)] public uint NameLength;
    [FieldOffset(16)] public IoVector* Vectors;
    [FieldOffset(24)] public nuint VectorCount;
    [FieldOffset(32)] public byte* Control;
    [FieldOffset(40)] public nuint ControlLength;
    [FieldOffset(48)] public int Flags;
    [FieldOffset(56)] public uint Length;
}

/// <summary><c>struct iovec</c>.</summary>
internal unsafe struct IoVector
{
    public byte* Base;
    public nuint Length;
}

/// <summary><c>struct cmsghdr</c>; the data follows, the next one begins at a multiple of 8.</summary>
internal struct ControlHeader
{
    public const int Size = 16;

    public nuint Length;
    public int Level;
    public int Type;
}
