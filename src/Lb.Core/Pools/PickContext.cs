namespace Lb;

/// <summary>What a pick may depend on. A value: passed by reference, never kept.</summary>
public readonly struct PickContext
{
    /// <summary>The key that hash policies use; the default value means none.</summary>
    public AffinityKey Key { get; init; }

    /// <summary>The client's address, for source hashing; the default value means not known.</summary>
    public PeerAddress Source { get; init; }

    /// <summary>The address the client connected to; the default value means not known.</summary>
    public PeerAddress Destination { get; init; }

    /// <summary>What the client asks for, for policies that hash parts of it; null = nothing is known of it.</summary>
    public IPickRequest? Request { get; init; }

    /// <summary>
    /// The server that persistence names. It is taken when it is up, not ejected and not in maintenance, even if drained or of weight 0; when it is full the
    /// pick waits for it; when it is down <see cref="PersistenceOptions.OnDown"/> decides; when it can't be used otherwise the pick is balanced as usual.
    /// </summary>
    public Server? Prefer { get; init; }

    /// <summary>How much the server that persistence names counts; default: as the pool's options say.</summary>
    public PersistenceUse Persistence { get; init; }

    /// <summary>A server not to pick if another one can be had.</summary>
    public Server? Avoid { get; init; }

    /// <summary>More servers not to pick if another one can be had: those already tried.</summary>
    public ServerSet Excluded { get; init; }

    /// <summary>Its place among those who wait when all servers are full; default: by the time of coming.</summary>
    public QueuePriority Priority { get; init; }

    /// <summary>A timestamp of the pool's clock that the caller has already read; 0 = the pool reads its clock (some 30 ns).</summary>
    public long Now { get; init; }

    /// <summary>True when there is anything to avoid.</summary>
    public bool HasExclusions => Avoid is not null || !Excluded.IsEmpty;

    /// <summary>True when <paramref name="server"/> should not be picked if another one can be had.</summary>
    /// <param name="server">A server of the pool.</param>
    public bool Excludes(Server server) => ReferenceEquals(Avoid, server) || Excluded.Contains(server);
}

/// <summary>How much persistence counts for one pick.</summary>
public enum PersistenceUse
{
    /// <summary>As the pool's options say.</summary>
    Default,

    /// <summary>The server that persistence names is taken even if it is down (HAProxy <c>force-persist</c>): for looking at a server before it returns.</summary>
    Force,

    /// <summary>As if nothing were known of the client (HAProxy <c>ignore-persist</c>); nor is anything remembered.</summary>
    Ignore,
}

/// <summary>A set of servers of one pool, held by value: allocates only for pools with more than 64 servers.</summary>
public readonly struct ServerSet : IEquatable<ServerSet>
{
    private readonly ulong _low;
    private readonly ulong[]? _high;

    private ServerSet(ulong low, ulong[]? high)
    {
        _low = low;
        _high = high;
    }

    /// <summary>True when no server is in it.</summary>
    public bool IsEmpty => _low == 0 && _high is null;

    /// <summary>True when <paramref name="server"/> is in it.</summary>
    /// <param name="server">A server of the pool.</param>
    public bool Contains(Server server)
    {
        ArgumentNullException.ThrowIfNull(server);
        int slot = server.Slot;
        if (slot < 64) return (_low >> slot & 1) != 0;
        int word = (slot >> 6) - 1;
        return _high is not null && word < _high.Length && (_high[word] >> (slot & 63) & 1) != 0;
    }

    /// <summary>The set with <paramref name="server"/> in it.</summary>
    /// <param name="server">A server of the pool.</param>
    public ServerSet With(Server server)
    {
        ArgumentNullException.ThrowIfNull(server);
        int slot = server.Slot;
        if (slot < 64) return new ServerSet(_low | 1UL << slot, _high);
        int word = (slot >> 6) - 1;
        ulong[] high = new ulong[Math.Max(word + 1, _high?.Length ?? 0)];
        _high?.CopyTo(high, 0);
        high[word] |= 1UL << (slot & 63);
        return new ServerSet(_low, high);
    }

    /// <summary>Same servers.</summary>
    public bool Equals(ServerSet other) => _low == other._low && (_high ?? []).AsSpan().TrimEnd(0UL).SequenceEqual((other._high ?? []).AsSpan().TrimEnd(0UL));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ServerSet other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _low.GetHashCode();

    /// <summary>Same servers.</summary>
    public static bool operator ==(ServerSet left, ServerSet right) => left.Equals(right);

    /// <summary>Other servers.</summary>
    public static bool operator !=(ServerSet left, ServerSet right) => !left.Equals(right);
}
