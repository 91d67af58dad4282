using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <summary>
/// Reads one datagram at a time with what the kernel says of it: who from, where to, hop limit, time stamp. The runtime's own
/// <c>ReceiveMessageFrom</c> shows neither the last two nor, beside a time stamp, the destination. Native memory only.
/// </summary>
internal sealed unsafe class DatagramReader : IDisposable
{
    /// <summary>Longest datagram: VRRPv3 with 255 IPv6 addresses has 4088 bytes, to which a trailer and an IPv4 header may come.</summary>
    public const int Capacity = 4608;

    private const int ControlCapacity = 256;
    private const int ControlHead = 16;

    private readonly byte* _memory = (byte*)NativeMemory.AllocZeroed(Capacity + ControlCapacity + 32);
    private TimeSpan _lastEmpty = Clocks.Monotonic();

    /// <summary>Datagrams that were too long.</summary>
    public long Dropped { get; private set; }

    /// <summary>Takes the next datagram.</summary>
    /// <param name="descriptor">A socket that does not block.</param>
    /// <param name="bytes">The datagram in the reader's own memory, good until the next call.</param>
    /// <param name="datagram">What is known of it.</param>
    /// <returns>False when nothing waits.</returns>
    public bool TryRead(int descriptor, out ReadOnlySpan<byte> bytes, out VrrpDatagram datagram)
    {
        byte* name = _memory + Capacity + ControlCapacity;
        Libc.Block block = new() { Bytes = _memory, Length = Capacity };
        while (true)
        {
            Libc.MessageHeader message = new()
            {
                Name = name,
                NameLength = Libc.AddressCapacity,
                Blocks = &block,
                BlockCount = 1,
                Control = _memory + Capacity,
                ControlLength = ControlCapacity,
            };

            // Before the call: what a later call brings cannot have come before this moment.
            TimeSpan before = Clocks.Monotonic();
            nint length = Libc.ReceiveMessage(descriptor, &message, Libc.MessageDoNotWait);
            if (length < 0)
            {
                // News of an earlier send (a peer's port is closed, the link is down) is taken by this call; behind it datagrams may wait.
                int error = Libc.LastError;
                if (error is Errno.Interrupted or Errno.ConnectionRefused or Errno.HostUnreachable or Errno.NetworkUnreachable or Errno.NetworkDown) continue;
                _lastEmpty = before;
                bytes = default;
                datagram = default;
                return false;
            }

            if ((message.Flags & Libc.MessageTruncated) != 0)
            {
                Dropped++;
                continue;
            }

            bytes = new ReadOnlySpan<byte>(_memory, (int)length);
            datagram = Describe(message);
            return true;
        }
    }

    public void CountDropped() => Dropped++;

    public void Dispose() => NativeMemory.Free(_memory);

    private VrrpDatagram Describe(in Libc.MessageHeader message)
    {
        PeerAddress destination = default;
        int hops = -1;
        long stamp = 0;

        // struct cmsghdr { size_t len; int level; int type; }, each at a multiple of 8.
        for (nint at = 0; at + ControlHead <= message.ControlLength;)
        {
            byte* head = message.Control + at;
            byte* data = head + ControlHead;
            nint length = *(nint*)head;
            if (length < ControlHead) break;
            switch (*(int*)(head + 8), *(int*)(head + 12))
            {
                case (Libc.LevelSocket, Libc.TimestampNs):
                    stamp = ((Libc.TimeSpec*)data)->TotalNanoseconds;
                    break;
                case (Libc.LevelV4, Libc.V4PacketInfo):
                    destination = PeerAddress.FromBytes(new ReadOnlySpan<byte>(data + 8, 4), 0);
                    break;
                case (Libc.LevelV6, Libc.V6PacketInfo):
                    destination = PeerAddress.FromBytes(new ReadOnlySpan<byte>(data, 16), 0);
                    break;
                case (Libc.LevelV4, Libc.V4TimeToLive):
                case (Libc.LevelV6, Libc.V6HopLimit):
                    hops = *(int*)data;
                    break;
            }

            at += (length + 7) & ~(nint)7;
        }

        long realNow = Clocks.RealNanoseconds();
        return new VrrpDatagram
        {
            Source = NativeAddress.Read((byte*)message.Name),
            Destination = destination,
            TimeToLive = hops,
            ArrivedAt = Clocks.ArrivedAt(stamp, realNow, Clocks.Monotonic(), _lastEmpty),
        };
    }
}
