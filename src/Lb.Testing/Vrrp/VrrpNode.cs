using Lb.Vrrp;

namespace Lb.Testing;

/// <summary>A host of a <see cref="VrrpSimulation"/>: a kernel with addresses and a link, and one process that drives its virtual routers.</summary>
/// <remarks>
/// The process works as the loop of Lb.Vrrp does: first all packets that have arrived, each with its time of arrival, then news of the link, then what is
/// due. Killed, it leaves its addresses in the kernel until their lifetime ends.
/// </remarks>
public sealed partial class VrrpNode
{
    private readonly VrrpSimulation _simulation;
    private readonly List<SimulatedRouter> _routers = [];
    private readonly Queue<(byte[] Message, VrrpDatagram Datagram)> _inbox = new();
    private readonly Collector _collected = new();
    private TimeSpan _pausedUntil;
    private long _wake;
    private bool _isStopping;
    private bool _linkNews;

    internal VrrpNode(VrrpSimulation simulation, string name, PeerAddress address, int index, bool isPlain)
    {
        _simulation = simulation;
        Name = name;
        Address = address;
        HeartbeatAddress = PeerAddress.FromV4(0xC6336401u + (uint)index, 0);
        IsPlain = isPlain;
    }

    /// <summary>Name of the node.</summary>
    public string Name { get; }

    /// <summary>Its own address on the link.</summary>
    public PeerAddress Address { get; }

    /// <summary>Its address on the second link: 198.51.100.1 and on.</summary>
    public PeerAddress HeartbeatAddress { get; }

    /// <summary>True when it does as keepalived does by default.</summary>
    public bool IsPlain { get; }

    /// <summary>How fast its clock goes, 0.5 to 2; default 1. To be set before time goes on.</summary>
    public double ClockRate { get; set; } = 1;

    /// <summary>True: the kernel refuses to send adverts (a firewall, no capability); default false.</summary>
    public bool RefusesAdverts { get; set; }

    /// <summary>True while the process lives, paused or not.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>True while clients can reach the kernel, whatever the process does.</summary>
    public bool IsReached => IsOn(link: 0);

    /// <summary>Everything its routers have told, over all starts, in order.</summary>
    public IReadOnlyList<LbEvent> Events
    {
        get
        {
            // With a token that is cancelled the hub passes on what it has, and ends.
            Hub.RunAsync([_collected], new CancellationToken(canceled: true)).GetAwaiter().GetResult();
            return _collected.Events;
        }
    }

    internal EventHub Hub { get; } = new();

    internal VrrpSimulation Simulation => _simulation;

    internal TimeSpan ResumesAt => _pausedUntil;

    internal bool IsPowered { get; private set; } = true;

    internal bool IsSuspended { get; private set; }

    internal bool IsLinkUp { get; private set; } = true;

    private bool IsIsolated { get; set; }

    private bool Runs => IsRunning && _simulation.Now >= _pausedUntil;

    private TimeSpan LocalNow => _simulation.Now * ClockRate;

    /// <summary>A router of this node.</summary>
    /// <param name="routerId">Its number (VRID).</param>
    /// <exception cref="InvalidOperationException">There is none, or the process is not running.</exception>
    public VirtualRouter Router(int routerId = 1) => Find(routerId).Live ?? throw new InvalidOperationException($"{Name} is not running.");

    /// <summary>State of a router; <see cref="RouterState.Initialize"/> when the process is not running.</summary>
    /// <param name="routerId">Its number (VRID).</param>
    public RouterState State(int routerId = 1) => Find(routerId).Live?.State ?? RouterState.Initialize;

    /// <summary>Adds a router and starts it, and the process with it.</summary>
    /// <param name="configure">Sets its number and what else is to differ; without addresses it gets 192.0.2.(99 + number)/24.</param>
    public void AddRouter(Action<RouterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        SimulatedRouter router = new(this, configure);
        _routers.Add(router);
        IsRunning = true;
        router.Start(LocalNow);
        Turn();
    }

    /// <summary>Has the process do something with a router, at the node's own time: <c>node.Drive((r, now) => r.SetFault("why", now))</c>.</summary>
    /// <param name="action">What.</param>
    /// <param name="routerId">Number of the router (VRID).</param>
    public void Drive(Action<VirtualRouter, TimeSpan> action, int routerId = 1)
    {
        ArgumentNullException.ThrowIfNull(action);
        action(Router(routerId), LocalNow);
        Turn();
    }

    /// <summary>Tells a router what became of something it tracks.</summary>
    /// <param name="index">Its place in the options.</param>
    /// <param name="isWell">Whether it is well.</param>
    /// <param name="value">The number of a file.</param>
    /// <param name="routerId">Number of the router (VRID).</param>
    public void Report(int index, bool isWell, int value = 0, int routerId = 1) =>
        Drive((router, now) => router.Report(index, isWell, value, isWell ? "well" : "not well", now), routerId);

    /// <summary>Changes options of a running router.</summary>
    /// <param name="configure">Applied after all changes before.</param>
    /// <param name="routerId">Number of the router (VRID).</param>
    /// <returns>False when it would have to be made anew; nothing is changed then.</returns>
    public bool Reconfigure(Action<RouterOptions> configure, int routerId = 1)
    {
        bool changed = Find(routerId).Reconfigure(configure, LocalNow);
        Turn();
        return changed;
    }

    internal bool IsActive(int routerId)
    {
        foreach (SimulatedRouter router in _routers)
        {
            if (router.RouterId == routerId && router.Live is { State: RouterState.Active }) return true;
        }

        return false;
    }

    internal bool IsOn(int link) => IsPowered && !IsSuspended && (link != 0 || (IsLinkUp && !IsIsolated));

    internal bool SendsTo(VrrpNode to, byte[] message) => Find(message[1]).SendsTo(to.Address);

    internal void Arrive(byte[] message, int link, PeerAddress source, PeerAddress destination)
    {
        if (!IsRunning || !IsOn(link)) return;
        _inbox.Enqueue((message, new VrrpDatagram { Source = source, Destination = destination, TimeToLive = 255, ArrivedAt = LocalNow, Link = link }));
        Turn();
    }

    private SimulatedRouter Find(int routerId) =>
        _routers.Find(r => r.RouterId == routerId) ?? throw new InvalidOperationException($"{Name} has no router {routerId}.");

    // One turn of the process.
    private void Turn()
    {
        if (Runs)
        {
            TimeSpan now = LocalNow;
            foreach (SimulatedRouter router in _routers) router.NoteLateness(now);
            while (_inbox.TryDequeue(out (byte[] Message, VrrpDatagram Datagram) packet))
            {
                foreach (SimulatedRouter router in _routers) router.Receive(packet.Message, in packet.Datagram, now);
            }

            foreach (SimulatedRouter router in _routers) router.Advance(_linkNews, now);
            _linkNews = false;
            if (_isStopping && _routers.TrueForAll(static r => r.Live is null or { State: RouterState.Initialize })) End();
            Schedule();
        }

        Look();
    }

    private void Schedule()
    {
        TimeSpan due = TimeSpan.MaxValue;
        foreach (SimulatedRouter router in _routers)
        {
            if (router.Live is { } live && live.Deadline < due) due = live.Deadline;
        }

        if (due == TimeSpan.MaxValue) return;

        // A tick late rather than early: called too early, a router does nothing.
        TimeSpan at = ClockRate == 1 ? due : TimeSpan.FromTicks((long)Math.Ceiling(due.Ticks / ClockRate) + 1);
        WakeAt(at > _simulation.Now ? at : _simulation.Now);
    }

    private void WakeAt(TimeSpan at)
    {
        long which = ++_wake;
        _simulation.At(at, () =>
        {
            if (which == _wake) Turn();
        });
    }

    private void Look()
    {
        foreach (SimulatedRouter router in _routers)
        {
            router.NoteState();
            _simulation.AddressOf(router.RouterId).Look();
        }
    }

    private void End()
    {
        IsRunning = false;
        _isStopping = false;
        _inbox.Clear();
        _wake++;
        foreach (SimulatedRouter router in _routers) router.End();
    }

    private sealed class Collector : INotifier
    {
        public List<LbEvent> Events { get; } = [];

        public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
        {
            Events.Add(notice);
            return ValueTask.CompletedTask;
        }
    }
}
