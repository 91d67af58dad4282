using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>
/// Messages that go out with one sendmmsg. Datagrams of one size for one peer become one message (UDP_SEGMENT): the kernel's whole way down is gone once
/// for all of them, and they leave as the datagrams that they were.
/// </summary>
internal sealed unsafe class DatagramSender : IDisposable
{
    // Above the least of what common ways carry undivided, segments are refused and it would all be done twice.
    private const int LargestSegment = 1452;
    private const int LargestMessage = 65_000;
    private const int MostSegments = 64;
    private const int ControlSize = 64;
    private const int NameSize = 32;

    private readonly int _capacity;
    private readonly MessageHeader* _headers;
    private readonly IoVector* _vectors;
    private readonly byte* _names;
    private readonly byte* _controls;
    private readonly Meaning[] _meanings;
    private int _messages;
    private int _usedVectors;

    public DatagramSender(int capacity)
    {
        _capacity = capacity;
        _headers = (MessageHeader*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(IoVector));
        _names = (byte*)NativeMemory.AllocZeroed((nuint)capacity, NameSize);
        _controls = (byte*)NativeMemory.AllocZeroed((nuint)capacity, ControlSize);
        _meanings = new Meaning[capacity];
    }

    /// <summary>Queues a chain of messages; sends what waits when there is no more room.</summary>
    /// <returns>What became of an earlier message that had to be sent.</returns>
    public DatagramSend Add(NativeDatagramSocket socket, DatagramBatch batch, int head, in DatagramAddress to, in DatagramAddress local)
    {
        for (int i = head; i >= 0;)
        {
            if (_messages == _capacity || _usedVectors == _capacity)
            {
                DatagramSend sent = Flush(socket);
                if (sent.Unreachable) return sent;
            }

            ref Datagram item = ref batch[i];
            if (item.Segment == 0 || socket.CanSegment) i = AddMessage(socket, batch, i, to, local);
            else if (AddParts(socket, batch, i, to, local, out DatagramSend broken)) i = item.Next;
            else return broken;
        }

        return DatagramSend.Done;
    }

    /// <summary>Sends everything.</summary>
    public DatagramSend Flush(NativeDatagramSocket socket)
    {
        int count = _messages;
        _messages = _usedVectors = 0;
        for (int done = 0; done < count;)
        {
            const int Flags = DatagramLibc.MessageDontWait | Libc.MessageNoSignal;
            int sent = count - done == 1
                ? (DatagramLibc.Send(socket.Descriptor, _headers + done, Flags) >= 0 ? 1 : -1)
                : DatagramLibc.SendMany(socket.Descriptor, _headers + done, (uint)(count - done), Flags);
            if (sent > 0)
            {
                done += sent;

                // sendmmsg keeps the error of the message after to itself, and for an ICMP error it was the only one to be told.
                if (done < count && IsUnreachable(socket.TakeError())) return new DatagramSend(true, _meanings[done].Item);
                continue;
            }

            int error = Libc.Errno;
            if (error == Errno.Interrupted) continue;
            if (error == Errno.Again)
            {
                // The socket's buffer: the rest would meet the same.
                for (; done < count; done++) socket.Drop(UdpDrop.SendQueueFull, _meanings[done].Datagrams);
            }
            else if (socket.IsConnected && IsUnreachable(error))
            {
                return new DatagramSend(true, _meanings[done].Item);
            }
            else
            {
                if (_meanings[done].Datagrams > 1 && !socket.KeepsSegments(error)) SendParts(socket, done);
                else socket.Drop(ReasonOf(error), _meanings[done].Datagrams);
                done++;
            }
        }

        return DatagramSend.Done;
    }

    /// <summary>True for what the ICMP messages about a peer become.</summary>
    public static bool IsUnreachable(int error) =>
        error is Errno.ConnectionRefused or Errno.HostUnreachable or Errno.NetworkUnreachable or Errno.HostDown or Errno.NoNetwork or Errno.NetworkDown;

    public void Dispose()
    {
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_names);
        NativeMemory.Free(_controls);
    }

    private static UdpDrop ReasonOf(int error) => error switch
    {
        Errno.MessageTooLong => UdpDrop.TooLarge,
        Errno.NoBuffers or Errno.NoMemory => UdpDrop.SendQueueFull,
        _ => UdpDrop.SendFailed,
    };

    /// <summary>One message of as many items as can go together.</summary>
    /// <returns>The first item that is not in it, or -1.</returns>
    private int AddMessage(NativeDatagramSocket socket, DatagramBatch batch, int first, in DatagramAddress to, in DatagramAddress local)
    {
        ref Datagram item = ref batch[first];
        int size = item.Segment == 0 ? item.Length : item.Segment, total = item.Length, count = item.Count, vectors = 1, next = item.Next;
        _vectors[_usedVectors] = new IoVector { Base = batch.Data(first), Length = (nuint)item.Length };
        bool whole = item.Segment == 0 && size > 0 && size <= LargestSegment && socket.CanSegment;
        while (whole && next >= 0 && count < MostSegments && _usedVectors + vectors < _capacity)
        {
            ref Datagram more = ref batch[next];
            if (more.Segment != 0 || more.Length == 0 || more.Length > size || total + more.Length > LargestMessage) break;
            _vectors[_usedVectors + vectors++] = new IoVector { Base = batch.Data(next), Length = (nuint)more.Length };
            total += more.Length;
            count++;
            next = more.Next;

            // Only the last one may be shorter.
            whole = more.Length == size;
        }

        Put(socket, vectors, to, local, count > 1 ? size : 0, new Meaning(first, count, size));
        return next;
    }

    // What the kernel had put together goes out one by one.
    private bool AddParts(NativeDatagramSocket socket, DatagramBatch batch, int index, in DatagramAddress to, in DatagramAddress local, out DatagramSend broken)
    {
        ref Datagram item = ref batch[index];
        for (int offset = 0; offset < item.Length; offset += item.Segment)
        {
            if (_messages == _capacity || _usedVectors == _capacity)
            {
                broken = Flush(socket);
                if (broken.Unreachable) return false;
            }

            _vectors[_usedVectors] = new IoVector { Base = batch.Data(index) + offset, Length = (nuint)Math.Min(item.Segment, item.Length - offset) };
            Put(socket, 1, to, local, 0, new Meaning(index, 1, 0));
        }

        broken = default;
        return true;
    }

    private void Put(NativeDatagramSocket socket, int vectors, in DatagramAddress to, in DatagramAddress local, int segment, Meaning meaning)
    {
        int index = _messages++;
        ref MessageHeader header = ref _headers[index];
        byte* control = _controls + index * ControlSize;
        header.Name = to.IsEmpty ? null : _names + index * NameSize;
        header.NameLength = to.IsEmpty ? 0 : to.Write(header.Name, socket.IsV6);
        header.Vectors = _vectors + _usedVectors;
        header.VectorCount = (nuint)vectors;
        header.Control = control;
        header.ControlLength = 0;
        if (segment != 0)
        {
            *(ControlHeader*)control = new ControlHeader { Length = ControlHeader.Size + sizeof(ushort), Level = DatagramLibc.LevelUdp, Type = DatagramLibc.Segment };
            *(ushort*)(control + ControlHeader.Size) = (ushort)segment;
            header.ControlLength += 24;
        }

        if (!local.IsEmpty) header.ControlLength += WriteLocal(control + header.ControlLength, local, socket.IsV6);
        if (header.ControlLength == 0) header.Control = null;
        _usedVectors += vectors;
        _meanings[index] = meaning;
    }

    // So that the answer comes from where the client had sent to: struct in_pktinfo, struct in6_pktinfo.
    private static nuint WriteLocal(byte* control, in DatagramAddress local, bool isV6)
    {
        nuint size = isV6 ? 20u : 12u;
        *(ControlHeader*)control = new ControlHeader
        {
            Length = ControlHeader.Size + size,
            Level = isV6 ? Libc.LevelV6 : DatagramLibc.LevelIp,
            Type = isV6 ? DatagramLibc.PacketInfoV6 : DatagramLibc.PacketInfoV4,
        };
        byte* data = control + ControlHeader.Size;
        if (isV6)
        {
            local.WriteV6(data);
            *(uint*)(data + 16) = local.Scope;
            return 40;
        }

        *(int*)data = 0;
        local.WriteV4(data + 4);
        *(int*)(data + 8) = 0;
        return 32;
    }

    /// <summary>The same bytes once more, datagram by datagram: this way takes no segments.</summary>
    private void SendParts(NativeDatagramSocket socket, int index)
    {
        MessageHeader header = _headers[index];
        int size = _meanings[index].Size;
        if (header.Control is not null && ((ControlHeader*)header.Control)->Level == DatagramLibc.LevelUdp)
        {
            header.Control += 24;
            header.ControlLength -= 24;
        }

        if (header.ControlLength == 0) header.Control = null;
        for (nuint v = 0; v < _headers[index].VectorCount; v++)
        {
            IoVector whole = _headers[index].Vectors[v];
            for (nuint offset = 0; offset < whole.Length; offset += (nuint)size)
            {
                IoVector part = new() { Base = whole.Base + offset, Length = Math.Min((nuint)size, whole.Length - offset) };
                header.Vectors = &part;
                header.VectorCount = 1;
                if (DatagramLibc.Send(socket.Descriptor, &header, DatagramLibc.MessageDontWait | Libc.MessageNoSignal) < 0)
                    socket.Drop(Libc.Errno == Errno.Again ? UdpDrop.SendQueueFull : ReasonOf(Libc.Errno), 1);
            }
        }
    }

    /// <summary>What a message is made of: its first item, how many datagrams, and the size of each.</summary>
    private readonly record struct Meaning(int Item, int Datagrams, int Size);
}
