using Lb.Interop.Tests.Vrrp;

namespace Lb.HaBench;

/// <summary>Two hosts with a router program each, a client, and the faults: the first host, priority 200, is the one that suffers them.</summary>
internal sealed class Lab : IAsyncDisposable
{
    private readonly HostNetwork _network = new(2);
    private readonly Node[] _nodes;
    private readonly Capture _seen;

    /// <param name="name">What the table calls it.</param>
    /// <param name="first">Program of the first host: <c>lb</c> or <c>keepalived</c>.</param>
    /// <param name="second">That of the second one.</param>
    /// <param name="router">The virtual router.</param>
    public Lab(string name, string first, string second, RouterSpec router)
    {
        (Name, Router) = (name, router);
        _nodes = [Make(first, 1, 200), Make(second, 2, 100)];
        for (int host = 1; host <= 2; host++) Prober.Answer(_network.Open(host, static () => Prober.Open(Prober.Port)), host);
        _seen = _network.CaptureAtClient();
        foreach (Node node in _nodes) node.Start();
    }

    public string Name { get; }

    public RouterSpec Router { get; }

    public AddressLog Addresses => _network.Addresses;

    /// <summary>Until the first host has the address, alone, and the client knows.</summary>
    public async Task WhenSteadyAsync()
    {
        await _network.Addresses.WhenHeldByAsync(Router.Address, 1);
        await _network.WhenAnsweredAsync(Router.Address, 1);
        await _network.Addresses.WhenHeldByAsync(Router.Address, 1);
    }

    /// <summary>Until so long after the next advert of the first host: when a fault comes between two adverts decides how soon it is found.</summary>
    public async Task AfterAdvertAsync(TimeSpan delay, CancellationToken ct)
    {
        await _seen.Frames.WhenAsync(static f => f.IsAdvert && f.Source == "10.77.0.1", _seen.Frames.Count);
        if (delay > TimeSpan.Zero) await Task.Delay(delay, ct);
    }

    public Prober Probe() => new(_network.Client.Run(static () => Prober.Open(0)), Router.Address);

    /// <summary>Does something to the first host.</summary>
    /// <returns>When it was done.</returns>
    public async Task<long> BreakAsync(string fault)
    {
        switch (fault)
        {
            case "term":
                return Begin(() => _ = _nodes[0].EndAsync());
            case "kill9":
                long at = TimeProvider.System.GetTimestamp();
                await _nodes[0].KillAsync();
                return at;
            case "ifdown":
                return Begin(() => _network.Host(1).Ip("link", "set", "eth0", "down"));
            case "silent":
                return Begin(() => _network.Mute(1));
            default:
                return Begin(_network.Split);
        }
    }

    /// <summary>Takes a fault back.</summary>
    public async Task<long> HealAsync(string fault)
    {
        switch (fault)
        {
            case "term":
                await _nodes[0].EndedAsync();
                return Begin(_nodes[0].Start);
            case "kill9":
                // keepalived has left the address for ever.
                if (_network.Addresses.Holders(Router.Address).Contains(1) && _nodes[0] is KeepalivedNode) _network.Host(1).Ip("address", "delete", $"{Router.Address}/24", "dev", "eth0");
                return Begin(_nodes[0].Start);
            case "ifdown":
                return Begin(() => _network.Host(1).Ip("link", "set", "eth0", "up"));
            case "silent":
                return Begin(() => _network.Unmute(1));
            default:
                return Begin(_network.Heal);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Node node in _nodes) await node.DisposeAsync();
        await _network.DisposeAsync();
    }

    private static long Begin(Action action)
    {
        long at = TimeProvider.System.GetTimestamp();
        action();
        return at;
    }

    private Node Make(string program, int host, int priority) => program == "lb"
        ? new LbNode(_network, host).With([Router.ForLb(host, priority)])
        : new KeepalivedNode(_network, host).With(Router.ForKeepalived(host, priority));
}
