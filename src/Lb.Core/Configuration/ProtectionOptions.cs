namespace Lb;

/// <summary>
/// Outlier ejection: servers that fail their callers are taken out for a while, whatever the checks say (Envoy <c>outlier_detection</c>, whose numbers these
/// are). On by default. Ejected servers come back by themselves.
/// </summary>
public sealed class OutlierOptions
{
    /// <summary>False turns all of it off. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Failures in a row, of any kind, that take a server out, 0 to 1 000 000; default 5, 0 = never.</summary>
    [Within(0, 1_000_000)]
    public int ConsecutiveFailures { get; set; } = 5;

    /// <summary>Failures in a row of the connection (any but an error status) that take a server out, 0 to 1 000 000; default 5, 0 = never.</summary>
    [Within(0, 1_000_000)]
    public int ConsecutiveGatewayFailures { get; set; } = 5;

    /// <summary>How often rates are judged and forgiven; above 0, default 10 s.</summary>
    [Positive]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a server is out the first time; each further time adds as much. Above 0, default 30 s.</summary>
    [Positive]
    public TimeSpan BaseEjection { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest time out; above 0, default 5 min.</summary>
    [Positive]
    public TimeSpan MaxEjection { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>A random part added to the time out, so that many balancers don't take a server back at once; default 0.</summary>
    [NotNegative]
    public TimeSpan EjectionJitter { get; set; }

    /// <summary>Percent of the servers that may be out at a time, 0 to 100; default 10, but always one, and never the last one.</summary>
    [Within(0, 100)]
    public int MaxEjectedPercent { get; set; } = 10;

    /// <summary>
    /// Judging by success rate: a server is out when its rate in an interval is below the mean of all less this many thousandths of the standard deviation,
    /// 0 to 100 000; default 1900, 0 = never.
    /// </summary>
    [Within(0, 100_000)]
    public int SuccessRateStdevFactor { get; set; } = 1900;

    /// <summary>Servers with enough leases that judging by success rate needs, 1 to 1000; default 5.</summary>
    [Within(1, 1000)]
    public int SuccessRateMinimumHosts { get; set; } = 5;

    /// <summary>Leases that a server must have ended in an interval to count for the success rate, 1 to 1 000 000; default 100.</summary>
    [Within(1, 1_000_000)]
    public int SuccessRateRequestVolume { get; set; } = 100;

    /// <summary>Judging by failures alone: percent of failures in an interval that takes a server out, 0 to 100; default 0 = never (Envoy's own 85 is not enforced either).</summary>
    [Within(0, 100)]
    public int FailurePercentage { get; set; }

    /// <summary>Servers with enough leases that judging by failures needs, 1 to 1000; default 5.</summary>
    [Within(1, 1000)]
    public int FailurePercentageMinimumHosts { get; set; } = 5;

    /// <summary>Leases that a server must have ended in an interval to be judged by failures, 1 to 1 000 000; default 50.</summary>
    [Within(1, 1_000_000)]
    public int FailurePercentageRequestVolume { get; set; } = 50;

    /// <summary>Percent of the ejections found that are carried out, 0 to 100; default 100. Below, chance decides: for trying it out.</summary>
    [Within(0, 100)]
    public int Enforcing { get; set; } = 100;
}

/// <summary>A circuit breaker for each server: after too many failures it is left alone, then tried with a few leases. Off by default.</summary>
public sealed class CircuitBreakerOptions
{
    /// <summary>Failures in a row that open the circuit, 0 to 1 000 000; default 0 = never.</summary>
    [Within(0, 1_000_000)]
    public int ConsecutiveFailures { get; set; }

    /// <summary>Percent of failures among the leases ended within <see cref="Window"/> that opens the circuit, 0 to 100; default 0 = never.</summary>
    [Within(0, 100)]
    public int FailurePercentage { get; set; }

    /// <summary>Leases that must have ended within the window before the percentage counts, 1 to 1 000 000; default 20.</summary>
    [Within(1, 1_000_000)]
    public int MinimumRequests { get; set; } = 20;

    /// <summary>What the percentage is taken over: from the first failure on, at most this long; above 0, default 10 s.</summary>
    [Positive]
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the circuit stays open before it is tried; above 0, default 30 s.</summary>
    [Positive]
    public TimeSpan OpenFor { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Leases of a trial, all of which must succeed to close the circuit, 1 to 1000; default 1.</summary>
    [Within(1, 1000)]
    public int HalfOpenRequests { get; set; } = 1;
}

/// <summary>Flap damping: a server that goes down too often stays out for a while, even if its checks pass. Off by default.</summary>
public sealed class FlapDampingOptions
{
    /// <summary>Times that a server may go down within <see cref="Within"/>, 0 to 1000; one more holds it down. Default 0 = no damping.</summary>
    [Within(0, 1000)]
    public int Flaps { get; set; }

    /// <summary>What the times are counted over; above 0, default 5 min.</summary>
    [Positive]
    public TimeSpan Within { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the server stays out from the moment it was last up or last went down; above 0, default 1 min.</summary>
    [Positive]
    public TimeSpan HoldDown { get; set; } = TimeSpan.FromMinutes(1);
}

/// <summary>Limits retries to a part of the work, so that they can't become the load that breaks the servers.</summary>
public sealed class RetryBudgetOptions
{
    /// <summary>Retries at a time, percent of the open leases and waiting callers, 0 to 100; default 20 (Envoy <c>retry_budget</c>).</summary>
    [Within(0, 100)]
    public int Percent { get; set; } = 20;

    /// <summary>Retries at a time that are always allowed, 0 to 1 000 000; default 3.</summary>
    [Within(0, 1_000_000)]
    public int Minimum { get; set; } = 3;

    /// <summary>
    /// Tokens of gRPC's throttle, 0 to 1000; default 0 = no throttle. Each failure takes one, each success gives <see cref="TokenRatio"/> back; retries go
    /// only while more than half are left (gRFC A6).
    /// </summary>
    [Within(0, 1000)]
    public int MaxTokens { get; set; }

    /// <summary>Thousandths of a token that a success gives back, 1 to 1 000 000; default 100.</summary>
    [Within(1, 1_000_000)]
    public int TokenRatio { get; set; } = 100;
}
