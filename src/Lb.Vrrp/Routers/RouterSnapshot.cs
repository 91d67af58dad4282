namespace Lb.Vrrp;

/// <summary>A virtual router as it was at one moment. Immutable; any thread.</summary>
public sealed record RouterSnapshot
{
    /// <summary>Name in the configuration.</summary>
    public required string Name { get; init; }

    /// <summary>Interface of the election.</summary>
    public required string Interface { get; init; }

    /// <summary>Number of the virtual router, 1 to 255 (VRID).</summary>
    public required int RouterId { get; init; }

    /// <summary>Its state.</summary>
    public required RouterState State { get; init; }

    /// <summary>Since when.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Priority as configured.</summary>
    public required int Priority { get; init; }

    /// <summary>Priority in its adverts: with the weights of what it tracks.</summary>
    public required int EffectivePriority { get; init; }

    /// <summary>Address of the Active node as last heard; this node's own while it is Active; empty when none was heard.</summary>
    public required PeerAddress ActiveNode { get; init; }

    /// <summary>Priority of the Active node as last heard.</summary>
    public required int ActivePriority { get; init; }

    /// <summary>The virtual addresses.</summary>
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>Why it is in fault; empty when it is not.</summary>
    public required IReadOnlyList<string> Faults { get; init; }

    /// <summary>What it tracks, with its state, for people.</summary>
    public required IReadOnlyList<string> Tracked { get; init; }

    /// <summary>What it has counted.</summary>
    public required RouterStatistics Statistics { get; init; }
}
