using System.Globalization;
using System.Net;

namespace Lb;

/// <summary>Checks the part of a pool's options that protects it: each value, and what only makes sense together. Pure.</summary>
internal static class ProtectionValidation
{
    public static void Validate(string path, PoolOptions pool, List<ConfigurationError> errors)
    {
        Rules.Run(new OutlierRules(), $"{path}:Outlier", pool.Outlier, errors);
        Rules.Run(new CircuitBreakerRules(), $"{path}:CircuitBreaker", pool.CircuitBreaker, errors);
        Rules.Run(new FlapDampingRules(), $"{path}:FlapDamping", pool.FlapDamping, errors);
        if (pool.RetryBudget is { } budget) Rules.Run(new RetryBudgetRules(), $"{path}:RetryBudget", budget, errors);
        Rules.Run(new ZoneAwareRules(), $"{path}:ZoneAware", pool.ZoneAware, errors);
        Rules.Run(new SubsetRules(), $"{path}:Subset", pool.Subset, errors);
        Rules.Run(new SorryServerRules(), $"{path}:SorryServer", pool.SorryServer, errors);
        Rules.Run(new PersistenceRules(), $"{path}:Persistence", pool.Persistence, errors);

        if (pool.Outlier.MaxEjection < pool.Outlier.BaseEjection)
            errors.Add(new($"{path}:Outlier:MaxEjection", Durations.Format(pool.Outlier.MaxEjection), "must not be shorter than BaseEjection"));
        if (pool.Hysteresis > 0 && pool.Hysteresis > pool.Quorum)
            errors.Add(new($"{path}:Hysteresis", Number(pool.Hysteresis), "must not be above Quorum: the quorum could never be lost"));
        if (pool.Observe != Observe.None && pool.Checks.Count == 0)
            errors.Add(new($"{path}:Observe", Word(pool.Observe), "needs Checks: only they bring a server up again"));
        if (pool.Alpha && pool.Checks.Count == 0) errors.Add(new($"{path}:Alpha", "true", "needs Checks: without them no server would ever be up"));
        ValidateHaSuspend($"{path}:HaSuspend", pool, errors);
        long weights = pool.Servers.Where(static s => !s.Backup).Sum(static s => (long)s.Weight);
        if (pool.Quorum + pool.Hysteresis > Math.Max(1, weights))
        {
            string needed = pool.Hysteresis > 0 ? $"with Hysteresis it is regained at {Number(pool.Quorum + pool.Hysteresis)}, and " : "";
            errors.Add(new($"{path}:Quorum", Number(pool.Quorum), $"can't be reached: {needed}the weights of the servers that are no backups add up to {weights}"));
        }

        ValidateShortest($"{path}:FailTimeout", pool.FailTimeout, errors);
        ValidateShortest($"{path}:Outlier:Interval", pool.Outlier.Interval, errors);
        ValidateShortest($"{path}:Outlier:BaseEjection", pool.Outlier.BaseEjection, errors);
        ValidateShortest($"{path}:CircuitBreaker:OpenFor", pool.CircuitBreaker.OpenFor, errors);
        ValidateShortest($"{path}:FlapDamping:HoldDown", pool.FlapDamping.HoldDown, errors);
        ValidateSorryServer($"{path}:SorryServer", pool, errors);
        ValidateZones($"{path}:ZoneAware", pool.ZoneAware, errors);
        ValidateSubset($"{path}:Subset", pool.Subset, errors);
        for (int i = 0; i < pool.Servers.Count; i++) ValidateTrack($"{path}:Servers:{i}:Track", pool.Servers[i].Track, errors);
    }

    private static void ValidateHaSuspend(string path, PoolOptions pool, List<ConfigurationError> errors)
    {
        if (pool.HaSuspend.Count > 0 && pool.Checks.Count == 0) errors.Add(new(path, null, "needs Checks: there is nothing to suspend"));
        for (int i = 0; i < pool.HaSuspend.Count; i++)
        {
            string text = pool.HaSuspend[i];
            if (!IPAddress.TryParse(text, out IPAddress? address) || !ServerAddress.IsHost(address, text) || text.Contains('%', StringComparison.Ordinal))
                errors.Add(new($"{path}:{i}", text, "must be an IP address, without a prefix length, port or zone"));
        }
    }

    private static void ValidateSorryServer(string path, PoolOptions pool, List<ConfigurationError> errors)
    {
        if (pool.SorryServer.Address is not { } address) return;
        if (!ServerAddress.TryParse(address, out _, out string? error)) errors.Add(new($"{path}:Address", address, error));
        if (pool.Servers.Any(s => string.Equals(s.NameOrAddress, pool.SorryServer.Name, StringComparison.OrdinalIgnoreCase)))
            errors.Add(new($"{path}:Name", pool.SorryServer.Name, "is already the name of a server; names are unique in a pool"));
    }

    private static void ValidateSubset(string path, SubsetOptions subset, List<ConfigurationError> errors)
    {
        RefuseEmpty($"{path}:Client", subset.Client, errors);
        if (subset.Size > 0 && subset.ClientIndex is null && string.Equals(subset.Type, "ringsteady", StringComparison.OrdinalIgnoreCase))
            errors.Add(new($"{path}:ClientIndex", null, "is required for ringsteady: the number of this balancer, from 0 without gaps"));
    }

    private static void RefuseEmpty(string path, string? text, List<ConfigurationError> errors)
    {
        if (text is not null && string.IsNullOrWhiteSpace(text)) errors.Add(new(path, text, "must not be empty"));
    }

    private static void ValidateZones(string path, ZoneAwareOptions zones, List<ConfigurationError> errors)
    {
        foreach ((string zone, int balancers) in zones.Balancers)
        {
            if (balancers is < 0 or > 1_000_000) errors.Add(new($"{path}:Balancers:{zone}", Number(balancers), "must be 0 to 1000000"));
        }

        RefuseEmpty($"{path}:Local", zones.Local, errors);
        if (zones.Balancers.Count == 0) return;
        if (zones.Local is null)
            errors.Add(new($"{path}:Local", null, "is required with Balancers: the zone of this balancer"));
        else if (!zones.Balancers.TryGetValue(zones.Local, out int here) || here == 0)
            errors.Add(new($"{path}:Balancers:{zones.Local}", null, "must count this balancer: 1 or more in its own zone"));
    }

    // Each of them rebuilds the pool's tables.
    private static void ValidateShortest(string path, TimeSpan time, List<ConfigurationError> errors)
    {
        if (time > TimeSpan.Zero && time < TimeSpan.FromMilliseconds(10)) errors.Add(new(path, Durations.Format(time), "must be 10ms or more"));
    }

    private static void ValidateTrack(string path, string? track, List<ConfigurationError> errors)
    {
        if (track is null) return;
        int slash = track.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == track.Length - 1) errors.Add(new(path, track, "must be pool/server"));
    }

    private static string Word(Observe observe) => observe == Observe.Layer4 ? "layer4" : "layer7";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
