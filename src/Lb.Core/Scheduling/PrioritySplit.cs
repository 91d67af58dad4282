namespace Lb;

/// <summary>
/// How traffic is shared between priority levels (Envoy <c>recalculatePerPriorityState</c>). A level takes traffic as far as its share of healthy servers,
/// times the over-provisioning factor, goes; the rest spills over to the next.
/// </summary>
internal static class PrioritySplit
{
    /// <summary>Percent of the traffic for each level: they sum to 100, or are all 0 when nothing is healthy.</summary>
    /// <param name="levels">Servers of each level, the first level first.</param>
    /// <param name="factorPercent">Over-provisioning: 140 means that 72 % healthy servers still take all.</param>
    public static int[] Loads(ReadOnlySpan<(int Healthy, int Total)> levels, int factorPercent)
    {
        int[] loads = new int[levels.Length];
        int sum = 0, first = -1;
        for (int i = 0; i < levels.Length; i++)
        {
            (int healthy, int total) = levels[i];
            loads[i] = total <= 0 ? 0 : (int)Math.Min(100, (long)factorPercent * healthy / total);
            sum += loads[i];
            if (first < 0 && loads[i] > 0) first = i;
        }

        if (first < 0) return loads;

        // Together they may have less than 100: then all take more than they should.
        int whole = Math.Min(100, sum), left = 100;
        for (int i = 0; i < loads.Length; i++)
        {
            loads[i] = Math.Min(left, loads[i] * 100 / whole);
            left -= loads[i];
        }

        loads[first] += left;
        return loads;
    }
}
