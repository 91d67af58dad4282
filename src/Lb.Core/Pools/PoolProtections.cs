namespace Lb;

/// <summary>What a pool's options say of its protections, worked out for use. Immutable.</summary>
internal sealed class PoolProtections
{
    public static readonly TimeSpan DefaultSlowStart = TimeSpan.FromSeconds(10);

    // What compares loads sends a cold server, idle as it is, all it can: for these the slow start is on unless told otherwise.
    private static readonly string[] SlowStartByDefault = ["p2c", "peak-ewma", "rif"];

    private PoolProtections(PoolOptions options, long ticksPerSecond)
    {
        long Ticks(TimeSpan time) => (long)Math.Ceiling(time.TotalSeconds * ticksPerSecond);

        Outlier = options.Outlier;
        Interval = Ticks(options.Outlier.Interval);
        MaxFails = options.MaxFails;
        FailTimeout = Ticks(options.FailTimeout);
        Circuit = CircuitRule.From(options.CircuitBreaker, ticksPerSecond);
        HasCircuit = options.CircuitBreaker is { ConsecutiveFailures: > 0 } or { FailurePercentage: > 0 };
        Flaps = options.FlapDamping.Flaps;
        FlapsWithin = Ticks(options.FlapDamping.Within);
        HoldDown = Ticks(options.FlapDamping.HoldDown);
        bool byDefault = options.Policy is null && SlowStartByDefault.Contains(options.Balance, StringComparer.OrdinalIgnoreCase);
        TimeSpan window = options.SlowStart ?? (byDefault ? DefaultSlowStart : TimeSpan.Zero);
        if (window > TimeSpan.Zero) SlowStart = new SlowStart(window, options.SlowStartCurve, options.SlowStartAggression, options.SlowStartMinimum);
        SlowStartAdded = options.SlowStartAdded;
        Quorum = options.Quorum;
        Hysteresis = options.Hysteresis;
        MaxDownPercent = options.MaxDownPercent;
        MaxConnections = options.MaxConnections;

        // HAProxy's default: a tenth of what the gateways may bring, and never 0.
        FullConnections = options.FullConnections > 0 ? options.FullConnections : (int)((options.GatewayConnections + 9) / 10);
        OnDown = options.Persistence.OnDown;
        WatchesAll = options.RetryBudget is { MaxTokens: > 0 } || options.Observe != Observe.None;
    }

    public OutlierOptions Outlier { get; }

    /// <summary>Judges rates: needs intervals.</summary>
    public bool JudgesRates => Outlier.Enabled && (Outlier.SuccessRateStdevFactor > 0 || Outlier.FailurePercentage > 0);

    public long Interval { get; }

    public int MaxFails { get; }

    public long FailTimeout { get; }

    public bool HasCircuit { get; }

    public CircuitRule Circuit { get; }

    public int Flaps { get; }

    public long FlapsWithin { get; }

    public long HoldDown { get; }

    public SlowStart? SlowStart { get; }

    public bool SlowStartAdded { get; }

    public int Quorum { get; }

    public int Hysteresis { get; }

    public int MaxDownPercent { get; }

    public int MaxConnections { get; }

    /// <summary>The load from which on servers take their full limit; 0 = not known.</summary>
    public int FullConnections { get; }

    public PersistenceOnDown OnDown { get; }

    /// <summary>Every success counts for something: the throttle of retries, what checks observe of callers.</summary>
    public bool WatchesAll { get; }

    public static PoolProtections From(PoolOptions options, long ticksPerSecond) => new(options, ticksPerSecond);
}
