namespace Lb;

/// <summary>How many leases of a server ended well and badly in an interval.</summary>
internal readonly record struct LeaseCounts(long Successes, long Failures)
{
    public long Total => Successes + Failures;

    /// <summary>Percent of successes.</summary>
    public double SuccessRate => 100.0 * Successes / Total;
}

/// <summary>Finds the servers that do worse than the others, and for how long they are out: Envoy's <c>outlier_detection</c>. Pure.</summary>
internal static class OutlierJudge
{
    // In percent. What divides unevenly must not make one of several equal rates an outlier.
    private const double RoundingError = 1e-9;

    /// <summary>How many servers may be out at a time: a share rounded down, but always one, and never the last one.</summary>
    public static int MostEjected(int servers, int percent) => Math.Max(0, Math.Min(Math.Max(1, (int)((long)servers * percent / 100)), servers - 1));

    /// <summary>How long a server is out: the base time for each time it has been taken out, at most the longest, and the jitter on top.</summary>
    /// <param name="times">Counts from 1; the owner takes one off for each interval without ejection.</param>
    /// <param name="options">The times.</param>
    /// <param name="jitter01">Chance, 0 to 1.</param>
    public static TimeSpan EjectionTime(int times, OutlierOptions options, double jitter01)
    {
        bool isLongest = Math.Max(1, times) >= options.MaxEjection / options.BaseEjection;
        TimeSpan time = isLongest ? options.MaxEjection : options.BaseEjection * Math.Max(1, times);
        return time + (options.EjectionJitter * jitter01);
    }

    /// <summary>
    /// Finds outliers by success rate (below mean − factor × standard deviation of the population) and then by failures alone (the percentage or
    /// more). The worst of each kind come first, because not all may be allowed to go; ties by index.
    /// </summary>
    /// <param name="servers">The counts of the last interval; zeros for a server that is out already, so that it doesn't count.</param>
    /// <param name="options">The rules.</param>
    /// <param name="found">Gets each server once, with the first reason found; is not cleared.</param>
    public static void FindByRate(ReadOnlySpan<LeaseCounts> servers, OutlierOptions options, List<(int Index, EjectionReason Reason)> found)
    {
        int first = found.Count;
        if (options.SuccessRateStdevFactor > 0) FindBySuccessRate(servers, options, found, first);
        if (options.FailurePercentage > 0) FindByFailures(servers, options, found, first);
    }

    private static void FindBySuccessRate(ReadOnlySpan<LeaseCounts> servers, OutlierOptions options, List<(int Index, EjectionReason Reason)> found, int first)
    {
        int judged = 0;
        double sum = 0;
        foreach (LeaseCounts counts in servers)
        {
            if (counts.Total < options.SuccessRateRequestVolume) continue;
            judged++;
            sum += counts.SuccessRate;
        }

        if (judged == 0 || judged < options.SuccessRateMinimumHosts) return;
        double mean = sum / judged, squares = 0;
        foreach (LeaseCounts counts in servers)
        {
            if (counts.Total < options.SuccessRateRequestVolume) continue;
            double distance = counts.SuccessRate - mean;
            squares += distance * distance;
        }

        double threshold = mean - (options.SuccessRateStdevFactor / 1000.0 * Math.Sqrt(squares / judged));
        for (int i = 0; i < servers.Length; i++)
        {
            if (servers[i].Total < options.SuccessRateRequestVolume || servers[i].SuccessRate >= threshold - RoundingError) continue;
            Insert(servers, i, EjectionReason.SuccessRate, found, first);
        }
    }

    private static void FindByFailures(ReadOnlySpan<LeaseCounts> servers, OutlierOptions options, List<(int Index, EjectionReason Reason)> found, int first)
    {
        int judged = 0;
        foreach (LeaseCounts counts in servers)
        {
            if (counts.Total >= options.FailurePercentageRequestVolume) judged++;
        }

        if (judged < options.FailurePercentageMinimumHosts) return;
        int known = found.Count;
        for (int i = 0; i < servers.Length; i++)
        {
            if (servers[i].Total < options.FailurePercentageRequestVolume || servers[i].Failures * 100 < options.FailurePercentage * servers[i].Total) continue;
            if (!IsFound(found, first, known, i)) Insert(servers, i, EjectionReason.FailurePercentage, found, known);
        }
    }

    private static bool IsFound(List<(int Index, EjectionReason Reason)> found, int from, int to, int index)
    {
        for (int i = from; i < to; i++)
        {
            if (found[i].Index == index) return true;
        }

        return false;
    }

    private static void Insert(ReadOnlySpan<LeaseCounts> servers, int index, EjectionReason reason, List<(int Index, EjectionReason Reason)> found, int from)
    {
        int at = found.Count;
        while (at > from && servers[found[at - 1].Index].SuccessRate > servers[index].SuccessRate) at--;
        found.Insert(at, (index, reason));
    }
}
