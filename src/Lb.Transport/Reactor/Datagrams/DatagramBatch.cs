using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>One received message: a datagram, or several of one size that the kernel has put together.</summary>
internal struct Datagram
{
    /// <summary>Bytes of all.</summary>
    public int Length;

    /// <summary>Size of each but the last, when they are several; else 0.</summary>
    public int Segment;

    /// <summary>The next of the same owner in the batch, or -1.</summary>
    public int Next;

    /// <summary>The sender; empty on a connected socket.</summary>
    public DatagramAddress From;

    /// <summary>The local address it was sent to, without port, where the socket has to ask; else empty.</summary>
    public DatagramAddress Local;

    /// <summary>How many datagrams these are.</summary>
    public readonly int Count => Segment == 0 ? 1 : (Length + Segment - 1) / Segment;
}

/// <summary>Where a loop's datagrams land: slots large enough for every datagram. Pages that were never needed take no memory. One loop's thread.</summary>
/// <param name="capacity">Number of slots.</param>
[SuppressMessage("Usage", "MA0055", Justification = "Memory outside of the collector's heap.")]
internal sealed unsafe class DatagramBatch(int capacity) : IDisposable
{
    /// <summary>Room for one message: no UDP datagram, nor several put together, is longer.</summary>
    public const int SlotSize = 65_536;

    // Not a power of two: the beginnings of all slots would fall into the same lines of the processor's cache.
    private const int Stride = SlotSize + 832;

    private readonly Datagram[] _items = new Datagram[capacity];
    private byte* _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(Stride * capacity), 4096);

    public int Capacity => capacity;

    /// <summary>Slots in use, from the first.</summary>
    public int Used { get; set; }

    public ref Datagram this[int index] => ref _items[index];

    public byte* Data(int index) => _memory + (nint)Stride * index;

    public Span<byte> Slot(int index) => new(Data(index), SlotSize);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
