namespace Lb.Health;

/// <summary>What a check says of a server beside pass or fail. What is null stays as it is. Immutable.</summary>
public sealed record ProbeAdvice
{
    /// <summary>Up or down, at once and until the check says otherwise. Only for checks that <see cref="IHealthChecker.OnlyAdvises"/>; others pass or fail.</summary>
    public ServerHealth? Health { get; init; }

    /// <summary>Ready, drain or maintenance; kept beside the administrator's word, see <see cref="ServerPool.SetAgent"/>.</summary>
    public ServerAdmin? State { get; init; }

    /// <summary>Weight, 0 to 256.</summary>
    public int? Weight { get; init; }

    /// <summary>Weight in percent of the configured one, 0 to 25 600; <see cref="Weight"/> wins.</summary>
    public int? WeightPercent { get; init; }

    /// <summary>Most leases at a time, 0 (no limit) to 16 000 000.</summary>
    public int? MaxConnections { get; init; }
}
