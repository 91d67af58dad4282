using System.Runtime.InteropServices;

namespace Lb.Vrrp;

/// <summary>
/// Keeps the adverts of one router queued in the kernel, each with its moment, so that they leave on time while the process is stopped, by the garbage
/// collector or otherwise. They are queued a bounded time ahead: for so long does a process that hangs stay Active. The end of the process ends them.
/// </summary>
/// <remarks>
/// Owned by the thread that calls <see cref="Start"/>, which must live on. Each advert is a chain of two requests: a timer, and a message that is sent
/// when it has expired. A chain whose timer is cancelled is cancelled as a whole, so the link must be a soft one: a hard one would send at once.
/// </remarks>
internal sealed unsafe class QueuedAdverts : IDisposable
{
    private const ulong TimerTag = 1;
    private const ulong SendTag = 2;
    private const ulong CancelTag = 3;
    private const int Cancelled = 125;
    private const int AddressSize = 32;
    private const int HeaderSize = 64;

    private readonly IoRing _ring = new();
    private readonly Libc.TimeSpec* _moments = (Libc.TimeSpec*)NativeMemory.Alloc(IoRing.Entries, (nuint)sizeof(Libc.TimeSpec));
    private byte* _slots;
    private nuint _slotSize;
    private int _slotCount;
    private int _descriptor = -1;
    private TimeSpan _interval;
    private TimeSpan _horizon;
    private TimeSpan _next;
    private int _pending;

    private QueuedAdverts()
    {
    }

    /// <summary>Readable when adverts have left: then <see cref="Collect"/>.</summary>
    public int Descriptor => _ring.Descriptor;

    /// <summary>Messages that have been sent; one advert to several peers is several.</summary>
    public long Sent { get; private set; }

    /// <summary>Messages that the kernel did not take.</summary>
    public long Failed { get; private set; }

    /// <summary>Error number of the last of them; 0 = none.</summary>
    public int LastError { get; private set; }

    /// <summary>Messages that are queued now.</summary>
    public int Pending => _pending;

    /// <summary>When <see cref="Extend"/> should be called next: half of the horizon is used up.</summary>
    public TimeSpan ExtendAt => _next - _horizon / 2;

    /// <summary>Makes one, and tries out that the kernel does what is needed: Linux 5.19 does.</summary>
    /// <param name="reason">Why not, for people.</param>
    /// <returns>Null when adverts have to be sent by the thread.</returns>
    public static QueuedAdverts? TryCreate(out string? reason)
    {
        if (!OperatingSystem.IsLinux())
        {
            reason = "Adverts can be queued ahead on Linux only.";
            return null;
        }

        try
        {
            QueuedAdverts adverts = new();
            if (adverts.CanCancel())
            {
                reason = null;
                return adverts;
            }

            adverts.Dispose();
            reason = "io_uring of this kernel cannot cancel queued adverts: Linux 5.19 is needed.";
        }
        catch (IOException exception)
        {
            reason = $"{exception.Message}: io_uring is missing, or barred by the container or kernel.io_uring_disabled.";
        }

        return null;
    }

    /// <summary>Begins a series of adverts; the one before is cancelled. Queues up to the horizon.</summary>
    /// <param name="transport">Where they go; <see cref="Cancel"/> before it is bound anew.</param>
    /// <param name="message">The advert, as it would be given to <see cref="IVrrpTransport.Send"/>.</param>
    /// <param name="first">Moment of the first on the axis of <see cref="Clocks.Monotonic"/>; one that is past leaves at once.</param>
    /// <param name="interval">Time between them.</param>
    /// <param name="horizon">How far ahead they are queued.</param>
    /// <returns>False when the transport is closed or the kernel refuses: the thread has to send.</returns>
    public bool Start(RawTransport transport, ReadOnlySpan<byte> message, TimeSpan first, TimeSpan interval, TimeSpan horizon)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(interval, TimeSpan.Zero);
        Cancel();
        if (transport.Descriptor < 0) return false;
        Lay(transport, message);
        _descriptor = transport.Descriptor;
        _interval = interval;
        _horizon = horizon;
        _next = first;
        return Extend(Clocks.Monotonic());
    }

    /// <summary>Queues adverts up to the horizon and takes in what has left. Moments that were missed are left out, not made up for. Does not allocate.</summary>
    /// <param name="now">Now.</param>
    /// <returns>False when nothing is started, or the kernel refuses: what is queued then still leaves.</returns>
    public bool Extend(TimeSpan now)
    {
        if (_descriptor < 0) return false;
        Collect();
        if (_next < now) _next = now;
        while (_next <= now + _horizon)
        {
            if (_ring.Unsubmitted + 2 * _slotCount > IoRing.Entries && !Submit()) return false;
            Queue(_next);
            _next += _interval;
        }

        return Submit();
    }

    /// <summary>Takes in what has left.</summary>
    public void Collect()
    {
        while (_ring.TryTake(out ulong tag, out int result))
        {
            if (tag != SendTag) continue;
            _pending--;
            if (result >= 0)
            {
                Sent++;
            }
            else if (result != -Cancelled)
            {
                Failed++;
                LastError = -result;
            }
        }
    }

    /// <summary>Takes back all that is queued. When it has returned, none of it leaves any more.</summary>
    public void Cancel()
    {
        _descriptor = -1;
        Collect();
        if (_pending > 0) CancelAll();
    }

    public void Dispose()
    {
        Cancel();
        _ring.Dispose();
        NativeMemory.Free(_moments);
        NativeMemory.Free(_slots);
        _slots = null;
    }

    /// <summary>Lays the messages where the kernel finds them, out of the way of the garbage collector: bytes, address, and the two structs that point to them.</summary>
    private void Lay(RawTransport transport, ReadOnlySpan<byte> message)
    {
        IReadOnlyList<PeerAddress> destinations = transport.Destinations;
        if (2 * destinations.Count > IoRing.Entries) throw new ArgumentException($"Adverts to more than {IoRing.Entries / 2} peers cannot be queued ahead.", nameof(transport));
        _slotCount = destinations.Count;
        _slotSize = HeaderSize + (nuint)sizeof(Libc.Block) + AddressSize + (((nuint)message.Length + 15) & ~(nuint)15);
        NativeMemory.Free(_slots);
        _slots = (byte*)NativeMemory.AllocZeroed((nuint)_slotCount, _slotSize);
        bool covers = PeerChecksum.CoversAddresses(message, transport.Destination.IsV6);
        for (int i = 0; i < _slotCount; i++)
        {
            Libc.MessageHeader* header = Slot(i);
            Libc.Block* block = (Libc.Block*)((byte*)header + HeaderSize);
            byte* address = (byte*)(block + 1);
            byte* bytes = address + AddressSize;
            Span<byte> copy = new(bytes, message.Length);
            message.CopyTo(copy);
            if (covers && i > 0) PeerChecksum.Readdress(copy, destinations[0], destinations[i]);
            header->Name = address;
            header->NameLength = NativeAddress.Write(destinations[i], transport.Index, address);
            header->Blocks = block;
            header->BlockCount = 1;
            block->Bytes = bytes;
            block->Length = message.Length;
        }
    }

    private Libc.MessageHeader* Slot(int index) => (Libc.MessageHeader*)(_slots + (nuint)index * _slotSize);

    private void Queue(TimeSpan moment)
    {
        for (int i = 0; i < _slotCount; i++)
        {
            // The kernel copies the moment when the request is handed in.
            Libc.TimeSpec* time = _moments + _ring.Unsubmitted;
            *time = Libc.TimeSpec.From(moment);
            _ring.Add(IoRing.OperationTimeout, IoRing.FlagLink, -1, time, 1, IoRing.TimeoutAbsolute | IoRing.TimeoutIsSuccess, TimerTag);
            _ring.Add(IoRing.OperationSendMessage, 0, _descriptor, Slot(i), 1, Libc.MessageNoSignal | Libc.MessageDoNotWait, SendTag);
            _pending++;
        }
    }

    private bool Submit()
    {
        return _ring.Unsubmitted == 0 || _ring.Enter() == 0;
    }

    /// <summary>
    /// Cancels, and waits for the result of every message: sent or cancelled. A timer that has expired before is not found by the cancellation, but its message
    /// is then under way in this very thread's name and ends before the call does.
    /// </summary>
    private void CancelAll()
    {
        const int Attempts = 1000;
        for (int i = 0; _pending > 0 && i < Attempts; i++)
        {
            if (_ring.Unsubmitted < IoRing.Entries) _ring.Add(IoRing.OperationCancel, 0, -1, null, 0, IoRing.CancelAll, CancelTag);
            if (_ring.Enter(1) != 0 && _ring.Unsubmitted >= IoRing.Entries) break;
            Collect();
        }

        if (_pending > 0) throw new InvalidOperationException($"{_pending} queued adverts could not be taken back.");
    }

    /// <summary>Queues a chain that does nothing in an hour, and takes it back.</summary>
    private bool CanCancel()
    {
        *_moments = Libc.TimeSpec.From(Clocks.Monotonic() + TimeSpan.FromHours(1));
        _ring.Add(IoRing.OperationTimeout, IoRing.FlagLink, -1, _moments, 1, IoRing.TimeoutAbsolute | IoRing.TimeoutIsSuccess, TimerTag);
        _ring.Add(IoRing.OperationNothing, 0, -1, null, 0, 0, SendTag);
        _ring.Add(IoRing.OperationCancel, 0, -1, null, 0, IoRing.CancelAll, CancelTag);
        if (_ring.Enter(3) != 0) return false;
        int asExpected = 0;
        while (_ring.TryTake(out ulong tag, out int result))
        {
            if (tag == CancelTag ? result >= 0 : result == -Cancelled) asExpected++;
        }

        return asExpected == 3;
    }
}
