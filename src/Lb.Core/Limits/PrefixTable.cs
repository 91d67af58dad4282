using System.Numerics;

namespace Lb;

/// <summary>
/// Networks of one address family as ranges that do not overlap, each with the narrowest network that holds it: the longest prefix is found by one
/// look into an index and a short binary search. Immutable.
/// </summary>
/// <typeparam name="T">The address as a number: <see cref="uint"/> or <see cref="UInt128"/>.</typeparam>
internal sealed class PrefixTable<T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    private const int LargestIndex = 1 << 16;

    // Where each range begins (the first at 0), and the network that holds up to the next one; -1 = none.
    private readonly T[] _starts;
    private readonly int[] _entries;

    // For each slice of the addresses from _base on, the range that its first address is in.
    private readonly int[] _index;
    private readonly T _base;
    private readonly int _shift;

    /// <summary>Builds it.</summary>
    /// <param name="networks">First and last address of each network and the number that <see cref="Find"/> gives for it; each network once.</param>
    public PrefixTable(List<(T First, T Last, int Entry)> networks)
    {
        List<(T Start, int Entry)> ranges = Flatten(networks);
        _starts = [.. ranges.Select(static r => r.Start)];
        _entries = [.. ranges.Select(static r => r.Entry)];
        _base = _starts.Length > 1 ? _starts[1] : T.Zero;
        T span = _starts[^1] - _base;
        int slices = Math.Min(LargestIndex, (int)BitOperations.RoundUpToPowerOf2((uint)_starts.Length));
        while (span >> _shift >= T.CreateChecked(slices)) _shift++;
        _index = new int[int.CreateChecked(span >> _shift) + 2];
        for (int slice = 0, range = 0; slice < _index.Length; slice++)
        {
            // Beyond the last range a slice could begin above the largest address.
            if (slice == _index.Length - 1) range = _starts.Length - 1;
            else while (range + 1 < _starts.Length && _starts[range + 1] - _base <= T.CreateChecked(slice) << _shift) range++;
            _index[slice] = range;
        }
    }

    /// <summary>The number of the narrowest network that holds an address; -1 = none does.</summary>
    public int Find(T address)
    {
        if (address < _base) return _entries[0];
        T slice = (address - _base) >> _shift;
        if (slice >= T.CreateTruncating(_index.Length - 1)) return _entries[^1];
        int at = int.CreateTruncating(slice);
        int low = _index[at], high = _index[at + 1];
        while (low < high)
        {
            int middle = (low + high + 1) >>> 1;
            if (_starts[middle] <= address) low = middle;
            else high = middle - 1;
        }

        return _entries[low];
    }

    // Networks contain each other or don't meet: sorted by their first address, wider ones first, an open one is always the parent of the next.
    private static List<(T Start, int Entry)> Flatten(List<(T First, T Last, int Entry)> networks)
    {
        networks.Sort(static (a, b) => a.First != b.First ? a.First.CompareTo(b.First) : b.Last.CompareTo(a.Last));
        List<(T Start, int Entry)> ranges = [(T.Zero, -1)];
        Stack<(T Last, int Entry)> open = new();
        foreach ((T first, T last, int entry) in networks)
        {
            while (open.TryPeek(out (T Last, int Entry) top) && top.Last < first) CloseTop();
            open.Push((last, entry));
            Begin(first, entry);
        }

        while (open.Count > 0) CloseTop();
        return ranges;

        void CloseTop()
        {
            T last = open.Pop().Last;
            if (last != T.MaxValue) Begin(last + T.One, open.TryPeek(out (T Last, int Entry) parent) ? parent.Entry : -1);
        }

        void Begin(T start, int entry)
        {
            if (ranges[^1].Start == start) ranges.RemoveAt(ranges.Count - 1);
            ranges.Add((start, entry));
        }
    }
}
