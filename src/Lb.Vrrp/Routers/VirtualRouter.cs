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
    private volatile RouterSnapshot _snapshot;
    private TimeSpan _mainHeard;
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
        _rebuildKey = RouterChanges.Key(options);
        _addressKey = RouterChanges.AddressKey(options);
        _snapshot = TakeSnapshot();
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
            TimeSpan first = _holder?.Deadline ?? TimeSpan.MaxValue;
            if (!_started) return first;
            if (_machine.Deadline < first) first = _machine.Deadline;
            if (_announce.Due < first) first = _announce.Due;
            if (_links.Ahead is { } ahead && ahead.Due < first) first = ahead.Due;
            if (_linkRetryAt < first) first = _linkRetryAt;
            return _retryAt < first ? _retryAt : first;
        }
    }

    /// <summary>Called, on any thread, when a slow address owner has come to an end: the driver calls <see cref="Advance"/> soon.</summary>
    public Action? Wake { get; set; }

    internal RouterOptions Options => _options;

    internal RouterLinks Links => _links;

    internal VrrpMachine Machine => _machine;

    /// <summary>The router as it is. Any thread; a little old at worst.</summary>
    public RouterSnapshot Snapshot() => _snapshot;

    /// <summary>How late the driver is for what the election or the announcements had due: to be asked before packets are brought, for <see cref="Paused"/>.</summary>
    /// <param name="now">The time.</param>
    /// <returns>Zero when nothing is overdue.</returns>
    public TimeSpan Late(TimeSpan now)
    {
        // What a slow address owner has finished has no time that it was due.
        TimeSpan due = _machine.Deadline < _announce.Due ? _machine.Deadline : _announce.Due;
        return _started && due < now ? now - due : TimeSpan.Zero;
    }

    /// <summary>Begins: Backup, or Active for the owner of the addresses. Nothing is claimed before everything tracked was reported once.</summary>
    /// <param name="now">The time.</param>
    public void Start(TimeSpan now)
    {
        if (_started) return;
        _started = true;

        // The links may have been opened since it was made.
        _messages = new RouterMessages(_options, _links, _time, _messages);
        _retryAt = TimeSpan.MaxValue;
        _linkRetryAt = TimeSpan.MaxValue;
        _retryAfter = _linkRetryAfter = FirstRetry;
        _rivals.Clear();
        if (_tracks.AllKnown) _machine.Ready(now);
        _machine.SetPriority(Judge(now), now);
        _faults.RemoveWhere(static f => f is LinkFault or AddressFault || f.StartsWith(RouterTracks.FaultPrefix, StringComparison.Ordinal));
        _faults.UnionWith(_trackFaults);
        if (_links.Transport.Source.IsEmpty)
        {
            _faults.Add(LinkFault);
            if (Reopen is not null) RetryLinkLater(now);
        }

        // With a fault even the owner of the addresses claims nothing: the machine is in fault before anything it says is done.
        VrrpActions first = _machine.Start(now);
        if (_faults.Count > 0)
        {
            _machine.Fault(now);
            first = VrrpActions.BecameFault;
        }

        Do(first, _faults.Min ?? "started", now);
        FaultsChanged?.Invoke(now);
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
        if (IsTieOfSecondLink(in advert, in datagram, now)) return;
        RouterState before = State;
        (PeerAddress active, byte priority) = (_machine.ActiveRouter, _machine.ActivePriority);
        (PeerAddress from, PeerAddress own) = Ends(in advert, in datagram);
        VrrpActions actions = _machine.Received(in advert, from, own, datagram.ArrivedAt, now);
        Diagnose(in advert, in datagram, actions, before, now);
        if (actions != VrrpActions.None) Do(actions, CauseOf(in advert, in datagram, actions), now);
        if (State != RouterState.Active && (active != _machine.ActiveRouter || priority != _machine.ActivePriority)) Refresh();
    }

    /// <summary>Does what is due: see <see cref="Deadline"/>. Calling it early or often does no harm.</summary>
    /// <param name="now">The time.</param>
    public void Advance(TimeSpan now)
    {
        if (_holder is { } holder && now >= holder.Deadline) Take(holder.Advance(now), now);
        if (!_started) return;
        if (now >= _retryAt) Retry(now);
        if (now >= _linkRetryAt) RetryLink(now);
        if (_links.Ahead is { } ahead && now >= ahead.Due) ahead.Extend(now);
        if (now >= _machine.Deadline && State == RouterState.Backup && HoldUntil?.Invoke(this) is { } until && until > now) _machine.Hold(until);
        if (now >= _machine.Deadline)
        {
            _isScheduled = State == RouterState.Active && !_machine.OwesAnswer;
            string cause = WhyDue();
            Do(_machine.DeadlineReached(now), cause, now);
            _isScheduled = false;
        }

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
    /// heard. It has ended when <see cref="State"/> is <see cref="RouterState.Initialize"/>; a second call ends it at once. When it has ended, one more call
    /// cancels what a slow address owner still does, and nobody waits for that any longer.
    /// </summary>
    /// <param name="now">The time.</param>
    public void Stop(TimeSpan now)
    {
        if (_started) Do(_machine.Stop(now), "stopped", now);
        else _holder?.GiveUp();
    }

    /// <summary>Frees what it holds; addresses that are still on this node are taken off by their owner.</summary>
    public void Dispose()
    {
        _holder?.Dispose();
        _links.Dispose();
    }

    // A node has another address on each of its links. To the election the one it was first heard from stays the same node.
    private (PeerAddress From, PeerAddress Own) Ends(in VrrpAdvertisement advert, in VrrpDatagram datagram)
    {
        if (datagram.Link == 0 || _links.Heartbeat is not { } second) return (datagram.Source, _links.Transport.Source);
        bool isSame = State == RouterState.Backup && advert.Priority == _machine.ActivePriority && !_machine.ActiveRouter.IsEmpty;
        return (isSame ? _machine.ActiveRouter : datagram.Source, second.Source);
    }

    // Of equal nodes the higher address wins, and on two links that may be another one each: then both would give way. So the router's own link
    // decides, and the second one only where the first has been silent for as long as makes a peer dead.
    private bool IsTieOfSecondLink(in VrrpAdvertisement advert, in VrrpDatagram datagram, TimeSpan now)
    {
        if (datagram.Link == 0) _mainHeard = now;
        return datagram.Link != 0 && State == RouterState.Active && advert.Priority == _machine.EffectivePriority && now - _mainHeard <= _machine.ActiveDownInterval;
    }

    private string WhyDue() => State != RouterState.Backup ? "time is up"
        : _machine.ActiveRouter.IsEmpty ? "no Active node was heard"
        : _machine.ActivePriority == 0 ? "the Active node has resigned" : "no advert in time";

    // Made by the driver's thread after every change, so that other threads only follow one reference.
    private void Refresh() => _snapshot = TakeSnapshot();

    private RouterSnapshot TakeSnapshot() => new()
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
