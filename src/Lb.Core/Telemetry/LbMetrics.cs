using System.Diagnostics.Metrics;

namespace Lb;

/// <summary>
/// The meter <c>Lb.Core</c>. Every instrument is observable and reads state when it is collected: picks pay nothing. Counters start with the server and
/// survive reloads.
/// </summary>
internal sealed class LbMetrics(ServerPools pools, EventHub events, IMeterFactory? meters = null)
{
    private Meter? _meter;

    public void Start()
    {
        // A bare service collection without AddMetrics has no factory; hosts have one.
        if (_meter is not null || meters is null) return;
        _meter = meters.Create("Lb.Core");
        _meter.CreateObservableUpDownCounter("lb.server.in_flight", () => Servers(static s => s.InFlight), "{lease}", "Leases open now.");
        _meter.CreateObservableCounter("lb.server.leases", () => Servers(static s => s.TotalLeases), "{lease}", "Leases ever taken.");
        _meter.CreateObservableCounter("lb.server.failures", () => Servers(static s => s.TotalFailures), "{lease}", "Leases that ended in a failure of the server.");
        _meter.CreateObservableGauge("lb.server.up", () => Servers(static s => s.Status == ServerStatus.Up ? 1L : 0), "1", "1 when the server takes balanced traffic.");
        _meter.CreateObservableGauge("lb.server.latency", () => Servers(static s => s.AverageLatency.TotalSeconds), "s", "Moving average of the latency samples.");
        _meter.CreateObservableUpDownCounter("lb.pool.queue", () => Pools(static p => p.QueueLength), "{caller}", "Callers waiting for a free slot.");
        _meter.CreateObservableGauge("lb.pool.usable", () => Pools(static p => p.Snapshot?.Servers.Length ?? 0), "{server}", "Servers that may be picked now.");
        _meter.CreateObservableGauge("lb.pool.mode", () => Pools(static p => (int)p.Mode), "1", "0 normal, 1 backup, 2 panic, 3 last known good, 4 down, 5 sorry server.");
        _meter.CreateObservableGauge("lb.pool.quorum", () => Pools(static p => p.HasQuorum ? 1L : 0), "1", "1 while the pool has its quorum.");
        _meter.CreateObservableGauge("lb.server.ejected", () => Servers(static s => s.Ejection is null ? 0L : 1), "1", "1 while the server is ejected for what callers saw, or tried.");
        _meter.CreateObservableCounter("lb.pool.retries_refused", () => Pools(static p => p.RetryBudget.Refused), "{retry}", "Retries that the budget did not allow.");
        _meter.CreateObservableCounter("lb.pool.lease_misuses", () => Pools(static p => p.LeaseMisuses), "{lease}", "Leases completed more than once.");
        _meter.CreateObservableCounter("lb.events.dropped", () => events.Dropped, "{event}", "Events dropped because notifiers were slow.");
    }

    private IEnumerable<Measurement<T>> Servers<T>(Func<Server, T> value)
        where T : struct
    {
        foreach (ServerPool pool in pools.All)
        {
            foreach (Server server in pool.Servers)
                yield return new Measurement<T>(value(server), new KeyValuePair<string, object?>("lb.pool", pool.Name), new("lb.server", server.Name));
        }
    }

    private IEnumerable<Measurement<T>> Pools<T>(Func<ServerPool, T> value)
        where T : struct
    {
        foreach (ServerPool pool in pools.All) yield return new Measurement<T>(value(pool), new KeyValuePair<string, object?>("lb.pool", pool.Name));
    }
}
