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
    private TimeSpan _activeAt = TimeSpan.MaxValue;
    private bool _asked;

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

    /// <summary>Hears whether somebody else has an address; null = nobody asks.</summary>
    public DuplicateProbe? Probe => _devices.Probe;

    /// <summary>When <see cref="Advance"/> wants to be called.</summary>
    public TimeSpan Deadline
    {
        get
        {
            TimeSpan due = Router.Deadline;
            return _activeAt != TimeSpan.MaxValue && !_asked && _activeAt + Settled < due ? _activeAt + Settled : due;
        }
    }

    /// <summary>Opens the sockets on the interface as it is now.</summary>
    public void Bind(LinkMonitor monitor, RouterReceivers receivers, TimeSpan now)
    {
        _devices.RemoveStale();
        TakeLinks(monitor);
        Open(receivers, now);
    }

    /// <summary>An interface has changed.</summary>
    /// <returns>True when it was one of this router's.</returns>
    public bool FollowLink(LinkMonitor monitor, RouterReceivers receivers, TimeSpan now)
    {
        (LinkState link, LinkState second) = (_link, _second);
        TakeLinks(monitor);
        ReportTracked(monitor, now);
        if (link == _link && second == _second) return false;
        Open(receivers, now);
        Router.LinkChanged(now);
        return true;
    }

    /// <summary>Notes by how much a turn comes late for what was due, before the packets of that time are read.</summary>
    public void NoteLateness(TimeSpan now)
    {
        TimeSpan late = now - Router.Deadline;
        _late = late > TimeSpan.Zero ? late : TimeSpan.Zero;
    }

    /// <summary>Does what is due.</summary>
    /// <param name="now">The time.</param>
    /// <param name="ready">Descriptors that have something to read.</param>
    /// <returns>Whether something was due.</returns>
    public bool Advance(TimeSpan now, ReadOnlySpan<int> ready)
    {
        bool isDue = now >= Deadline;
        if (_late > TimeSpan.Zero) Router.Paused(_late, now);
        _late = TimeSpan.Zero;
        Router.Advance(now);
        Router.SettleLink(now);
        LookForConflicts(now, ready);
        TellStopped();
        return isDue;
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

    private void Open(RouterReceivers receivers, TimeSpan now)
    {
        string? error = _devices.Open(this, in _link, in _second, receivers);
        if (error is not null) RouterLog.LinkFailed(_log, Router.Name, error);
        _ = now;
    }

    private void LookForConflicts(TimeSpan now, ReadOnlySpan<int> ready)
    {
        if (Probe is not { } probe) return;
        bool isActive = Router.State == RouterState.Active;
        if (!isActive)
        {
            _activeAt = TimeSpan.MaxValue;
            _asked = false;
        }
        else if (_activeAt == TimeSpan.MaxValue)
        {
            _activeAt = now;
        }

        bool isSettled = isActive && now - _activeAt >= Settled;
        bool isRead = ready.Contains(probe.Descriptor);
        while (isRead && probe.TryReceive(out AddressConflict conflict))
        {
            if (isSettled) Router.Conflict(conflict.Address, conflict.Mac.ToString(), now);
        }

        if (!isSettled || _asked) return;
        _asked = true;
        for (int i = 0; i < probe.Count; i++) probe.Ask(i);
    }
}
