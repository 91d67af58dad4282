namespace Lb;

/// <summary>
/// The servers that may be picked right now, with their weights. Immutable; never empty when handed to a policy; in the order of declaration (by
/// <see cref="Server.Id"/>), so that every node with the same configuration builds the same tables. Any thread.
/// </summary>
public sealed class PoolSnapshot
{
    private readonly Server[] _servers;
    private readonly int[] _weights;
    private readonly int[] _liveWeights;

    /// <summary>Makes a snapshot. Policies are given theirs by the pool; this is for their tests.</summary>
    /// <param name="servers">At least one server.</param>
    /// <param name="weights">A weight of 1 or more for each.</param>
    /// <param name="version">Number of the snapshot in its pool, counting up.</param>
    /// <exception cref="ArgumentException">No server, another number of weights, or a weight below 1.</exception>
    public PoolSnapshot(ReadOnlySpan<Server> servers, ReadOnlySpan<int> weights, long version)
        : this(servers, weights, version, weights, liveScale: 1)
    {
    }

    /// <summary>Makes a snapshot some of whose servers don't have their full weight yet.</summary>
    /// <param name="servers">At least one server.</param>
    /// <param name="weights">A weight of 1 or more for each.</param>
    /// <param name="version">Number of the snapshot in its pool, counting up.</param>
    /// <param name="liveWeights">The weight that each has at the moment, 1 or more, in units of 1/<paramref name="liveScale"/>.</param>
    /// <param name="liveScale">1 or more.</param>
    /// <exception cref="ArgumentException">No server, another number of weights, or a weight or scale below 1.</exception>
    public PoolSnapshot(ReadOnlySpan<Server> servers, ReadOnlySpan<int> weights, long version, ReadOnlySpan<int> liveWeights, int liveScale)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(liveScale, 1);
        if (liveWeights.Length != weights.Length) throw new ArgumentException("There must be one live weight for each server.", nameof(liveWeights));
        if (liveWeights.ContainsAnyInRange(int.MinValue, 0)) throw new ArgumentException("A weight in a snapshot is 1 or more.", nameof(liveWeights));
        if (servers.IsEmpty) throw new ArgumentException("A snapshot has at least one server.", nameof(servers));
        if (servers.Length != weights.Length) throw new ArgumentException("There must be one weight for each server.", nameof(weights));
        foreach (int weight in weights)
        {
            if (weight < 1) throw new ArgumentException($"A weight in a snapshot is 1 or more, not {weight}.", nameof(weights));
        }

        _servers = servers.ToArray();
        _weights = weights.ToArray();
        _liveWeights = weights == liveWeights ? _weights : liveWeights.ToArray();
        LiveScale = liveScale;
        Version = version;
    }

    /// <summary>The servers.</summary>
    public ReadOnlySpan<Server> Servers => _servers;

    /// <summary>Their weights, 1 or more, in the same order.</summary>
    public ReadOnlySpan<int> Weights => _weights;

    /// <summary>
    /// The weights as they are at the moment, slow start included, in units of 1/<see cref="LiveScale"/>: for policies that compare loads or take turns.
    /// </summary>
    public ReadOnlySpan<int> LiveWeights => _liveWeights;

    /// <summary>What <see cref="LiveWeights"/> are multiplied by: 1 when every server has its full weight.</summary>
    public int LiveScale { get; }

    /// <summary>Counts the snapshots of a pool.</summary>
    public long Version { get; }

    /// <summary>True when all weights are equal.</summary>
    internal bool HasEqualWeights => !_weights.AsSpan().ContainsAnyExcept(_weights[0]);

    /// <summary>True when all live weights are equal.</summary>
    internal bool HasEqualLiveWeights => !_liveWeights.AsSpan().ContainsAnyExcept(_liveWeights[0]);

    internal Server[] ServerArray => _servers;

    internal int IndexOf(Server server) => Array.IndexOf(_servers, server);
}
