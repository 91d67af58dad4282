using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>One router in the loop: its sockets, which follow the interface as it comes and goes. The loop's thread.</summary>
internal sealed class RouterSeat : IDisposable
{
    // So long after taking over the old node may still answer for the addresses.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Reopen = TimeSpan.FromSeconds(1);
    private const string OpenFault = "the link can't be used: ";

    private readonly RouterDevices _devices;
    private readonly ILogger _log;
    private readonly Dictionary<string, (int Index, ulong Mac)> _others = new(StringComparer.Ordinal);
    private LinkState _link;
    private LinkState _second;
    private TimeSpan _late;
    private TimeSpan _askAt = TimeSpan.MaxValue;
    private TimeSpan _reopenAt = TimeSpan.MaxValue;
    private string? _error;
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

    /// <summary>The sockets it hears.</summary>
    public List<RouterReceivers.Entry> Heard { get; } = [];

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
    public void Bind(LinkMonitor monitor, RouterReceivers receivers, RouterProbes probes, TimeSpan now)
    {
        _devices.RemoveStale();
        Router.Reopen = () =>
        {
            TakeLinks(monitor);
            Open(receivers, probes, Clocks.Monotonic());
        };
        TakeLinks(monitor);
        Open(receivers, probes, now);
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
        if (_askAt < due) due = _askAt;
        Due = _reopenAt < due ? _reopenAt : due;
    }

    /// <summary>Drives it no more until then: it has failed.</summary>
    public void PutOff(TimeSpan until) => Due = until;

    /// <summary>An interface has changed.</summary>
    /// <returns>True when it was one of this router's.</returns>
    public bool FollowLink(LinkMonitor monitor, RouterReceivers receivers, RouterProbes probes, TimeSpan now)
    {
        (LinkState link, LinkState second) = (_link, _second);
        bool moved = TakeLinks(monitor);
        ReportTracked(monitor, now);
        if (link == _link && second == _second && !moved) return false;
        Open(receivers, probes, now);
        Router.LinkChanged(now);
        return true;
    }

    /// <summary>Notes by how much a turn comes late for what was due, before the packets of that time are read.</summary>
    public void NoteLateness(TimeSpan now) => _late = Router.Late(now);

    /// <summary>Tells of a pause of this process, after all packets of that time were read.</summary>
    public void TellPause(TimeSpan now)
    {
        if (_late == TimeSpan.Zero) return;
        Router.Paused(_late, now);
        _late = TimeSpan.Zero;
        Refresh(now);
    }

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
        // Who only asks whether it is free learns from the kernel's answer that it is not: our own Backups ask too.
        if (!_wasActive || conflict.IsProbe || now < _settledAt) return;
        Router.Conflict(conflict.Address, conflict.Mac.ToString(), now);
        Refresh(now);
    }

    /// <summary>Does what is due.</summary>
    public void Advance(LinkMonitor monitor, RouterReceivers receivers, RouterProbes probes, TimeSpan now)
    {
        if (now >= _reopenAt)
        {
            TakeLinks(monitor);
            Open(receivers, probes, now);
            Router.LinkChanged(now);
        }

        // Who waits for adverts may miss only what was read; who sends them does not wait.
        if (Router.State is RouterState.Backup or RouterState.Resigning)
        {
            foreach (RouterReceivers.Entry entry in Heard)
            {
                if (entry.ReadUpTo < now) now = entry.ReadUpTo;
            }
        }

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

    /// <summary>Has it heard whether others have the addresses.</summary>
    public void Watch(RouterProbes probes)
    {
        if (_link.IsRunning && _devices.Watched is { Length: > 0 } watched) probes.Watch(this, _devices.AddressDevice, watched[0].IsV6, watched);
    }

    /// <summary>Tells <see cref="Stopped"/> when it is so.</summary>
    public void TellStopped()
    {
        if (Stopped is not { } stopped || Router.State != RouterState.Initialize || Router.IsReleasing) return;
        Stopped = null;
        stopped();
    }

    /// <summary>Takes away what it has put on this host: rules of the firewall, the device of the virtual MAC. Takes time: not on the loop's thread.</summary>
    public void Dispose() => _devices.Dispose();

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

    // Says whether an interface that has only addresses was made anew, or has gone.
    private bool TakeLinks(LinkMonitor monitor)
    {
        bool moved = false;
        foreach (string device in _devices.Devices)
        {
            if (device == Router.Options.Interface) continue;
            LinkState state = monitor.Get(device);
            moved |= _others.TryGetValue(device, out (int Index, ulong Mac) before) && before != (state.Index, state.Mac);
            _others[device] = (state.Index, state.Mac);
        }

        _link = monitor.Get(Router.Options.Interface, _devices.Virtual);
        _second = Router.Options.HeartbeatInterface is { } second ? monitor.Get(second, _devices.Virtual) : default;
        return moved;
    }

    // Who can't hear must not be elected, and who can't send neither: it is tried again until it goes.
    private void Open(RouterReceivers receivers, RouterProbes probes, TimeSpan now)
    {
        string? error = _devices.Open(this, in _link, in _second, receivers);
        _reopenAt = error is null ? TimeSpan.MaxValue : now + Reopen;
        if (error != _error)
        {
            if (error is not null) RouterLog.LinkFailed(_log, Router.Name, error);
            if (error is not null) Router.SetFault(OpenFault + error, now);
            if (_error is not null) Router.ClearFault(OpenFault + _error, now);
            _error = error;
        }

        Watch(probes);
    }
}
