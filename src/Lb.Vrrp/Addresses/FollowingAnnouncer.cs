namespace Lb.Vrrp;

/// <summary>Announces on interfaces that may come back with another index and MAC address. The driver's thread.</summary>
internal sealed class FollowingAnnouncer(IReadOnlyList<VirtualAddress> addresses) : INeighborAnnouncer
{
    private NeighborAnnouncer? _announcer;

    /// <inheritdoc/>
    public int Count => addresses.Count;

    /// <summary>Opens it on the interfaces as they are now.</summary>
    /// <exception cref="NetlinkException">One is not there, or CAP_NET_RAW is missing.</exception>
    public void Follow()
    {
        _announcer?.Dispose();
        _announcer = null;
        _announcer = new NeighborAnnouncer(addresses);
    }

    /// <inheritdoc/>
    public bool Announce(int index) => _announcer?.Announce(index) ?? false;

    /// <inheritdoc/>
    public void Dispose() => _announcer?.Dispose();
}
