using System.Net;
using System.Net.NetworkInformation;

namespace Lb.Health.Tests.Monitoring;

/// <summary>Addresses of this node that a test moves.</summary>
internal sealed class FakeAddresses : ILocalAddresses
{
    private HashSet<IPAddress> _here = [IPAddress.Loopback];
    private Action? _changed;

    public int Opened { get; private set; }

    public int Disposed { get; private set; }

    public int Reads { get; private set; }

    public bool Broken { get; set; }

    public ILocalAddresses Open()
    {
        Opened++;
        return this;
    }

    public void Set(params string[] addresses)
    {
        SetSilently(addresses);
        _changed?.Invoke();
    }

    public void SetSilently(params string[] addresses) => _here = [.. addresses.Select(IPAddress.Parse)];

    public IReadOnlySet<IPAddress> Read()
    {
        Reads++;
        return Broken ? throw new NetworkInformationException() : _here;
    }

    public void Follow(Action changed) => _changed = changed;

    public void Dispose()
    {
        Disposed++;
        _changed = null;
    }
}
