using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>
/// The unsent remainder of one connection, in native memory: nothing is pinned and nothing is kept while it is empty, and a connection without one holds
/// a single word. A mutable struct inside its connection; never copy it.
/// </summary>
internal unsafe struct SendBuffer
{
    private const int Smallest = 4096;
    private Block* _block;

    /// <summary>Bytes that wait.</summary>
    public readonly int Length => _block == null ? 0 : _block->Length;

    /// <summary>The first of them. Only while there is one.</summary>
    public readonly byte* Start => (byte*)(_block + 1) + _block->Start;

    /// <summary>Copies bytes to the end.</summary>
    /// <exception cref="InvalidOperationException">More than 1 GiB would wait: the handler ignores back-pressure.</exception>
    public void Append(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        if (_block == null || data.Length > _block->Capacity - _block->Start - _block->Length) MakeRoom(data.Length);
        data.CopyTo(new Span<byte>(Start + _block->Length, data.Length));
        _block->Length += data.Length;
    }

    /// <summary>Forgets bytes at the start; the last ones give the memory back.</summary>
    public void Consume(int count)
    {
        if (count == 0) return;
        _block->Start += count;
        _block->Length -= count;
        if (_block->Length == 0) Free();
    }

    /// <summary>Drops everything. Idempotent.</summary>
    public void Free()
    {
        if (_block == null) return;
        LoopMemory.Add(-_block->Capacity);
        NativeMemory.Free(_block);
        _block = null;
    }

    private void MakeRoom(int more)
    {
        const int Largest = 1 << 30;
        int length = Length;
        if (more > Largest - length) throw new InvalidOperationException("More than 1 GiB waits on one connection.");

        // Moving is worth it while it moves no more than has been sent since: then it costs at most one copy per byte.
        if (_block != null && _block->Start >= length && length + more <= _block->Capacity)
        {
            new ReadOnlySpan<byte>(Start, length).CopyTo(new Span<byte>(_block + 1, length));
            _block->Start = 0;
            return;
        }

        int capacity = (int)uint.Min(Largest, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(Smallest, length + more)));
        Block* block = (Block*)NativeMemory.Alloc((nuint)(sizeof(Block) + capacity));
        *block = new Block { Capacity = capacity, Length = length };
        LoopMemory.Add(_block == null ? capacity : capacity - _block->Capacity);
        if (length > 0) new ReadOnlySpan<byte>(Start, length).CopyTo(new Span<byte>(block + 1, length));
        NativeMemory.Free(_block);
        _block = block;
    }

    /// <summary>What is known of the memory stands before its bytes.</summary>
    private struct Block
    {
        public int Capacity;
        public int Start;
        public int Length;
    }
}
