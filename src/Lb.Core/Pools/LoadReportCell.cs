namespace Lb;

/// <summary>
/// The last load report of a server. Any thread writes and reads without a lock: a reader may see values of two reports that came at the same moment, and
/// a weight that is renewed each second forgives that.
/// </summary>
internal struct LoadReportCell
{
    private double _utilization;
    private double _requests;
    private double _errors;

    // Timestamps are one more than they are; 0 = none.
    private long _at;
    private long _since;
    private long _inFlightAt;

    // What the server said, and above it the leases that this pool had open then.
    private long _inFlight;

    /// <summary>Number of the last snapshot that a policy built with it; written by the pool's single writer only.</summary>
    public long SeenInSnapshot;

    /// <summary>Takes a report over.</summary>
    /// <param name="report">The report.</param>
    /// <param name="leases">The leases that are open now.</param>
    /// <param name="now">A timestamp of the pool's clock.</param>
    /// <returns>False when its values make no sense.</returns>
    public bool Take(in LoadReport report, int leases, long now)
    {
        if (!IsSane(report.ApplicationUtilization) || !IsSane(report.CpuUtilization) || !IsSane(report.RequestsPerSecond)
            || !IsSane(report.ErrorsPerSecond) || report.InFlight < -1)
            return false;

        if (report.InFlight >= 0)
        {
            Volatile.Write(ref _inFlight, (long)leases << 32 | (uint)report.InFlight);
            Volatile.Write(ref _inFlightAt, now + 1);
        }

        double utilization = report.ApplicationUtilization > 0 ? report.ApplicationUtilization : report.CpuUtilization;
        if (utilization == 0 || report.RequestsPerSecond == 0) return true;
        Volatile.Write(ref _utilization, utilization);
        Volatile.Write(ref _requests, report.RequestsPerSecond);
        Volatile.Write(ref _errors, report.ErrorsPerSecond);
        Volatile.Write(ref _at, now + 1);
        Interlocked.CompareExchange(ref _since, now + 1, 0);
        return true;
    }

    /// <summary>
    /// gRFC A58: requests ÷ (utilization + errors ÷ requests × penalty); 0 = not known. Reports that have stopped for the expiration, or began less than the
    /// blackout ago, don't count. Called by the pool's single writer.
    /// </summary>
    public double Weight(long now, long blackout, long expiration, double penalty)
    {
        long at = Volatile.Read(ref _at), since = Volatile.Read(ref _since);
        if (at == 0) return 0;
        if (now + 1 - at >= expiration)
        {
            Forget();
            return 0;
        }

        if (blackout > 0 && (since == 0 || now + 1 - since < blackout)) return 0;
        double requests = Volatile.Read(ref _requests);
        return requests / (Volatile.Read(ref _utilization) + (Volatile.Read(ref _errors) / requests * penalty));
    }

    /// <summary>The blackout begins anew with the next report.</summary>
    public void Forget() => Volatile.Write(ref _since, 0);

    /// <summary>What the server works on: as it said, and what this pool has begun and ended there since.</summary>
    /// <param name="leases">The leases that are open now.</param>
    /// <param name="now">A timestamp of the pool's clock.</param>
    /// <param name="longest">Age at which a report is worth nothing any more.</param>
    /// <param name="inFlight">The answer; 0 or more.</param>
    public readonly bool TryGetInFlight(int leases, long now, long longest, out int inFlight)
    {
        long at = Volatile.Read(in _inFlightAt), told = Volatile.Read(in _inFlight);
        inFlight = (int)Math.Clamp((long)(int)told + leases - (told >> 32), 0, int.MaxValue);
        return at != 0 && now + 1 - at < longest;
    }

    private static bool IsSane(double value) => value >= 0 && double.IsFinite(value);
}
