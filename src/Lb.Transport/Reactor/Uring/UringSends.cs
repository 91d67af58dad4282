using System.Runtime.InteropServices;

namespace Lb.Transport;

/// <summary>
/// Small messages on their way out. Each is copied to a block here and handed over with whatever else the turn brings, instead of by a call of its own. The
/// kernel takes it or refuses it there and then, so a block is in use for one turn. One loop's thread.
/// </summary>
internal sealed unsafe class UringSends : IDisposable
{
    /// <summary>The longest message: above, a call of its own costs less than the copy.</summary>
    public const int Size = 2048;

    private const int Count = 2048;
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(Count * Size, 4096);
    private readonly Entry[] _entries = new Entry[Count];
    private readonly ushort[] _free = new ushort[Count];
    private int _freeCount = Count;

    public UringSends()
    {
        for (int i = 0; i < Count; i++) _free[i] = (ushort)(Count - 1 - i);
    }

    /// <summary>A block; false when all are in use.</summary>
    public bool TryRent(out ushort block)
    {
        block = default;
        if (_freeCount == 0) return false;
        block = _free[--_freeCount];
        _entries[block].Length = 0;
        return true;
    }

    /// <summary>A block is free again.</summary>
    public void Return(ushort block) => _free[_freeCount++] = block;

    /// <summary>What is in a block and where its operation is.</summary>
    public ref Entry this[ushort block] => ref _entries[block];

    /// <summary>Where a block begins.</summary>
    public byte* Start(ushort block) => _memory + block * Size;

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    /// <summary>A message.</summary>
    public struct Entry
    {
        /// <summary>Bytes of it.</summary>
        public int Length;

        /// <summary>The number of its operation.</summary>
        public uint Operation;
    }
}
