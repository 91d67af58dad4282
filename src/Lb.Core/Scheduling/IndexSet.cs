using System.Numerics;

namespace Lb;

/// <summary>A set of numbers below a limit that knows its least: bits, and bits that say which words of bits are not empty. Not thread-safe.</summary>
internal sealed class IndexSet(int limit)
{
    private readonly ulong[] _words = new ulong[(limit >> 6) + 1];
    private readonly ulong[] _summary = new ulong[(limit >> 12) + 1];

    public int Count { get; private set; }

    /// <summary>Adds a number that is not in it.</summary>
    public void Add(int index)
    {
        _words[index >> 6] |= 1UL << index;
        _summary[index >> 12] |= 1UL << (index >> 6);
        Count++;
    }

    /// <summary>Removes a number that is in it.</summary>
    public void Remove(int index)
    {
        Count--;
        if ((_words[index >> 6] &= ~(1UL << index)) == 0) _summary[index >> 12] &= ~(1UL << (index >> 6));
    }

    /// <summary>The least; the set must not be empty.</summary>
    public int First()
    {
        int i = 0;
        while (_summary[i] == 0) i++;
        int word = (i << 6) + BitOperations.TrailingZeroCount(_summary[i]);
        return (word << 6) + BitOperations.TrailingZeroCount(_words[word]);
    }
}
