using System.Net;

namespace Lb;

/// <content>What a pool keeps of its own over a change of its options. Under the lock.</content>
public sealed partial class ServerPool
{
    private void FollowSorryServer(SorryServerOptions options, IReadOnlyDictionary<string, IPAddress>? addresses)
    {
        Server? sorry = _servers.Find(static s => s.Sorry);
        if (sorry is not null && (options.Address is null || sorry.Name != options.Name || sorry.Configured?.Address != options.Address))
        {
            Part(sorry);
            sorry = null;
        }

        if (sorry is null && options.Address is not null) Join(new ServerOptions { Name = options.Name, Address = options.Address }, addresses, isSorry: true);
    }

    private void FollowRetryBudget(RetryBudgetOptions? options)
    {
        LimitsAttempts = options is not null;
        RetryBudget.Follow(options ?? new RetryBudgetOptions());
    }

    // What is switched off lets go of those it had taken out.
    private void FollowEjections()
    {
        PoolProtections protections = _protections;
        foreach (Server server in _servers)
        {
            bool isOn = server.Ejection?.Reason switch
            {
                null => true,
                EjectionReason.CircuitOpen => protections.HasCircuit,
                EjectionReason.MaxFails => protections.MaxFails > 0,
                EjectionReason.Flapping => protections.Flaps > 0,
                _ => protections.Outlier.Enabled,
            };
            if (!isOn) ChangeAndTell(server, "configuration", Forgive);
        }
    }

    // The same rules keep the clients that are known.
    private void FollowPersistence(PersistenceOptions options)
    {
        bool isSource = string.Equals(options.Type, "source", StringComparison.OrdinalIgnoreCase);
        (TimeSpan, int, int, int)? rules = isSource ? (options.Timeout, options.Mask, options.Mask6, options.MaxEntries) : null;
        if (rules == _persistenceRules) return;
        _persistenceRules = rules;
        _affinity = isSource ? new SourceAffinity(options, TimestampsPerSecond) : null;
    }

    /// <summary>True when a pick may depend on the first bytes of a connection: <see cref="IPickRequest.FirstBytes"/>.</summary>
    public bool UsesFirstBytes => Settings.PersistsRdpCookie || _placement.Policy.Traits.HasFlag(PolicyTraits.UsesFirstBytes);

    private (TimeSpan Timeout, int Mask, int Mask6, int MaxEntries)? _persistenceRules;

    private long ActiveLeases()
    {
        long active = _queue.Count;
        foreach (Server server in _all) active += server.InFlight;
        return active;
    }
}
