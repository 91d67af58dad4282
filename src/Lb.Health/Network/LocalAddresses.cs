using System.Net;
using System.Net.NetworkInformation;

namespace Lb.Health;

/// <summary>The addresses of this node, by the system; changes are told at once (on Linux by netlink). Interfaces that are down count: keepalived's do too.</summary>
internal sealed class LocalAddresses : ILocalAddresses
{
    private Action? _changed;

    public IReadOnlySet<IPAddress> Read()
    {
        HashSet<IPAddress> found = [];
        foreach (NetworkInterface card in NetworkInterface.GetAllNetworkInterfaces())
        {
            foreach (UnicastIPAddressInformation one in card.GetIPProperties().UnicastAddresses) found.Add(new IPAddress(one.Address.GetAddressBytes()));
        }

        return found;
    }

    public void Follow(Action changed)
    {
        _changed = changed;
        NetworkChange.NetworkAddressChanged += Changed;
    }

    public void Dispose()
    {
        NetworkChange.NetworkAddressChanged -= Changed;
        _changed = null;
    }

    private void Changed(object? sender, EventArgs e) => _changed?.Invoke();
}
