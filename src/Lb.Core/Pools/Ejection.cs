namespace Lb;

/// <summary>Why and how long a server is out, whatever the checks say. Immutable.</summary>
/// <param name="Reason">What took it out.</param>
/// <param name="Since">A timestamp of the pool's clock.</param>
/// <param name="Until">A timestamp of the pool's clock: when it comes back, or when it is tried.</param>
/// <param name="IsTrial">True while it is tried with a few leases (a half-open circuit): it is picked, but only for those.</param>
public sealed record Ejection(EjectionReason Reason, long Since, long Until, bool IsTrial);

/// <summary>What took a server out.</summary>
public enum EjectionReason
{
    /// <summary>Failures in a row (<see cref="OutlierOptions.ConsecutiveFailures"/>).</summary>
    ConsecutiveFailures,

    /// <summary>Broken or refused connections in a row (<see cref="OutlierOptions.ConsecutiveGatewayFailures"/>).</summary>
    ConsecutiveGatewayFailures,

    /// <summary>A success rate far below that of the others (<see cref="OutlierOptions.SuccessRateStdevFactor"/>).</summary>
    SuccessRate,

    /// <summary>Too many failures in an interval (<see cref="OutlierOptions.FailurePercentage"/>).</summary>
    FailurePercentage,

    /// <summary>Too many failures within the fail time-out (<see cref="PoolOptions.MaxFails"/>).</summary>
    MaxFails,

    /// <summary>Its circuit is open (<see cref="CircuitBreakerOptions"/>).</summary>
    CircuitOpen,

    /// <summary>It went down too often (<see cref="FlapDampingOptions"/>).</summary>
    Flapping,
}
