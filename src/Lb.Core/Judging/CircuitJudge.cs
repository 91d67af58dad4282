namespace Lb;

/// <summary>States of a circuit breaker.</summary>
internal enum CircuitState
{
    /// <summary>Leases flow.</summary>
    Closed,

    /// <summary>No leases.</summary>
    Open,

    /// <summary>A few leases, on trial.</summary>
    HalfOpen,
}

/// <summary>What a lease of the trial leads to.</summary>
internal enum TrialVerdict
{
    /// <summary>Nothing yet.</summary>
    StillTrying,

    /// <summary>All have succeeded.</summary>
    Close,

    /// <summary>One has failed.</summary>
    OpenAgain,
}

/// <summary><see cref="CircuitBreakerOptions"/>, with durations in timestamps. Immutable.</summary>
internal readonly record struct CircuitRule(int ConsecutiveFailures, int FailurePercentage, int MinimumRequests, long Window, long OpenFor, int HalfOpenRequests)
{
    public static CircuitRule From(CircuitBreakerOptions options, long frequency) =>
        new(options.ConsecutiveFailures, options.FailurePercentage, options.MinimumRequests, Stamps(options.Window, frequency), Stamps(options.OpenFor, frequency),
            options.HalfOpenRequests);

    private static long Stamps(TimeSpan time, long frequency) => (long)((Int128)time.Ticks * frequency / TimeSpan.TicksPerSecond);
}

/// <summary>
/// A circuit breaker's decisions: opens by failures in a row, or by their percentage in a window that begins with a failure; closes after a trial of
/// several leases. The owner keeps the time that it stays open. Pure; not thread-safe.
/// </summary>
internal struct CircuitJudge
{
    private int _consecutive;
    private bool _hasWindow;
    private long _windowStart;
    private long _successesBefore;
    private long _failuresBefore;

    public CircuitState State { get; private set; }

    /// <summary>Successes that the trial still needs; 0 outside a trial.</summary>
    public int TrialsLeft { get; private set; }

    /// <summary>Takes in a failure of a lease that was no trial. Late ones, after the circuit has opened, change nothing.</summary>
    /// <param name="now">A timestamp.</param>
    /// <param name="successesTotal">Successes of the server since ever.</param>
    /// <param name="failuresTotal">Failures of the server since ever, this one included.</param>
    /// <param name="rule">When to open.</param>
    /// <returns>True when the circuit opens now.</returns>
    public bool Failed(long now, long successesTotal, long failuresTotal, in CircuitRule rule)
    {
        if (State != CircuitState.Closed) return false;
        if (_consecutive < int.MaxValue) _consecutive++;
        bool opens = rule.ConsecutiveFailures > 0 && _consecutive >= rule.ConsecutiveFailures;
        if (rule.FailurePercentage > 0)
        {
            if (!_hasWindow || now - _windowStart > rule.Window)
            {
                _hasWindow = true;
                _windowStart = now;
                _successesBefore = successesTotal;
                _failuresBefore = failuresTotal - 1;
            }

            long failures = failuresTotal - _failuresBefore, ended = failures + successesTotal - _successesBefore;
            opens |= ended >= rule.MinimumRequests && failures * 100 >= ended * rule.FailurePercentage;
        }

        if (opens) this = new CircuitJudge { State = CircuitState.Open };
        return opens;
    }

    /// <summary>Takes in a success of a lease that was no trial: it ends the failures in a row.</summary>
    public void Succeeded() => _consecutive = 0;

    /// <summary>The time open is over: the circuit is half open until as many leases have succeeded, or one has failed.</summary>
    /// <param name="leases">1 or more.</param>
    public void BeginTrial(int leases)
    {
        State = CircuitState.HalfOpen;
        TrialsLeft = leases;
    }

    /// <summary>Takes in the end of a lease of the trial. One that nobody can judge (its caller gave up) is not told here; another is needed in its place.</summary>
    /// <returns>What to do; late ends, after the verdict, lead to nothing.</returns>
    public TrialVerdict TrialEnded(bool success)
    {
        if (State != CircuitState.HalfOpen) return TrialVerdict.StillTrying;
        if (success && --TrialsLeft > 0) return TrialVerdict.StillTrying;
        this = new CircuitJudge { State = success ? CircuitState.Closed : CircuitState.Open };
        return success ? TrialVerdict.Close : TrialVerdict.OpenAgain;
    }
}
