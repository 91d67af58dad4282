using System.Numerics;

namespace Lb;

/// <summary>Finds the least of many numbers, several at a time.</summary>
internal static class LeastKey
{
    /// <summary>The place of the least number, counted from <paramref name="start"/> and going round: the first among equals. -1 when all are infinite.</summary>
    public static int Find(ReadOnlySpan<double> keys, int start)
    {
        (double after, int place) = First(keys[start..]);
        place += start;
        (double before, int placeBefore) = First(keys[..start]);
        if (before < after) (after, place) = (before, placeBefore);
        return double.IsPositiveInfinity(after) ? -1 : place;
    }

    private static (double Least, int Place) First(ReadOnlySpan<double> keys)
    {
        int lanes = Vector<double>.Count;
        double least = double.PositiveInfinity;
        int place = 0, i = 0;
        if (keys.Length >= 2 * lanes)
        {
            // Each lane keeps its own least and where it was; two sets of lanes, so that one need not wait for the other.
            Vector<double> least1 = new(double.PositiveInfinity), least2 = least1;
            Vector<long> at1 = Vector<long>.Zero, at2 = at1, now = Vector.CreateSequence(0L, 1), step = new(2 * lanes), half = new(lanes);
            for (; i <= keys.Length - (2 * lanes); i += 2 * lanes)
            {
                Vector<double> keys1 = new(keys[i..]), keys2 = new(keys[(i + lanes)..]);
                Vector<long> less1 = Vector.LessThan(keys1, least1), less2 = Vector.LessThan(keys2, least2);
                least1 = Vector.ConditionalSelect(less1, keys1, least1);
                least2 = Vector.ConditionalSelect(less2, keys2, least2);
                at1 = Vector.ConditionalSelect(less1, now, at1);
                at2 = Vector.ConditionalSelect(less2, now, at2);
                now += step;
            }

            at2 += half;
            for (int lane = 0; lane < lanes; lane++)
            {
                Take(least1[lane], (int)at1[lane], ref least, ref place);
                Take(least2[lane], (int)at2[lane], ref least, ref place);
            }
        }

        for (; i < keys.Length; i++) Take(keys[i], i, ref least, ref place);
        return (least, place);
    }

    private static void Take(double key, int at, ref double least, ref int place)
    {
        if (key < least || (key == least && at < place)) (least, place) = (key, at);
    }
}
