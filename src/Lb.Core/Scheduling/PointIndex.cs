using System.Numerics;

namespace Lb;

/// <summary>
/// Sorted points of a ring, and where those with each prefix begin: hashes are spread evenly, so the prefix leaves one or two points to look at where a
/// binary search of 16 Ki points takes fourteen steps. Uneven points cost steps, never a wrong answer. Immutable.
/// </summary>
internal readonly struct PointIndex<T>
    where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
{
    // 64 KiB of starts stay in the cache.
    private const int LongestPrefix = 14;

    private readonly T[] _points;
    private readonly int[] _starts;
    private readonly int _shift;

    public PointIndex(T[] sorted)
    {
        _points = sorted;
        int bits = int.CreateChecked(T.PopCount(T.AllBitsSet));
        int prefix = Math.Clamp(BitOperations.Log2((uint)sorted.Length), 1, LongestPrefix);
        _shift = bits - prefix;
        _starts = new int[(1 << prefix) + 1];
        int next = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            int own = int.CreateTruncating(sorted[i] >> _shift);
            while (next <= own) _starts[next++] = i;
        }

        while (next < _starts.Length) _starts[next++] = sorted.Length;
    }

    public T[] Points => _points;

    /// <summary>The first point at or after the hash, going round.</summary>
    public int Find(T hash)
    {
        T[] points = _points;
        int prefix = int.CreateTruncating(hash >> _shift);
        int low = _starts[prefix], count = _starts[prefix + 1] - low;
        while (count > 0)
        {
            int half = count >> 1;
            bool less = points[low + half] < hash;
            low = less ? low + half + 1 : low;
            count = less ? count - half - 1 : half;
        }

        return low == points.Length ? 0 : low;
    }
}
