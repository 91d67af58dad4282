using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb.Vrrp;

/// <summary>
/// One virtual router: the election by RFC 9568, 5798 and 3768, and what follows from it. It is driven: whoever owns it brings packets and the time, and
/// it calls its transport, address owner and announcer in turn. On Linux that is one thread for all routers of the process; in tests a simulator.
/// </summary>
/// <remarks>
/// Not thread-safe: one thread at a time calls it. <c>now</c> is the time on one monotonic axis of the driver's choice, never earlier than in the call
/// before. <see cref="Snapshot"/> and <see cref="Statistics"/> may be read by any thread. Receiving and sending adverts allocates nothing.
/// </remarks>
public sealed partial class VirtualRouter : IDisposable
{
    private readonly RouterLinks _links;
    private readonly EventHub? _events;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly VrrpMachine _machine;
    private readonly AddressHolder? _holder;
    private RouterOptions _options;
    private RouterMessages _messages;
    private DateTimeOffset _since;
    private volatile RouterSnapshot? _snapshot;
    private bool _started;

    /// <summary>Makes a router; it does nothing before <see cref="Start"/>.</summary>
    /// <param name="name">Its name in the configuration.</param>
    /// <param name="options">Valid options.</param>
    /// <param name="links">What it sends through and acts on; they are disposed with it.</param>
    /// <param name="events">Takes its events; null = nobody hears of them.</param>
    /// <param name="time">Clock of the events; default <see cref="TimeProvider.System"/>. Never used for the election.</param>
    /// <param name="log">The log.</param>
    public VirtualRouter(string name, RouterOptions options, RouterLinks links, EventHub? events = null, TimeProvider? time = null, ILogger? log = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(links);
        Name = name;
        _options = options;
        _links = links;
        _events = events;
        _time = time ?? TimeProvider.System;
        _log = log ?? NullLogger.Instance;
        _machine = new VrrpMachine(RouterMessages.Settings(options));
        _messages = new RouterMessages(options, links, _time);
        _tracks = new RouterTracks(options);
        _announce = new AnnounceSchedule(links.Announcer?.Count ?? 0, options.Announce);
        if (links.Owner is { } owner) _holder = new AddressHolder(owner, () => Wake?.Invoke());
        _since = _time.GetUtcNow();
    }

    /// <summary>Name in the configuration.</summary>
    public string Name { get; }

    /// <summary>Number of the virtual router (VRID).</summary>
    public int RouterId => _options.RouterId;

    /// <summary>State of the election.</summary>
    public RouterState State => _machine.State;

    /// <summary>Priority in its adverts now.</summary>
    public int EffectivePriority => _machine.EffectivePriority;

    /// <summary>What it has counted. Any thread.</summary>
    public RouterStatistics Statistics { get; } = new();

    /// <summary>When <see cref="Advance"/> wants to be called, at the latest; <see cref="TimeSpan.MaxValue"/> = it waits for packets only.</summary>
    public TimeSpan Deadline
    {
        get
        {
            TimeSpan first = _machine.Deadline;
            if (_announce.Due < first) first = _announce.Due;
            if (_holder is { } holder && holder.Deadline < first) first = holder.Deadline;
            return _retryAt < first ? _retryAt : first;
        }
    }

    /// <summary>Called, on any thread, when a slow address owner has come to an end: the driver calls <see cref="Advance"/> soon.</summary>
    public Action? Wake { get; set; }

    internal RouterOptions Options => _options;

    internal RouterLinks Links => _links;

    internal VrrpMachine Machine => _machine;

    /// <summary>The router as it is. Any thread; a little old at worst.</summary>
    public RouterSnapshot Snapshot() => _snapshot ?? TakeSnapshot();

    /// <summary>Begins: Backup, or Active for the owner of the addresses. Nothing is claimed before everything tracked was reported once.</summary>
    /// <param name="now">The time.</param>
    public void Start(TimeSpan now)
    {
        if (_started) return;
        _started = true;
        if (_tracks.AllKnown) _machine.Ready(now);
        Do(_machine.Start(now), "started", now);
        if (_links.Transport.Source.IsEmpty) _faults.Add(LinkFault);
        ApplyTracks("started", now);
        if (_faults.Count > 0) Do(_machine.Fault(now), _faults.Min!, now);
    }

    /// <summary>Takes in one packet of IP protocol 112, from any sender, good or bad.</summary>
    /// <param name="message">The VRRP message.</param>
    /// <param name="datagram">What is known of it.</param>
    /// <param name="now">The time.</param>
    public void Receive(ReadOnlySpan<byte> message, in VrrpDatagram datagram, TimeSpan now)
    {
        if (!_started) return;
        ReceiveFault fault = _messages.Read(message, in datagram, out VrrpAdvertisement advert);
        if (fault != ReceiveFault.None)
        {
            Discard(fault, message, in datagram, now);
            return;
        }

        Statistics.CountReceived();
        if (advert.Warnings != ReceiveWarning.None) Warn(advert.Warnings, message, in datagram, now);
        if (advert.Priority == 0) Statistics.CountResignationReceived();
        RouterState before = State;
        VrrpActions actions = _machine.Received(in advert, datagram.Source, _links.Transport.Source, datagram.ArrivedAt, now);
        Diagnose(in advert, in datagram, actions, before, now);
        if (actions != VrrpActions.None) Do(actions, CauseOf(in advert, in datagram, actions), now);
    }

    /// <summary>Does what is due: see <see cref="Deadline"/>. Calling it early or often does no harm.</summary>
    /// <param name="now">The time.</param>
    public void Advance(TimeSpan now)
    {
        if (!_started) return;
        if (now >= _retryAt) Retry(now);
        if (now >= _machine.Deadline) Do(_machine.DeadlineReached(now), State == RouterState.Backup ? "no advert in time" : "time is up", now);
        if (_holder is { } holder && now >= holder.Deadline) Take(holder.Advance(now), now);
        AnnounceDue(now);
    }

    /// <summary>Says that the driver itself did not run. Call it after all packets that came meanwhile were brought, and before <see cref="Advance"/>.</summary>
    /// <param name="late">For how long.</param>
    /// <param name="now">The time.</param>
    public void Paused(TimeSpan late, TimeSpan now)
    {
        if (!_started || late < _options.AdvertisementInterval) return;
        Statistics.CountPause();
        RouterLog.Paused(_log, Name, late.TotalMilliseconds);
        Publish(new RouterPaused(_time.GetUtcNow(), Name, late));
        Do(_machine.Paused(late, now), "paused", now);
    }

    /// <summary>
    /// Ends: an Active router resigns by an advert of priority 0 and, with <see cref="RouterOptions.Handover"/>, goes on answering until its successor is
    /// heard. It has ended when <see cref="State"/> is <see cref="RouterState.Initialize"/>; a second call ends it at once.
    /// </summary>
    /// <param name="now">The time.</param>
    public void Stop(TimeSpan now)
    {
        if (!_started) return;
        Do(_machine.Stop(now), "stopped", now);
        if (State == RouterState.Initialize) _started = false;
    }

    /// <summary>Frees what it holds; addresses that are still on this node are taken off by their owner.</summary>
    public void Dispose()
    {
        _holder?.Dispose();
        _links.Dispose();
    }

    private RouterSnapshot TakeSnapshot() => _snapshot = new RouterSnapshot
    {
        Name = Name,
        Interface = _options.Interface,
        RouterId = _options.RouterId,
        State = State,
        Since = _since,
        Priority = _options.Priority,
        EffectivePriority = _machine.EffectivePriority,
        ActiveNode = State is RouterState.Active ? _links.Transport.Source : _machine.ActiveRouter,
        ActivePriority = State is RouterState.Active ? _machine.EffectivePriority : _machine.ActivePriority,
        Addresses = [.. _options.Addresses.Concat(_options.ExcludedAddresses).Select(static a => a.Address)],
        Faults = [.. _faults],
        Tracked = _tracks.Describe(),
        Statistics = Statistics,
    };

    private void Publish(LbEvent notice) => _events?.Publish(notice);
}
