using System.Numerics;

namespace Lb;

/// <summary>Sorts the points of rings with their owners: by bytes, lowest first, so equal points keep their order. O(n), where a comparing sort takes ten times as long.</summary>
internal static class PointSort
{
    /// <summary>Sorts both arrays, or two others in their place, by the points.</summary>
    public static void Sort<T>(ref T[] points, ref ushort[] owners)
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        T[] otherPoints = GC.AllocateUninitializedArray<T>(points.Length);
        ushort[] otherOwners = GC.AllocateUninitializedArray<ushort>(points.Length);
        int bits = int.CreateChecked(T.PopCount(T.AllBitsSet));
        Span<int> place = stackalloc int[256];
        for (int shift = 0; shift < bits; shift += 8)
        {
            place.Clear();
            foreach (T point in points) place[byte.CreateTruncating(point >> shift)]++;
            for (int i = 0, before = 0; i < place.Length; i++) (place[i], before) = (before, before + place[i]);
            for (int i = 0; i < points.Length; i++)
            {
                int to = place[byte.CreateTruncating(points[i] >> shift)]++;
                otherPoints[to] = points[i];
                otherOwners[to] = owners[i];
            }

            (points, otherPoints) = (otherPoints, points);
            (owners, otherOwners) = (otherOwners, owners);
        }
    }
}
