namespace Lb;

/// <summary>The keys of a pool that protect it: slow start, quorum, ejection, budgets, persistence, placement.</summary>
internal static class PoolProtectionReader
{
    public static void Read(ConfigurationReader reader, PoolOptions pool)
    {
        pool.SlowStart = reader.Duration("SlowStart", pool.SlowStart);
        pool.SlowStartCurve = reader.Choice("SlowStartCurve", pool.SlowStartCurve);
        pool.SlowStartAggression = reader.Integer("SlowStartAggression", pool.SlowStartAggression);
        pool.SlowStartMinimum = reader.Integer("SlowStartMinimum", pool.SlowStartMinimum);
        pool.SlowStartAdded = reader.Flag("SlowStartAdded", pool.SlowStartAdded);
        pool.Quorum = reader.Integer("Quorum", pool.Quorum);
        pool.Hysteresis = reader.Integer("Hysteresis", pool.Hysteresis);
        reader.Section("SorryServer", r =>
        {
            pool.SorryServer.Name = r.Word("Name", pool.SorryServer.Name);
            pool.SorryServer.Address = r.Text("Address", pool.SorryServer.Address);
        });
        pool.Alpha = reader.Flag("Alpha", pool.Alpha);
        pool.Omega = reader.Flag("Omega", pool.Omega);
        pool.MaxDownPercent = reader.Integer("MaxDownPercent", pool.MaxDownPercent);
        reader.Section("Outlier", r => Read(r, pool.Outlier));
        pool.MaxFails = reader.Integer("MaxFails", pool.MaxFails);
        pool.FailTimeout = reader.Duration("FailTimeout", pool.FailTimeout);
        reader.Section("CircuitBreaker", r => Read(r, pool.CircuitBreaker));
        reader.Section("FlapDamping", r =>
        {
            pool.FlapDamping.Flaps = r.Integer("Flaps", pool.FlapDamping.Flaps);
            pool.FlapDamping.Within = r.Duration("Within", pool.FlapDamping.Within);
            pool.FlapDamping.HoldDown = r.Duration("HoldDown", pool.FlapDamping.HoldDown);
        });
        reader.Section("RetryBudget", r =>
        {
            RetryBudgetOptions budget = pool.RetryBudget ??= new RetryBudgetOptions();
            budget.Percent = r.Integer("Percent", budget.Percent);
            budget.Minimum = r.Integer("Minimum", budget.Minimum);
            budget.MaxTokens = r.Integer("MaxTokens", budget.MaxTokens);
            budget.TokenRatio = r.Integer("TokenRatio", budget.TokenRatio);
        });
        pool.Observe = reader.Choice("Observe", pool.Observe);
        pool.ErrorLimit = reader.Integer("ErrorLimit", pool.ErrorLimit);
        pool.OnError = reader.Choice("OnError", pool.OnError);
        pool.OnMarkedDown = reader.Choice("OnMarkedDown", pool.OnMarkedDown);
        pool.OnMarkedUp = reader.Choice("OnMarkedUp", pool.OnMarkedUp);
        pool.MaxConnections = reader.Integer("MaxConnections", pool.MaxConnections);
        pool.MaxConcurrentChecks = reader.Integer("MaxConcurrentChecks", pool.MaxConcurrentChecks);
        reader.Texts("HaSuspend", pool.HaSuspend);
        ReadPlacement(reader, pool);
    }

    private static void ReadPlacement(ConfigurationReader reader, PoolOptions pool)
    {
        pool.OverprovisioningFactor = reader.Integer("OverprovisioningFactor", pool.OverprovisioningFactor);
        reader.Section("ZoneAware", r =>
        {
            pool.ZoneAware.Local = r.Text("Local", pool.ZoneAware.Local);
            r.Integers("Balancers", pool.ZoneAware.Balancers);
            pool.ZoneAware.MinimumServers = r.Integer("MinimumServers", pool.ZoneAware.MinimumServers);
        });
        reader.Section("Subset", r =>
        {
            pool.Subset.Type = r.Word("Type", pool.Subset.Type);
            pool.Subset.Size = r.Integer("Size", pool.Subset.Size);
            pool.Subset.Client = r.Text("Client", pool.Subset.Client);
            pool.Subset.ClientIndex = r.Integer("ClientIndex", pool.Subset.ClientIndex);
        });
        reader.Section("Persistence", r =>
        {
            PersistenceOptions persistence = pool.Persistence;
            persistence.Type = r.Word("Type", persistence.Type);
            persistence.Timeout = r.Duration("Timeout", persistence.Timeout);
            persistence.Mask = r.MaskBits("Mask", persistence.Mask);
            persistence.Mask6 = r.MaskBits("Mask6", persistence.Mask6);
            persistence.OnDown = r.Choice("OnDown", persistence.OnDown);
            persistence.MaxEntries = r.Integer("MaxEntries", persistence.MaxEntries);
        });
    }

    private static void Read(ConfigurationReader reader, OutlierOptions outlier)
    {
        outlier.Enabled = reader.Flag("Enabled", outlier.Enabled);
        outlier.ConsecutiveFailures = reader.Integer("ConsecutiveFailures", outlier.ConsecutiveFailures);
        outlier.ConsecutiveGatewayFailures = reader.Integer("ConsecutiveGatewayFailures", outlier.ConsecutiveGatewayFailures);
        outlier.Interval = reader.Duration("Interval", outlier.Interval);
        outlier.BaseEjection = reader.Duration("BaseEjection", outlier.BaseEjection);
        outlier.MaxEjection = reader.Duration("MaxEjection", outlier.MaxEjection);
        outlier.EjectionJitter = reader.Duration("EjectionJitter", outlier.EjectionJitter);
        outlier.MaxEjectedPercent = reader.Integer("MaxEjectedPercent", outlier.MaxEjectedPercent);
        outlier.SuccessRateStdevFactor = reader.Integer("SuccessRateStdevFactor", outlier.SuccessRateStdevFactor);
        outlier.SuccessRateMinimumHosts = reader.Integer("SuccessRateMinimumHosts", outlier.SuccessRateMinimumHosts);
        outlier.SuccessRateRequestVolume = reader.Integer("SuccessRateRequestVolume", outlier.SuccessRateRequestVolume);
        outlier.FailurePercentage = reader.Integer("FailurePercentage", outlier.FailurePercentage);
        outlier.FailurePercentageMinimumHosts = reader.Integer("FailurePercentageMinimumHosts", outlier.FailurePercentageMinimumHosts);
        outlier.FailurePercentageRequestVolume = reader.Integer("FailurePercentageRequestVolume", outlier.FailurePercentageRequestVolume);
        outlier.Enforcing = reader.Integer("Enforcing", outlier.Enforcing);
    }

    private static void Read(ConfigurationReader reader, CircuitBreakerOptions breaker)
    {
        breaker.ConsecutiveFailures = reader.Integer("ConsecutiveFailures", breaker.ConsecutiveFailures);
        breaker.FailurePercentage = reader.Integer("FailurePercentage", breaker.FailurePercentage);
        breaker.MinimumRequests = reader.Integer("MinimumRequests", breaker.MinimumRequests);
        breaker.Window = reader.Duration("Window", breaker.Window);
        breaker.OpenFor = reader.Duration("OpenFor", breaker.OpenFor);
        breaker.HalfOpenRequests = reader.Integer("HalfOpenRequests", breaker.HalfOpenRequests);
    }
}
