namespace Lb;

/// <summary>A ring of 64-bit points that belong to servers; a key belongs to the first point at or after its hash. Immutable.</summary>
internal readonly struct PointRing : IHashTable
{
    private readonly PointIndex<ulong> _points;
    private readonly ushort[] _owners;

    /// <summary>Sorts the points; of equal ones the first stays, the others are dropped.</summary>
    public PointRing(ulong[] points, ushort[] owners)
    {
        PointSort.Sort(ref points, ref owners);
        int kept = 0;
        for (int i = 0; i < points.Length; i++)
        {
            if (kept > 0 && points[i] == points[kept - 1]) continue;
            (points[kept], owners[kept]) = (points[i], owners[i]);
            kept++;
        }

        Array.Resize(ref points, kept);
        _points = new PointIndex<ulong>(points);
        _owners = owners;
    }

    public int Length => _points.Points.Length;

    public ulong PointAt(int position) => _points.Points[position];

    public int OwnerAt(int position) => _owners[position];

    public int Find(ulong hash, int attempt)
    {
        int position = _points.Find(hash);
        int owner = _owners[position];

        // The next server of the key: on along the ring past everything of those before. Two servers may alternate, which is as good.
        for (; attempt > 0; attempt--)
        {
            int last = owner;
            for (int n = 0; n < Length && owner == last; n++)
            {
                position = position + 1 == Length ? 0 : position + 1;
                owner = _owners[position];
            }
        }

        return owner;
    }
}
