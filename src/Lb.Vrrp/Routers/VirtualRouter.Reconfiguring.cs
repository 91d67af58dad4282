namespace Lb.Vrrp;

/// <content>Other options while it runs.</content>
public sealed partial class VirtualRouter
{
    private readonly string _rebuildKey;
    private volatile string _addressKey;

    /// <summary>True when <see cref="Reconfigure"/> can take these options. Any thread.</summary>
    internal bool CanBecome(RouterOptions options) =>
        RouterChanges.Key(options) == _rebuildKey && (RouterChanges.AddressKey(options) == _addressKey || (_links.CanChangeAddresses?.Invoke(options) ?? false));

    /// <summary>
    /// Takes other options without a change of hands: priority, interval, adverts that may be missing, preemption, delays, handover, checksum, checks of
    /// addresses and subnet, announcements, what is tracked. What was tracked in the same way before stays known.
    /// </summary>
    /// <param name="options">Valid options.</param>
    /// <param name="now">The time.</param>
    /// <returns>
    /// False, and nothing is changed, when the router has to be made anew: another interface, number, version, authentication, peers, virtual MAC address,
    /// group or lifetime; or another list of addresses, and its owner is the host's own.
    /// </returns>
    public bool Reconfigure(RouterOptions options, TimeSpan now)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!CanBecome(options)) return false;
        RouterOptions old = _options;
        RouterTracks tracks = new(options);
        tracks.Adopt(_tracks, old);
        bool moves = RouterChanges.AddressKey(options) != _addressKey;
        if (moves) _links.ChangeAddresses?.Invoke(options);
        _addressKey = RouterChanges.AddressKey(options);
        (_options, _tracks) = (options, tracks);
        _messages = new RouterMessages(options, _links, _time, _messages);
        if (moves || RouterChanges.Key(options.Announce) != RouterChanges.Key(old.Announce))
        {
            _announce = new AnnounceSchedule(_links.Announcer?.Count ?? 0, options.Announce);
            BeginAnnouncing(now);
        }

        int before = _machine.EffectivePriority;
        Do(_machine.Reconfigure(RouterMessages.Settings(options), now), "reconfigured", now);
        if (_started)
        {
            ApplyTracks(before, "reconfigured", now);
            if (!_machine.IsReady && _tracks.AllKnown) Do(_machine.Ready(now), "everything tracked was looked at", now);
        }

        if (moves && State == RouterState.Active && _holder is { } holder) Take(holder.AcquireAgain(now), now);
        QueueAhead();
        Refresh();
        return true;
    }
}
