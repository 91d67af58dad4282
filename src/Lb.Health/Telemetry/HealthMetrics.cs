using System.Diagnostics.Metrics;

namespace Lb.Health;

/// <summary>The meter <c>Lb.Health</c>. All but one instrument are observable, and that one costs nothing while nobody listens.</summary>
internal static class HealthMetrics
{
    public static void Create(IMeterFactory? meters, ProbeEnvironment checks, StallWatch stalls)
    {
        // A bare service collection without AddMetrics has no factory; hosts have one.
        if (meters is null) return;
        Meter meter = meters.Create("Lb.Health");
        meter.CreateObservableCounter("lb.health.checks", () => checks.Run, "{check}", "Health checks that have ended.");
        meter.CreateObservableCounter("lb.health.checks.failed", () => checks.Failed, "{check}", "Health checks that failed and counted.");
        meter.CreateObservableCounter(
            "lb.health.checks.overdue", () => checks.Overdue, "{check}", "Health checks put off or not counted because this process had paused.");
        meter.CreateObservableUpDownCounter("lb.health.checks.running", () => checks.Running, "{check}", "Health checks running now.");
        meter.CreateObservableUpDownCounter(
            "lb.health.checks.waiting", () => checks.Budget.Waiting, "{check}", "Health checks that wait because no more may start in this second.");
        meter.CreateObservableUpDownCounter("lb.health.checks.stalled", () => stalls.Stalled, "{check}", "Health checks that are due and do not start.");
        Histogram<double> lateness = meter.CreateHistogram(
            "lb.health.check.lateness", "s", "Time from the planned start of a health check to its start.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10] });
        checks.Started = late =>
        {
            if (lateness.Enabled) lateness.Record(late.TotalSeconds);
        };
    }
}
