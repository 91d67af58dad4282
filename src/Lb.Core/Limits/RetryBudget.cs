namespace Lb;

/// <summary>
/// Limits retries to a part of the work, so that they can't become the load that breaks the servers: so many at a time (Envoy <c>retry_budget</c>) and,
/// if asked for, none while too much fails (the throttle of gRPC's retries, gRFC A6). Any thread; never waits, takes no lock, allocates nothing.
/// </summary>
/// <remarks>
/// Tell it how every attempt ended with <see cref="Succeeded"/> or <see cref="Failed"/> first, then ask <see cref="TryBegin"/> for a retry; call
/// <see cref="End"/> when that retry is over, however it ended.
/// </remarks>
public sealed class RetryBudget
{
    // Thousandths of a token, as the ratio is given.
    private const long Token = 1000;

    private readonly Func<long> _load;
    private volatile Limits _limits;
    private int _active;
    private long _refused;
    private long _tokens;

    /// <summary>Makes a budget of which nothing is spent, with all its tokens.</summary>
    /// <param name="options">The limits; read once, here.</param>
    /// <param name="active">Counts what <see cref="RetryBudgetOptions.Percent"/> is taken of, 0 or more: the open leases and waiting callers. Called by each
    /// <see cref="TryBegin"/>, on any thread; must be fast and must not throw.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value of the options is outside its range.</exception>
    public RetryBudget(RetryBudgetOptions options, Func<long> active)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(active);
        List<ConfigurationError> errors = [];
        Rules.Run(new RetryBudgetRules(), nameof(RetryBudget), options, errors);
        if (errors.Count > 0) throw new ArgumentOutOfRangeException(nameof(options), errors[0].ToString());
        _load = active;
        _limits = Limits.From(options);
        _tokens = _limits.FullTokens;
    }

    /// <summary>Takes other limits; what goes on and how many tokens are missing stays. One call at a time.</summary>
    internal void Follow(RetryBudgetOptions options)
    {
        Limits before = _limits, after = Limits.From(options);
        if (before == after) return;
        _limits = after;
        Interlocked.Add(ref _tokens, after.FullTokens - before.FullTokens);
        AddTokens(0);
    }

    /// <summary>Retries that go on at the moment.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Retries refused since ever.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>
    /// Claims one retry: allowed while fewer go on than the larger of the minimum and the percentage (rounded down), and while more than half of the
    /// tokens are left.
    /// </summary>
    /// <returns>True when the retry may begin: call <see cref="End"/> when it is over. False when the budget is spent: give up with the last failure.</returns>
    public bool TryBegin()
    {
        Limits limits = _limits;
        if (limits.FullTokens == 0 || Interlocked.Read(ref _tokens) * 2 > limits.FullTokens)
        {
            long limit = Math.Max(limits.Minimum, _load() * limits.Percent / 100);
            int active = Volatile.Read(ref _active);
            while (active < limit)
            {
                int seen = Interlocked.CompareExchange(ref _active, active + 1, active);
                if (seen == active) return true;
                active = seen;
            }
        }

        Interlocked.Increment(ref _refused);
        return false;
    }

    /// <summary>Gives back what <see cref="TryBegin"/> has claimed. Once for each claim.</summary>
    /// <exception cref="InvalidOperationException">There is no claim to give back; nothing has changed.</exception>
    public void End()
    {
        if (Interlocked.Decrement(ref _active) >= 0) return;
        Interlocked.Increment(ref _active);
        throw new InvalidOperationException("End was called without a retry that has begun.");
    }

    /// <summary>An attempt, first or retried, succeeded: gives <see cref="RetryBudgetOptions.TokenRatio"/> back, up to all tokens.</summary>
    public void Succeeded() => AddTokens(_limits.Ratio);

    /// <summary>An attempt, first or retried, failed in a way that could be retried: takes a token, down to none.</summary>
    public void Failed() => AddTokens(-Token);

    private void AddTokens(long change)
    {
        long before = Interlocked.Read(ref _tokens);
        while (true)
        {
            // Full stays full, as it is nearly always: no write, so the line is shared.
            long after = Math.Clamp(before + change, 0, _limits.FullTokens);
            if (after == before) return;
            long seen = Interlocked.CompareExchange(ref _tokens, after, before);
            if (seen == before) return;
            before = seen;
        }
    }

    private sealed record Limits(int Percent, int Minimum, long FullTokens, long Ratio)
    {
        public static Limits From(RetryBudgetOptions options) => new(options.Percent, options.Minimum, options.MaxTokens * Token, options.TokenRatio);
    }
}
