using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>One router in the loop: its sockets, which follow the interface as it comes and goes. The loop's thread.</summary>
internal sealed class RouterSeat : IDisposable
{
    // So long after taking over the old node may still answer for the addresses.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(1);

    private readonly RouterDevices _devices;
    private readonly ILogger _log;
    private LinkState _link;
    private LinkState _second;
    private TimeSpan _late;
    private TimeSpan _askAt = TimeSpan.MaxValue;
    private TimeSpan _settledAt = TimeSpan.MaxValue;
    private bool _wasActive;

    /// <summary>Makes the router with the devices of this host; nothing is opened but what can't be opened later.</summary>
    /// <exception cref="IOException">The kernel refuses what a router needs.</exception>
    public RouterSeat(string name, RouterOptions options, VrrpOptions global, EventHub? events, TimeProvider time, IAddressOwner? owner, ILogger log)
    {
        _log = log;
        _devices = new RouterDevices(name, options, global, owner, log);
        Router = new VirtualRouter(name, options, _devices.Links, events, time, log);
    }

    /// <summary>The router.</summary>
    public VirtualRouter Router { get; }

    /// <summary>The group it changes its state with; null = none.</summary>
    public SyncGroup? Group { get; set; }

    /// <summary>Told once, when the router has stopped and let go of its addresses.</summary>
    public Action? Stopped { get; set; }

    /// <summary>When <see cref="Advance"/> wants to be called, as of the last <see cref="Refresh"/>.</summary>
    public TimeSpan Due { get; private set; }

    /// <summary>Before it is taken into the loop, on another thread: what would hold up the other routers.</summary>
    public void Prepare()
    {
        if (_devices.Prepare() is not { } error) return;
        RouterLog.LinkFailed(_log, Router.Name, error);
        Router.SetFault(error, Clocks.Monotonic());
    }

    /// <summary>Opens the sockets on the interface as it is now.</summary>
    public void Bind(LinkMonitor monitor, RouterReceivers receivers, RouterProbes probes)
    {
        _devices.RemoveStale();
        TakeLinks(monitor);
        Open(receivers, probes);
        _devices.WarmUp();
    }

    /// <summary>Looks anew at when the router wants to be driven: after everything that was done with it.</summary>
    public void Refresh(TimeSpan now)
    {
        bool isActive = Router.State == RouterState.Active;
        if (!isActive) _askAt = TimeSpan.MaxValue;
        else if (!_wasActive) _askAt = now + Settled;
        _settledAt = isActive && !_wasActive ? now + Settled : _settledAt;
        _wasActive = isActive;
        TimeSpan due = Router.Deadline;
        Due = _askAt < due ? _askAt : due;
    }

    /// <summary>An interface has changed.</summary>
    /// <returns>True when it was one of this router's.</returns>
    public bool FollowLink(LinkMonitor monitor, RouterReceivers receivers, RouterProbes probes, TimeSpan now)
    {
        (LinkState link, LinkState second) = (_link, _second);
        TakeLinks(monitor);
        ReportTracked(monitor, now);
        if (link == _link && second == _second) return false;
        Open(receivers, probes);
        Router.LinkChanged(now);
        return true;
    }

    /// <summary>Notes by how much a turn comes late for what was due, before the packets of that time are read.</summary>
    public void NoteLateness(TimeSpan now) => _late = Router.Late(now);

    /// <summary>Takes in a packet.</summary>
    public void Receive(ReadOnlySpan<byte> message, in VrrpDatagram datagram, TimeSpan now)
    {
        Router.Receive(message, in datagram, now);
        Router.SettleLink(now);
        TellStopped();
        Refresh(now);
    }

    /// <summary>An address was taken off an interface: puts it back if it is one of ours.</summary>
    public void AddressGone(PeerAddress gone, TimeSpan now)
    {
        if (_wasActive && _devices.IsOurs(gone)) Router.AddressGone(now);
    }

    /// <summary>Somebody else has one of the addresses, or did so before it was ours for a while.</summary>
    public void Conflict(in AddressConflict conflict, TimeSpan now)
    {
        if (_wasActive && now >= _settledAt) Router.Conflict(conflict.Address, conflict.Mac.ToString(), now);
    }

    /// <summary>Does what is due.</summary>
    public void Advance(RouterProbes probes, TimeSpan now)
    {
        if (_late > TimeSpan.Zero) Router.Paused(_late, now);
        _late = TimeSpan.Zero;
        Router.Advance(now);
        Router.SettleLink(now);
        if (now >= _askAt)
        {
            _askAt = TimeSpan.MaxValue;
            probes.Ask(this);
        }

        TellStopped();
        Refresh(now);
    }

    /// <summary>Tells <see cref="Stopped"/> when it is so.</summary>
    public void TellStopped()
    {
        if (Stopped is not { } stopped || Router.State != RouterState.Initialize || Router.IsReleasing) return;
        Stopped = null;
        stopped();
    }

    public void Dispose()
    {
        Router.Dispose();
        _devices.Dispose();
    }

    /// <summary>Reports the interfaces that the router tracks.</summary>
    public void ReportTracked(LinkMonitor monitor, TimeSpan now)
    {
        for (int i = 0; i < Router.Options.Track.Count; i++)
        {
            if (Router.Options.Track[i].Interface is not { } device) continue;
            bool isUp = monitor.Get(device).IsRunning;
            Router.Report(i, isUp, 0, $"interface {device} is {(isUp ? "up" : "down")}", now);
        }
    }

    private void TakeLinks(LinkMonitor monitor)
    {
        _link = monitor.Get(Router.Options.Interface, _devices.Virtual);
        _second = Router.Options.HeartbeatInterface is { } device ? monitor.Get(device, _devices.Virtual) : default;
    }

    private void Open(RouterReceivers receivers, RouterProbes probes)
    {
        string? error = _devices.Open(this, in _link, in _second, receivers);
        if (error is not null) RouterLog.LinkFailed(_log, Router.Name, error);
        if (_link.IsRunning && _devices.Watched is { Length: > 0 } watched) probes.Watch(this, _devices.AddressDevice, watched[0].IsV6, watched);
    }
}
