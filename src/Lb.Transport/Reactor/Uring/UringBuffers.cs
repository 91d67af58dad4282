using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>
/// The buffers that a loop lends the kernel to receive into. A connection that waits holds none; each is given back within the turn in which it was filled,
/// so that a slow reader can't keep them from others.
/// </summary>
/// <remarks>
/// They are used in turn, so all of them together are the working set: small and few measured better than large and many, because bulk does not come here
/// (<see cref="UringConnection"/>).
/// </remarks>
internal sealed unsafe class UringBuffers : IDisposable
{
    /// <summary>Bytes of one.</summary>
    public const int Size = 8 * 1024;

    /// <summary>How many; a power of 2.</summary>
    public const int Count = 512;

    private const uint RegisterRing = 22; // IORING_REGISTER_PBUF_RING
    private const int EntrySize = 16;
    private const int TailOffset = 14; // in the first entry's unused part
    private readonly byte* _entries;
    private readonly byte* _memory;
    private ushort _tail;

    /// <summary>Makes and registers them as group 0.</summary>
    /// <exception cref="UringException">The kernel does not take them.</exception>
    public UringBuffers(UringRing ring)
    {
        _entries = (byte*)NativeMemory.AlignedAlloc(Count * EntrySize, 4096);
        new Span<byte>(_entries, Count * EntrySize).Clear();
        _memory = (byte*)NativeMemory.AlignedAlloc(Count * Size, 4096);
        byte* registration = stackalloc byte[40]; // struct io_uring_buf_reg
        new Span<byte>(registration, 40).Clear();
        *(ulong*)registration = (ulong)_entries;
        *(uint*)(registration + 8) = Count;
        try
        {
            ring.Register(RegisterRing, registration, 1);
        }
        catch
        {
            Dispose();
            throw;
        }

        for (int i = 0; i < Count; i++) GiveBack(i);
    }

    /// <summary>Where a buffer begins.</summary>
    public byte* this[int number] => _memory + (nint)number * Size;

    /// <summary>Lends a buffer again.</summary>
    public void GiveBack(int number)
    {
        byte* entry = _entries + (_tail & (Count - 1)) * EntrySize; // struct io_uring_buf
        *(ulong*)entry = (ulong)this[number];
        *(uint*)(entry + 8) = Size;
        *(ushort*)(entry + 12) = (ushort)number;
        Volatile.Write(ref *(ushort*)(_entries + TailOffset), ++_tail);
    }

    /// <summary>Frees the memory: after the ring is closed.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_entries);
        NativeMemory.AlignedFree(_memory);
    }
}
