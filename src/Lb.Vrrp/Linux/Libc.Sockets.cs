using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <summary>System calls of Linux. Numbers and layouts are those of x64 and arm64, where they agree.</summary>
internal static unsafe partial class Libc
{
    public const int FamilyV4 = 2;
    public const int FamilyV6 = 10;

    public const int TypeDatagram = 2;
    public const int TypeRaw = 3;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;

    /// <summary>IP protocol number of VRRP. The runtime's own <c>Socket</c> refuses it.</summary>
    public const int ProtocolVrrp = 112;

    public const int LevelV4 = 0;
    public const int LevelSocket = 1;
    public const int LevelV6 = 41;

    public const int ReceiveBuffer = 8;
    public const int Priority = 12;
    public const int BindToDevice = 25;
    public const int AttachFilter = 26;
    public const int TimestampNs = 35;

    public const int V4TypeOfService = 1;
    public const int V4TimeToLive = 2;
    public const int V4PacketInfo = 8;
    public const int V4ReceiveTtl = 12;
    public const int V4MulticastInterface = 32;
    public const int V4MulticastTtl = 33;
    public const int V4MulticastLoop = 34;
    public const int V4AddMembership = 35;
    public const int V4MulticastAll = 49;

    public const int V6Checksum = 7;
    public const int V6UnicastHops = 16;
    public const int V6MulticastInterface = 17;
    public const int V6MulticastHops = 18;
    public const int V6MulticastLoop = 19;
    public const int V6AddMembership = 20;
    public const int V6MulticastAll = 29;
    public const int V6ReceivePacketInfo = 49;
    public const int V6PacketInfo = 50;
    public const int V6ReceiveHopLimit = 51;
    public const int V6HopLimit = 52;
    public const int V6TrafficClass = 67;

    public const int MessageTruncated = 0x20;
    public const int MessageDoNotWait = 0x40;
    public const int MessageNoSignal = 0x4000;

    /// <summary>Room for <c>sockaddr_in6</c>, the largest address used here.</summary>
    public const int AddressCapacity = 28;

    /// <summary>The error number of the last failed call on this thread.</summary>
    public static int LastError => Marshal.GetLastPInvokeError();

    /// <summary>What failed, for people: <c>socket(raw) failed: Operation not permitted (errno 1)</c>.</summary>
    public static string Failure(string what, int error) => $"{what} failed: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})";

    public static int SetOption(int descriptor, int level, int option, int value) => SetOption(descriptor, level, option, &value, sizeof(int));

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int descriptor, void* address, uint length);

    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    public static partial nint SendTo(int descriptor, void* bytes, nint length, int flags, void* address, uint addressLength);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int descriptor, void* bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint ReceiveMessage(int descriptor, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetOption(int descriptor, int level, int option, void* value, uint length);

    /// <summary>Never call it twice for one descriptor, whatever it returns: the number may belong to another thread by then.</summary>
    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    /// <summary><c>struct iovec</c>.</summary>
    public struct Block
    {
        public void* Bytes;
        public nint Length;
    }

    /// <summary><c>struct msghdr</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public Block* Blocks;
        public nint BlockCount;
        public byte* Control;
        public nint ControlLength;
        public int Flags;
    }
}
