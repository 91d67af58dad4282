using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lb.Health;

/// <summary>Tells the host's own health by that of its pools: the worst of them counts. Looks only at what is known; checks nothing. Any thread.</summary>
internal sealed class ServerPoolsHealthCheck(ServerPools pools, ServerPoolsHealthOptions options) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        HealthStatus worst = context.Registration.FailureStatus, status = HealthStatus.Healthy;
        Dictionary<string, object> data = new(StringComparer.Ordinal);
        List<string> faults = [];
        int count = 0;
        foreach (string name in options.Pools.Count > 0 ? options.Pools : pools.All.Select(static p => p.Name))
        {
            count++;
            if (pools.Find(name) is not { } pool)
            {
                status = Worse(status, worst);
                faults.Add($"{name}: there is no such pool");
                continue;
            }

            PoolVerdict verdict = PoolVerdict.Of(pool);
            HealthStatus judged = verdict.Judge(options, worst);
            status = Worse(status, judged);
            if (judged != HealthStatus.Healthy) faults.Add(verdict.ToString());
            data[$"{pool.Name}:status"] = judged.ToString();
            data[$"{pool.Name}:mode"] = verdict.Mode.ToString();
            data[$"{pool.Name}:quorum"] = verdict.HasQuorum;
            data[$"{pool.Name}:up"] = verdict.Up;
            data[$"{pool.Name}:servers"] = verdict.Servers;
            string missing = string.Join("; ", pool.Servers.Where(static s => s.Status is ServerStatus.Down or ServerStatus.Ejected).Select(Explain));
            if (missing.Length > 0) data[$"{pool.Name}:missing"] = missing;
        }

        string description = faults.Count > 0 ? string.Join("; ", faults.Order(StringComparer.Ordinal)) : $"{count} pools are well";
        return Task.FromResult(new HealthCheckResult(status, description, data: data));
    }

    private static HealthStatus Worse(HealthStatus one, HealthStatus other) => one < other ? one : other;

    private static string Explain(Server server) =>
        server.Status == ServerStatus.Ejected ? $"{server.Name}: ejected, {server.Ejection?.Reason}"
        : server.LastCheck is { Passed: false } last ? $"{server.Name}: {ReportText.Short(last)}"
        : $"{server.Name}: down";
}
