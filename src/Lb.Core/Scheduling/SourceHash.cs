namespace Lb;

/// <summary>
/// A client address always goes to the same server while the servers stay the same (<c>source</c>): HAProxy's key is the exclusive or of the address's
/// 32-bit words; the port is left out and the hash function has no say. Without an address: round robin over the table or ring.
/// </summary>
/// <remarks>With the map-based default a server that comes or goes moves nearly all clients; a consistent ring moves only its own.</remarks>
public sealed class SourceHash : ISchedulingPolicy
{
    private readonly KeyedHash<SourceKey> _policy;

    /// <summary>Makes the policy.</summary>
    /// <param name="options">How the key becomes a server; default: HAProxy's map-based.</param>
    public SourceHash(HashOptions? options = null)
    {
        _policy = new KeyedHash<SourceKey>(default, options ?? new HashOptions());
    }

    /// <inheritdoc/>
    public PolicyTraits Traits => _policy.Traits;

    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return _policy.Build(snapshot);
    }
}
