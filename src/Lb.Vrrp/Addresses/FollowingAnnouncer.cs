namespace Lb.Vrrp;

/// <summary>
/// Announces on interfaces that may come back with another index and MAC address, each by itself: one that is gone keeps only its own addresses from being
/// announced. The driver's thread.
/// </summary>
internal sealed class FollowingAnnouncer : INeighborAnnouncer
{
    private readonly Dictionary<string, List<VirtualAddress>> _addresses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NeighborAnnouncer> _open = new(StringComparer.Ordinal);
    private (string Device, int Index)[] _places = [];

    /// <summary>Describes it. Nothing is opened before <see cref="Follow"/>.</summary>
    /// <param name="addresses">The addresses, in the order of the announcements.</param>
    public FollowingAnnouncer(IReadOnlyList<VirtualAddress> addresses) => Change(addresses);

    /// <summary>Announces other addresses from the next <see cref="Follow"/> on.</summary>
    /// <param name="addresses">The addresses, in the order of the announcements.</param>
    public void Change(IReadOnlyList<VirtualAddress> addresses)
    {
        Close();
        _addresses.Clear();
        _places = new (string, int)[addresses.Count];
        for (int i = 0; i < addresses.Count; i++)
        {
            if (!_addresses.TryGetValue(addresses[i].Interface, out List<VirtualAddress>? all)) _addresses.Add(addresses[i].Interface, all = []);
            _places[i] = (addresses[i].Interface, all.Count);
            all.Add(addresses[i]);
        }
    }

    /// <inheritdoc/>
    public int Count => _places.Length;

    /// <summary>Names of the interfaces of all addresses: when one of them has changed, <see cref="Follow"/>.</summary>
    public IReadOnlyCollection<string> Devices => _addresses.Keys;

    /// <summary>Opens it on the interfaces as they are now.</summary>
    /// <exception cref="NetlinkException">One is not there, or CAP_NET_RAW is missing; the others are open.</exception>
    public void Follow()
    {
        Close();
        NetlinkException? failure = null;
        foreach ((string device, List<VirtualAddress> addresses) in _addresses)
        {
            try
            {
                _open.Add(device, new NeighborAnnouncer(addresses));
            }
            catch (NetlinkException exception)
            {
                failure ??= exception;
            }
        }

        if (failure is not null) throw failure;
    }

    /// <inheritdoc/>
    public bool Announce(int index) => _open.TryGetValue(_places[index].Device, out NeighborAnnouncer? announcer) && announcer.Announce(_places[index].Index);

    /// <inheritdoc/>
    public void Dispose() => Close();

    private void Close()
    {
        foreach (NeighborAnnouncer announcer in _open.Values) announcer.Dispose();
        _open.Clear();
    }
}
