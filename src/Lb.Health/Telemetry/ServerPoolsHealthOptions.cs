namespace Lb.Health;

/// <summary>When pools make their host degraded or unhealthy. Not thread-safe: filled once, then read.</summary>
/// <remarks>
/// The share is that of the main servers that take balanced traffic, among those that may: who is drained, in maintenance or stopping by its own wish is
/// not missed.
/// </remarks>
public sealed class ServerPoolsHealthOptions
{
    /// <summary>Names of the pools that count; default none: all of the host, also those that a reload adds.</summary>
    public IList<string> Pools { get; } = [];

    /// <summary>A pool with a smaller share of its servers up is degraded, percent, 0 to 100; default 100: as soon as one is missing.</summary>
    public int DegradedBelow { get; set; } = 100;

    /// <summary>A pool with a smaller share of its servers up is unhealthy, percent, 0 to 100; default 0: never for its share.</summary>
    public int UnhealthyBelow { get; set; }
}
