using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>What a router uses of this host: sockets, addresses, announcements, the virtual MAC. Opened anew as its interface comes and goes.</summary>
internal sealed class RouterDevices : IDisposable
{
    private readonly string _name;
    private readonly RouterOptions _options;
    private readonly ILogger _log;
    private readonly bool _isV6;
    private readonly IVrrpTransport _transport;
    private readonly RawTransport? _raw;
    private readonly VirtualMacDevice? _mac;
    private readonly AcceptFilter? _filter;
    private readonly string _addressDevice;
    private readonly string _sendDevice;
    private int _macBelow;
    private readonly RawMulticastTransport? _second;
    private readonly FollowingAnnouncer _announcer;
    private readonly NetlinkAddressOwner? _addresses;
    private List<VirtualAddress> _virtual;

    /// <summary>Makes them for one router.</summary>
    public RouterDevices(string name, RouterOptions options, VrrpOptions global, IAddressOwner? owner, ILogger log)
    {
        (_name, _options, _log) = (name, options, log);
        _isV6 = AddressPrefix.TryParse(options.Addresses[0].Address, out AddressPrefix first, out _) && first.Address.IsV6;
        if (options.VirtualMac.Enabled) _mac = new VirtualMacDevice(options.Interface, (byte)options.RouterId, _isV6, options.VirtualMac.Name);
        _addressDevice = _mac?.Name ?? options.Interface;
        _sendDevice = options.VirtualMac.TransmitBase ? options.Interface : _addressDevice;
        TakeAddresses(options);
        PeerAddress group = RouterReceivers.Group(global, _isV6);
        bool fills = !string.Equals(options.Authentication.Type, "hmac", StringComparison.OrdinalIgnoreCase);
        _raw = options.Unicast switch
        {
            null => new RawMulticastTransport(_sendDevice, group, fills),
            { UdpPort: null } => new RawUnicastTransport(_sendDevice, Peers(options), fills),
            _ => null,
        };
        _transport = _raw is null ? new FollowingUdpTransport(options.Unicast!.UdpPort!.Value, Peers(options)) : Ahead(_raw, global);
        if (options.HeartbeatInterface is { } second) _second = new RawMulticastTransport(second, group, fills);
        _announcer = new FollowingAnnouncer(_virtual);
        if (owner is null && options.AssignAddresses) owner = _addresses = new NetlinkAddressOwner(_virtual, options.AddressLifetime);
        if (options.Priority != 255 && (!options.Accept || options.Strict))
        {
            // For the router's whole life, so that a change of hands has no rules to wait for.
            _filter = new AcceptFilter(_addressDevice, (byte)options.RouterId, _isV6, Virtual);
        }

        Links = new RouterLinks
        {
            Transport = _transport,
            Heartbeat = _second,
            Owner = owner,
            Announcer = options.AssignAddresses ? _announcer : null,

            // Rules of the firewall name the addresses and take time; an owner of the host's knows its own list.
            CanChangeAddresses = to => _addresses is not null && _filter is null && AddressPrefix.TryParse(to.Addresses[0].Address, out AddressPrefix other, out _) && other.Address.IsV6 == _isV6,
            ChangeAddresses = ChangeAddresses,
        };
    }

    /// <summary>What the router sends through and acts on.</summary>
    public RouterLinks Links { get; }

    /// <summary>The virtual addresses, which are never taken for the interface's own.</summary>
    public IReadOnlyCollection<PeerAddress> Virtual { get; private set; } = [];

    /// <summary>All interfaces that have addresses of the router.</summary>
    public IReadOnlyCollection<string> Devices => _announcer.Devices;

    /// <summary>The interface that has the addresses.</summary>
    public string AddressDevice => _addressDevice;

    /// <summary>Addresses of which it is to be heard whether others have them.</summary>
    public PeerAddress[] Watched { get; private set; } = [];

    /// <summary>Does what takes time and belongs to no thread in particular: rules of the firewall.</summary>
    /// <returns>Why the router must not run, for people; null = it may.</returns>
    public string? Prepare()
    {
        try
        {
            int left = AcceptFilter.RemoveStale(Virtual);
            if (left > 0) RouterLog.FilterRemoved(_log, _name, left);
            _filter?.Install();
            return null;
        }
        catch (IOException failure)
        {
            return failure.Message;
        }
    }

    /// <summary>Opens everything on the interfaces as they are.</summary>
    /// <returns>What went wrong, for people; null = nothing, or only that a link is down.</returns>
    public string? Open(RouterSeat seat, in LinkState link, in LinkState second, RouterReceivers receivers)
    {
        PeerAddress source = !link.IsRunning ? default : SourceOf(in link);
        int index = link.IsRunning ? link.Index : 0;
        string? error = null;
        if (_transport is FollowingUdpTransport udp)
        {
            (UdpEndpoint endpoint, error) = receivers.ListenUdp(seat, source, udp.Port, source.IsV6 ? link.Index : 0);
            udp.Follow(endpoint, source, link.Index);
        }
        else
        {
            string? device = MakeMacDevice(index);

            // A frame from the virtual MAC address is given to our device of this address, and only there; all others come to both.
            bool onDevice = _mac is not null && _options.Unicast is null;
            error = receivers.ListenRaw(seat, onDevice ? _addressDevice : _options.Interface, onDevice && index != 0 ? _mac!.Index : link.Index, _isV6, link: 0);
            error = device ?? error;
            Links.Ahead?.Quiet();
            _raw!.TryBind(index == 0 || _sendDevice == _options.Interface ? index : _mac!.Index, source, out string? sending);
            if (index != 0 && !source.IsEmpty) error ??= sending;
        }

        if (_second is not null)
        {
            // A help: without it the election goes on as without a second link.
            if (receivers.ListenRaw(seat, _options.HeartbeatInterface!, second.Index, _isV6, link: 1) is { } unheard) RouterLog.LinkFailed(_log, _name, unheard);
            _second.TryBind(second.IsRunning ? second.Index : 0, second.IsRunning ? SourceOf(in second) : default, out _);
        }

        Links.Network = _isV6 || link.PrimaryV4.IsEmpty ? default : new AddressPrefix(link.PrimaryV4, link.PrefixV4);
        if (index != 0) OpenNeighbors(ref error);
        return error;
    }

    /// <summary>Takes away what an earlier run that was killed has left.</summary>
    public void RemoveStale()
    {
        if (_addresses is null) return;
        try
        {
            int removed = _addresses.RemoveStale();
            if (removed > 0) RouterLog.StaleRemoved(_log, _name, removed);
            foreach (PeerAddress foreign in _addresses.FindForeign()) RouterLog.AlreadyHere(_log, _name, foreign.ToIPEndPoint().Address.ToString());
        }
        catch (IOException error)
        {
            RouterLog.LinkFailed(_log, _name, error.Message);
        }
    }

    /// <summary>An address was heard to be gone.</summary>
    /// <returns>True when it is one of these.</returns>
    public bool IsOurs(PeerAddress gone)
    {
        if (!Virtual.Contains(gone)) return false;
        _addresses?.Suspect();
        return true;
    }

    /// <summary>Runs what a change of hands will need once without effect, so that it is compiled by then.</summary>
    public void WarmUp()
    {
        _raw?.WarmUp();
        _addresses?.WarmUp();
    }

    public void Dispose()
    {
        _filter?.Dispose();
        _mac?.Dispose();
    }

    [System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(_virtual))]
    private void TakeAddresses(RouterOptions options)
    {
        _virtual = [.. options.Addresses.Concat(options.ExcludedAddresses).Select(a => VirtualAddress.Parse(a, _addressDevice))];
        Virtual = [.. _virtual.Select(static a => a.Address)];
        Watched = options is { AssignAddresses: true, DuplicateDetection: true }
            ? [.. _virtual.Where(a => a.Address.IsV6 == _isV6 && a.Interface == _addressDevice).Select(static a => a.Address)] : [];
    }

    private void ChangeAddresses(RouterOptions options)
    {
        TakeAddresses(options);
        _announcer.Change(_virtual);
        string? error = null;
        OpenNeighbors(ref error);
        if (error is not null) RouterLog.LinkFailed(_log, _name, error);
        try
        {
            _addresses?.Change(_virtual);
        }
        catch (IOException failure)
        {
            RouterLog.LinkFailed(_log, _name, failure.Message);
        }
    }

    // Made anew when the interface below was.
    private string? MakeMacDevice(int below)
    {
        if (_mac is null || below == 0) return null;
        try
        {
            if (below != _macBelow || !_mac.Exists) _mac.Create();
            _macBelow = below;
            _mac.Up();
            return null;
        }
        catch (IOException failure)
        {
            return failure.Message;
        }
    }

    private IVrrpTransport Ahead(RawTransport transport, VrrpOptions global)
    {
        if (global.QueueAhead == TimeSpan.Zero) return transport;
        string? error = _options.AlsoVersion2 || string.Equals(_options.Authentication.Type, "hmac", StringComparison.OrdinalIgnoreCase)
            ? "its adverts differ from one to the next (AlsoVersion2, hmac)" : null;
        if (error is null && QueuedAdverts.TryCreate(out error) is { } queue) return new AheadTransport(transport, queue, global.QueueAhead);
        RouterLog.NotQueuedAhead(_log, _name, error!);
        return transport;
    }

    private void OpenNeighbors(ref string? error)
    {
        if (!_options.AssignAddresses) return;
        try
        {
            _announcer.Follow();
        }
        catch (IOException failure)
        {
            error ??= failure.Message;
        }
    }

    private PeerAddress SourceOf(in LinkState link) =>
        _options.Unicast?.Source is { } wanted && PeerAddress.TryParse(wanted, out PeerAddress source) ? source : _isV6 ? link.LinkLocalV6 : link.PrimaryV4;

    private static UnicastPeers Peers(RouterOptions options) => new([.. options.Unicast!.Peers.Select(RouterMessages.Peer)]);
}
