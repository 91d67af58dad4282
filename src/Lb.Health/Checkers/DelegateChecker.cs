namespace Lb.Health;

/// <summary>A check that is a method of the host's.</summary>
internal sealed class DelegateChecker(Func<ProbeTarget, CancellationToken, ValueTask<ProbeResult>> check) : IHealthChecker
{
    public ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct) => check(target, ct);
}
