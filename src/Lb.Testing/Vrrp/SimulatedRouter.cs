using System.Globalization;
using Lb.Vrrp;

namespace Lb.Testing;

/// <summary>A virtual router of a simulated node, with its transport, its addresses in the kernel and its announcer.</summary>
internal sealed class SimulatedRouter
{
    private readonly VrrpNode _node;
    private readonly List<Action<RouterOptions>> _changes;
    private RouterOptions _options;
    private RouterState _noted;
    private TimeSpan _late;
    private Action? _followLink;
    private Kernel? _kernel;

    public SimulatedRouter(VrrpNode node, Action<RouterOptions> configure)
    {
        _node = node;
        _changes = [configure];
        _options = Options();
        Address.Look();
    }

    public int RouterId => _options.RouterId;

    /// <summary>The router while the process runs.</summary>
    public VirtualRouter? Live { get; private set; }

    private SimulatedAddress Address => _node.Simulation.AddressOf(RouterId);

    public void Start(TimeSpan now)
    {
        Forget();
        InMemoryVrrpTransport transport = new(Text(_node.Address), _options.Unicast?.Peers[0]);
        transport.Sent = m => Send(0, transport, m);
        InMemoryVrrpTransport? heartbeat = _options.HeartbeatInterface is null ? null : new InMemoryVrrpTransport(Text(_node.HeartbeatAddress));
        if (heartbeat is not null) heartbeat.Sent = m => Send(1, heartbeat, m);
        _kernel = _options.AssignAddresses ? new Kernel(_node, RouterId, _node.IsPlain ? TimeSpan.Zero : _options.AddressLifetime) : null;
        InMemoryNeighborAnnouncer? announcer = _kernel is null ? null : new InMemoryNeighborAnnouncer(_options.Addresses.Count) { Announced = _ => Announce() };
        _followLink = () => Follow(transport);
        _followLink();
        if (!AddressPrefix.TryParse(_options.Addresses[0].Address, out AddressPrefix network, out string? error)) throw new FormatException(error);
        RouterLinks links = new() { Transport = transport, Heartbeat = heartbeat, Owner = _kernel, Announcer = announcer, Network = network };
        string name = string.Create(CultureInfo.InvariantCulture, $"{_node.Name}/{RouterId}");
        Live = new VirtualRouter(name, _options, links, _node.Hub, _node.Simulation.Clock);
        Live.Start(now);
    }

    /// <summary>The process is gone.</summary>
    public void End() => Live = null;

    /// <summary>The kernel has the addresses no more.</summary>
    public void Forget()
    {
        _kernel?.EndLease();
        Address.Hold(_node, false);
    }

    public void NoteLateness(TimeSpan now) => _late = Live?.Late(now) ?? default;

    public void Receive(byte[] message, in VrrpDatagram datagram, TimeSpan now)
    {
        // Routers of a process have their sockets: what is for another number is not theirs, but another's on the link.
        if (message[1] == RouterId && (datagram.Link == 0 || _options.HeartbeatInterface is not null)) Live?.Receive(message, in datagram, now);
    }

    public void Advance(bool linkNews, TimeSpan now)
    {
        if (Live is not { } live) return;
        _followLink?.Invoke();
        if (linkNews) live.LinkChanged(now);
        if (_late > TimeSpan.Zero) live.Paused(_late, now);
        live.Advance(now);
        live.SettleLink(now);
    }

    public bool Reconfigure(Action<RouterOptions> configure, TimeSpan now)
    {
        _changes.Add(configure);
        RouterOptions options = Options();
        if (Live is { } live && !live.Reconfigure(options, now))
        {
            _changes.RemoveAt(_changes.Count - 1);
            return false;
        }

        _options = options;
        return true;
    }

    public bool SendsTo(PeerAddress address) => _options.Unicast is not { } unicast || unicast.Peers.Any(p => InMemoryVrrpTransport.Parse(p) == address);

    public void NoteState()
    {
        RouterState state = Live?.State ?? RouterState.Initialize;
        if (state == _noted) return;
        _noted = state;
        _node.Simulation.Note(_node.Name, $"router {RouterId} is {state}");
    }

    private void Follow(InMemoryVrrpTransport transport)
    {
        transport.Source = _node.IsLinkUp ? _node.Address : default;
        transport.Result = !_node.IsLinkUp ? VrrpSendResult.LinkDown : _node.RefusesAdverts ? VrrpSendResult.Refused : VrrpSendResult.Sent;
    }

    private void Send(int link, InMemoryVrrpTransport transport, ReadOnlySpan<byte> message)
    {
        // keepalived gives way without a word.
        if (_node.IsPlain && message[2] > 0 && Live is { State: RouterState.Backup }) return;

        // The sum covers the first peer's address; real transports correct it for the others.
        _node.Simulation.Deliver(_node, link, transport.Source, transport.Destination, message.ToArray());
    }

    private void Announce()
    {
        if (!_node.IsReached) return;
        VrrpSimulation simulation = _node.Simulation;
        simulation.At(simulation.Now + simulation.Delay(), () => Address.Announced(_node));
    }

    private RouterOptions Options()
    {
        RouterOptions options = new() { Interface = "lan", RouterId = 1 };
        if (_node.IsPlain)
        {
            options.Handover = false;
            options.AddressLifetime = TimeSpan.Zero;
            options.Announce = new RouterAnnounceOptions { Refresh = TimeSpan.Zero, LowerPriorityRepeat = 5 };
        }

        foreach (Action<RouterOptions> change in _changes) change(options);
        if (options.Addresses.Count == 0)
            options.Addresses.Add(new VirtualAddressOptions { Address = _node.Address.IsV6 ? $"fe80::{99 + options.RouterId:x}/64" : $"192.0.2.{99 + options.RouterId}/24" });
        return options;
    }

    private static string Text(PeerAddress address) => address.ToIPEndPoint().Address.ToString();

    /// <summary>The kernel's side: addresses with a lifetime, which outlive the process.</summary>
    private sealed class Kernel(VrrpNode node, int routerId, TimeSpan lifetime) : IAddressOwner
    {
        private long _lease;

        // As the owner for Linux does it.
        public TimeSpan RenewEvery { get; } = lifetime == TimeSpan.Zero ? TimeSpan.FromSeconds(1)
            : TimeSpan.FromTicks(Math.Clamp(lifetime.Ticks / 2, TimeSpan.TicksPerSecond / 2, TimeSpan.TicksPerSecond));

        private SimulatedAddress Address => node.Simulation.AddressOf(routerId);

        public ValueTask AcquireAsync(CancellationToken ct)
        {
            Renew();
            return ValueTask.CompletedTask;
        }

        public ValueTask ReleaseAsync(CancellationToken ct)
        {
            EndLease();
            Address.Hold(node, false);
            return ValueTask.CompletedTask;
        }

        public bool Renew()
        {
            bool wasGone = !Address.IsHeldBy(node);
            Address.Hold(node, true);
            _lease++;
            if (lifetime > TimeSpan.Zero) EndAt(node.Simulation.Now + lifetime, _lease);
            return wasGone;
        }

        public void EndLease() => _lease++;

        public void Dispose()
        {
        }

        private void EndAt(TimeSpan at, long lease) => node.Simulation.At(at, () =>
        {
            if (lease != _lease) return;
            if (node.IsSuspended) EndAt(node.ResumesAt + TimeSpan.FromSeconds(1), lease);
            else Address.Hold(node, false);
        });
    }
}
