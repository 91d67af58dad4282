namespace Lb;

/// <content>What a pool keeps of its own over a change of its options. Under the lock.</content>
public sealed partial class ServerPool
{
    private void FollowSorryServer(SorryServerOptions options)
    {
        Server? sorry = _servers.Find(static s => s.Sorry);
        if (sorry is not null && (options.Address is null || sorry.Name != options.Name || sorry.Configured?.Address != options.Address))
        {
            Part(sorry);
            sorry = null;
        }

        if (sorry is null && options.Address is not null) Join(new ServerOptions { Name = options.Name, Address = options.Address }, isSorry: true);
    }

    // The same limits keep their claims and tokens.
    private void FollowRetryBudget(RetryBudgetOptions? options)
    {
        LimitsAttempts = options is not null;
        (int, int, int, int)? limits = options is null ? null : (options.Percent, options.Minimum, options.MaxTokens, options.TokenRatio);
        if (limits == _retryLimits) return;
        _retryLimits = limits;
        RetryBudget = new RetryBudget(options ?? new RetryBudgetOptions(), ActiveLeases);
    }

    private (int Percent, int Minimum, int MaxTokens, int TokenRatio)? _retryLimits;

    // The same rules keep the clients that are known.
    private void FollowPersistence(PersistenceOptions options)
    {
        bool isSource = string.Equals(options.Type, "source", StringComparison.OrdinalIgnoreCase);
        (TimeSpan, int, int, int)? rules = isSource ? (options.Timeout, options.Mask, options.Mask6, options.MaxEntries) : null;
        if (rules == _persistenceRules) return;
        _persistenceRules = rules;
        _affinity = isSource ? new SourceAffinity(options, TimestampsPerSecond) : null;
    }

    private (TimeSpan Timeout, int Mask, int Mask6, int MaxEntries)? _persistenceRules;

    private long ActiveLeases()
    {
        long active = _queue.Count;
        foreach (Server server in _all) active += server.InFlight;
        return active;
    }
}
