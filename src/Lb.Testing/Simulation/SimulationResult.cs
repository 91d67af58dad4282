namespace Lb.Testing;

/// <summary>
/// What came of a simulation. Latencies are those that the balancers saw, from the request to the answer, of requests that did not fail and came after the
/// warm-up; all zero when there was none. Percentiles are exact: the smallest latency that the share does not exceed. Immutable.
/// </summary>
public sealed record SimulationResult
{
    private readonly long[] _latencies;

    internal SimulationResult(long[] sortedLatencies) => _latencies = sortedLatencies;

    /// <summary>Name of the scenario.</summary>
    public required string Scenario { get; init; }

    /// <summary>Name of the policy.</summary>
    public required string Policy { get; init; }

    /// <summary>Requests that counted.</summary>
    public required int Requests { get; init; }

    /// <summary>Requests that failed: answered with an error, or turned away because no server was to be had.</summary>
    public required int Errors { get; init; }

    /// <summary>Requests answered later than the scenario's threshold.</summary>
    public required int Late { get; init; }

    /// <summary>The servers, in order.</summary>
    public required IReadOnlyList<SimulatedServerResult> Servers { get; init; }

    /// <summary>A hash of every pick and every answer with its time: two runs with the same one went the same way.</summary>
    public required ulong Trace { get; init; }

    /// <summary>Mean latency.</summary>
    public TimeSpan Mean => _latencies.Length == 0 ? TimeSpan.Zero : TimeSpan.FromTicks((long)Math.Round(_latencies.Average()));

    /// <summary>Median latency.</summary>
    public TimeSpan P50 => Percentile(50);

    /// <summary>99 % of the requests were not slower.</summary>
    public TimeSpan P99 => Percentile(99);

    /// <summary>99.9 % of the requests were not slower.</summary>
    public TimeSpan P999 => Percentile(99.9);

    /// <summary>The slowest request.</summary>
    public TimeSpan Max => Percentile(100);

    /// <summary>Share of requests that failed, 0 to 1.</summary>
    public double ErrorShare => Requests == 0 ? 0 : (double)Errors / Requests;

    /// <summary>Share of requests answered late, 0 to 1; failed ones are not among them.</summary>
    public double LateShare => Requests == 0 ? 0 : (double)Late / Requests;

    /// <summary>Requests of the busiest server against the mean over all; 1 = even, 0 without requests. Servers of unequal weight should differ.</summary>
    public double MaxToMeanLoad
    {
        get
        {
            double mean = Servers.Average(static s => s.Requests);
            return mean == 0 ? 0 : Servers.Max(static s => s.Requests) / mean;
        }
    }

    /// <summary>Mean number of balancers that have sent something to a server: connections it has at the least.</summary>
    public double BalancersPerServer => Servers.Average(static s => s.Balancers);

    /// <summary>The latency that a share of the requests did not exceed.</summary>
    /// <param name="percent">0 to 100.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="percent"/> is out of range.</exception>
    public TimeSpan Percentile(double percent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(percent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 100);
        if (_latencies.Length == 0) return TimeSpan.Zero;

        // Decimal: 99.9 % of 1000 is the 999th, which binary fractions miss.
        int rank = (int)Math.Ceiling((decimal)percent * _latencies.Length / 100);
        return TimeSpan.FromTicks(_latencies[Math.Max(rank, 1) - 1]);
    }
}

/// <summary>What came of one server of a simulation.</summary>
/// <param name="Name">Its name in the pools.</param>
/// <param name="Requests">Requests it was given that counted.</param>
/// <param name="Errors">Of these, those it failed.</param>
/// <param name="Peak">Most requests at it at a time, waiting or in work, the warm-up included.</param>
/// <param name="Balancers">Balancers that have sent it something, the warm-up included.</param>
public sealed record SimulatedServerResult(string Name, int Requests, int Errors, int Peak, int Balancers);
