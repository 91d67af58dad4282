using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>recvmmsg into a batch: headers that are filled once and only mended where the kernel has written.</summary>
internal sealed unsafe class DatagramReceiver : IDisposable
{
    // Packet info of IPv6 (16 + 20), the size of segments and the overflow counter (16 + 4 each), rounded up.
    private const int ControlSize = 96;
    private const int NameSize = 32;

    private readonly DatagramBatch _batch;
    private readonly bool _hasNames;
    private readonly MessageHeader* _headers;
    private readonly IoVector* _vectors;
    private readonly byte* _names;
    private readonly byte* _controls;

    public DatagramReceiver(DatagramBatch batch, bool hasNames)
    {
        nuint count = (nuint)batch.Capacity;
        _batch = batch;
        _hasNames = hasNames;
        _headers = (MessageHeader*)NativeMemory.AllocZeroed(count, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed(count, (nuint)sizeof(IoVector));
        _names = (byte*)NativeMemory.AllocZeroed(count, NameSize);
        _controls = (byte*)NativeMemory.AllocZeroed(count, ControlSize);
        for (int i = 0; i < batch.Capacity; i++)
        {
            _vectors[i] = new IoVector { Base = batch.Data(i), Length = DatagramBatch.SlotSize };
            _headers[i].Vectors = _vectors + i;
            _headers[i].VectorCount = 1;
            Mend(ref _headers[i], i);
        }
    }

    /// <summary>Receives into the slots from <paramref name="first"/> on.</summary>
    /// <param name="descriptor">The socket.</param>
    /// <param name="first">The first free slot.</param>
    /// <param name="most">At most so many.</param>
    /// <param name="overflows">The kernel's count of datagrams that found the socket's queue full; stays as it is when the kernel says nothing.</param>
    /// <returns>How many messages, or -1 with <see cref="Libc.Errno"/>.</returns>
    public int Receive(int descriptor, int first, int most, ref uint overflows)
    {
        int count = DatagramLibc.ReceiveMany(descriptor, _headers + first, (uint)most, DatagramLibc.MessageDontWait, null);
        for (int i = first; i < first + count; i++)
        {
            ref MessageHeader header = ref _headers[i];
            ref Datagram item = ref _batch[i];
            item.Length = (header.Flags & Libc.MessageTruncate) == 0 ? (int)header.Length : -1;
            item.Segment = 0;
            item.Next = i + 1 < first + count ? i + 1 : -1;
            item.Local = default;
            if (_hasNames) item.From = DatagramAddress.Read(header.Name);
            if (header.ControlLength != 0) ReadControl(ref header, ref item, ref overflows);
            Mend(ref header, i);
        }

        return count;
    }

    public void Dispose()
    {
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_names);
        NativeMemory.Free(_controls);
    }

    private void Mend(ref MessageHeader header, int index)
    {
        header.Name = _hasNames ? _names + index * NameSize : null;
        header.NameLength = _hasNames ? NameSize : 0u;
        header.Control = _controls + index * ControlSize;
        header.ControlLength = ControlSize;
        header.Flags = 0;
    }

    private static void ReadControl(ref MessageHeader header, ref Datagram item, ref uint overflows)
    {
        byte* position = header.Control;
        byte* end = position + header.ControlLength;
        while (position + ControlHeader.Size <= end)
        {
            ControlHeader* control = (ControlHeader*)position;
            if (control->Length < ControlHeader.Size) return;
            byte* data = position + ControlHeader.Size;
            switch (control->Level, control->Type)
            {
                case (DatagramLibc.LevelUdp, DatagramLibc.Coalesce):
                    int size = *(int*)data;
                    if (size < item.Length) item.Segment = size;
                    break;
                case (DatagramLibc.LevelIp, DatagramLibc.PacketInfoV4):
                    // struct in_pktinfo: interface, the address to answer from, the address of the header.
                    item.Local = DatagramAddress.ReadV4(data + 4);
                    break;
                case (Libc.LevelV6, DatagramLibc.PacketInfoV6):
                    item.Local = DatagramAddress.ReadV6(data, *(uint*)(data + 16));
                    break;
                case (Libc.LevelSocket, DatagramLibc.QueueOverflow):
                    overflows = *(uint*)data;
                    break;
            }

            position += (control->Length + 7) & ~(nuint)7;
        }
    }
}
