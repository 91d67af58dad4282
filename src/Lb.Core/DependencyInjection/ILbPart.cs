namespace Lb;

/// <summary>
/// One part of Lb that follows the configuration: the pools, the health checks, the gateways. Every package registers its own; all are asked before any
/// is changed, so a configuration is taken over whole or not at all.
/// </summary>
public interface ILbPart
{
    /// <summary>Place in the order of starting: pools 100, checks 200, gateways 300, routers 400. Stopping goes backwards.</summary>
    int Order { get; }

    /// <summary>What it follows: <c>Pools</c>, <c>Checks</c>, <c>Gateways</c>, <c>Routers</c>, or a word of your own.</summary>
    string Handles { get; }

    /// <summary>Looks for faults, all of them, without changing or starting anything. May be called while the part runs.</summary>
    /// <param name="options">The configuration in question.</param>
    /// <param name="errors">Takes the faults.</param>
    void Validate(LbOptions options, ICollection<ConfigurationError> errors);

    /// <summary>Starts the part, or changes it to a new configuration: only what differs is touched. One call at a time.</summary>
    /// <param name="options">A configuration that every part has found valid.</param>
    /// <param name="ct">Ends the start.</param>
    Task ApplyAsync(LbOptions options, CancellationToken ct);

    /// <summary>Stops the part.</summary>
    /// <param name="ct">Cancelled when there is no more time to do it gracefully.</param>
    Task StopAsync(CancellationToken ct);
}
