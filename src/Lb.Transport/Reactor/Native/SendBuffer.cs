using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>
/// The unsent remainder of one connection, in native memory: nothing is pinned and nothing is kept while it is empty.
/// A mutable struct inside its connection; never copy it.
/// </summary>
internal unsafe struct SendBuffer
{
    private const int Smallest = 4096;
    private byte* _memory;
    private int _capacity;
    private int _start;

    /// <summary>Bytes that wait.</summary>
    public int Length { get; private set; }

    /// <summary>The first of them.</summary>
    public readonly byte* Start => _memory + _start;

    /// <summary>Copies bytes to the end.</summary>
    /// <exception cref="InvalidOperationException">More than 1 GiB would wait: the handler ignores back-pressure.</exception>
    public void Append(ReadOnlySpan<byte> data)
    {
        if (data.Length > _capacity - _start - Length) MakeRoom(data.Length);
        data.CopyTo(new Span<byte>(_memory + _start + Length, data.Length));
        Length += data.Length;
    }

    /// <summary>Forgets bytes at the start; the last ones give the memory back.</summary>
    public void Consume(int count)
    {
        _start += count;
        Length -= count;
        if (Length == 0) Free();
    }

    /// <summary>Drops everything. Idempotent.</summary>
    public void Free()
    {
        LoopMemory.Add(-_capacity);
        NativeMemory.Free(_memory);
        this = default;
    }

    private void MakeRoom(int more)
    {
        const int Largest = 1 << 30;
        if (more > Largest - Length) throw new InvalidOperationException("More than 1 GiB waits on one connection.");

        // Moving is worth it while it moves no more than has been sent since: then it costs at most one copy per byte.
        if (_start >= Length && Length + more <= _capacity)
        {
            new ReadOnlySpan<byte>(Start, Length).CopyTo(new Span<byte>(_memory, Length));
            _start = 0;
            return;
        }

        int capacity = (int)uint.Min(Largest, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(Smallest, Length + more)));
        byte* memory = (byte*)NativeMemory.Alloc((nuint)capacity);
        LoopMemory.Add(capacity - _capacity);
        new ReadOnlySpan<byte>(Start, Length).CopyTo(new Span<byte>(memory, Length));
        NativeMemory.Free(_memory);
        _memory = memory;
        _capacity = capacity;
        _start = 0;
    }
}
