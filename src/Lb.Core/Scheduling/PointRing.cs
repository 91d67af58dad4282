namespace Lb;

/// <summary>A ring of 64-bit points that belong to servers; a key belongs to the first point at or after its hash. Immutable.</summary>
internal readonly struct PointRing : IHashTable
{
    private readonly ulong[] _points;
    private readonly ushort[] _owners;

    /// <summary>Sorts the points; of equal ones the first stays, the others are dropped.</summary>
    public PointRing(List<(ulong Point, ushort Owner)> points)
    {
        List<(ulong Point, ushort Owner)> sorted = [.. points.OrderBy(static p => p.Point).DistinctBy(static p => p.Point)];
        _points = [.. sorted.Select(static p => p.Point)];
        _owners = [.. sorted.Select(static p => p.Owner)];
    }

    public int Length => _points.Length;

    public ulong PointAt(int position) => _points[position];

    public int OwnerAt(int position) => _owners[position];

    public int Find(ulong hash, int attempt)
    {
        int position = Position(hash);
        int owner = _owners[position];

        // The next server of the key: on along the ring past everything of those before. Two servers may alternate, which is as good.
        for (; attempt > 0; attempt--)
        {
            int last = owner;
            for (int n = 0; n < _points.Length && owner == last; n++)
            {
                position = position + 1 == _points.Length ? 0 : position + 1;
                owner = _owners[position];
            }
        }

        return owner;
    }

    private int Position(ulong hash)
    {
        ulong[] points = _points;
        int low = 0, count = points.Length;
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
