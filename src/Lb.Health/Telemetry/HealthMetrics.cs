using System.Diagnostics.Metrics;

namespace Lb.Health;

/// <summary>The meter <c>Lb.Health</c>. Every instrument is observable: checks pay nothing.</summary>
internal static class HealthMetrics
{
    public static void Create(IMeterFactory? meters, ProbeEnvironment checks)
    {
        // A bare service collection without AddMetrics has no factory; hosts have one.
        if (meters is null) return;
        Meter meter = meters.Create("Lb.Health");
        meter.CreateObservableCounter("lb.health.checks", () => checks.Run, "{check}", "Health checks that have ended.");
        meter.CreateObservableCounter("lb.health.checks.failed", () => checks.Failed, "{check}", "Health checks that failed and counted.");
        meter.CreateObservableCounter(
            "lb.health.checks.overdue", () => checks.Overdue, "{check}", "Health checks put off or not counted because this process had paused.");
        meter.CreateObservableUpDownCounter("lb.health.checks.running", () => checks.Running, "{check}", "Health checks running now.");
    }
}
