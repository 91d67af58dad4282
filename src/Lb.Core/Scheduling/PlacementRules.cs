namespace Lb;

/// <summary>A priority level, whether or not its servers can be picked now.</summary>
/// <param name="Priority">Its number.</param>
/// <param name="Healthy">Servers that are healthy.</param>
/// <param name="Total">Servers that should be.</param>
internal readonly record struct LevelHealth(int Priority, int Healthy, int Total);

/// <summary>What decides how a pool's traffic is shared between levels and zones. Immutable.</summary>
internal sealed record PlacementRules
{
    /// <summary>Percent to which a level is counted on beyond its share of healthy servers.</summary>
    public int OverprovisioningFactor { get; init; } = 140;

    /// <summary>The health of the levels; a level that is not here is taken for healthy.</summary>
    public IReadOnlyList<LevelHealth> Levels { get; init; } = [];

    /// <summary>The zone of this balancer; null = zones don't count.</summary>
    public string? LocalZone { get; init; }

    /// <summary>Balancers in each zone; empty = spread like the servers.</summary>
    public IReadOnlyDictionary<string, int> Balancers { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>With fewer usable servers in a level its zones don't count.</summary>
    public int MinimumServers { get; init; } = 6;

    /// <summary>True when a full server is waited for; null = as the policy says.</summary>
    public bool? PreservesAffinity { get; init; }

    public static PlacementRules From(PoolOptions options) => new()
    {
        OverprovisioningFactor = options.OverprovisioningFactor,
        LocalZone = options.ZoneAware.Local,
        Balancers = new Dictionary<string, int>(options.ZoneAware.Balancers, StringComparer.Ordinal),
        MinimumServers = options.ZoneAware.MinimumServers,
        PreservesAffinity = options.BalanceOptions.HashPreserveAffinity is { } preserve ? preserve != HashPreserveAffinity.MaxConn : null,
    };
}
