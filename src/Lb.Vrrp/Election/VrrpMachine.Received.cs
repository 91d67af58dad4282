namespace Lb.Vrrp;

/// <content>What an advert changes (RFC 9568 6.4.2, 6.4.3).</content>
internal sealed partial class VrrpMachine
{
    /// <summary>An advert that the reader has let through.</summary>
    /// <param name="advert">What it says.</param>
    /// <param name="from">Who sent it.</param>
    /// <param name="own">The address that own adverts come from.</param>
    /// <param name="arrivedAt">When the kernel took it in: the time it is judged by. Later than <paramref name="now"/> counts as now.</param>
    /// <param name="now">The time now.</param>
    public VrrpActions Received(in VrrpAdvertisement advert, in PeerAddress from, in PeerAddress own, TimeSpan arrivedAt, TimeSpan now)
    {
        if (State is RouterState.Initialize or RouterState.Fault) return VrrpActions.None;
        TimeSpan arrived = arrivedAt < now ? arrivedAt : now;
        if (IsRepeatedInVersion2(advert, from, arrived)) return VrrpActions.None;
        VrrpActions told = EffectivePriority == 255 && advert.Priority == 255 ? VrrpActions.OwnerConflict : VrrpActions.None;
        return told | State switch
        {
            RouterState.Backup => InBackup(advert, from, arrived),
            RouterState.Active => InActive(advert, from, own, arrived, now),
            _ => InResigning(advert),
        };
    }

    private VrrpActions InBackup(in VrrpAdvertisement advert, in PeerAddress from, TimeSpan arrived)
    {
        bool isOther = !ActiveRouter.IsEmpty && from != ActiveRouter;
        ActivePriority = advert.Priority;
        ActiveRouter = from;
        if (advert.Priority == 0)
        {
            _preemptAt = null;
            Wait(arrived, SkewTime);
            return VrrpActions.None;
        }

        if (advert.Priority >= EffectivePriority)
        {
            _preemptAt = null;
        }
        else if (IsOwner || (_settings.Preempt && IsDelayOver(isOther, arrived)))
        {
            return VrrpActions.None; // Not heard: when the time-out ends, this node takes over.
        }

        VrrpActions told = Learn(advert);
        Wait(arrived, ActiveDownInterval);
        return told;
    }

    private VrrpActions InActive(in VrrpAdvertisement advert, in PeerAddress from, in PeerAddress own, TimeSpan arrived, TimeSpan now)
    {
        if (advert.Priority == 0) return Answer(VrrpActions.SendAdvertisement, now);
        if (advert.Priority > EffectivePriority || (advert.Priority == EffectivePriority && VrrpTimes.Compare(from, own) > 0))
        {
            ActiveRouter = from;
            ActivePriority = advert.Priority;
            Become(RouterState.Backup, TimeSpan.MaxValue);
            VrrpActions told = Learn(advert);
            Wait(arrived, ActiveDownInterval);
            return told | VrrpActions.SendLastAdvertisement | VrrpActions.ReleaseAddresses | VrrpActions.BecameBackup;
        }

        // The one that was Active before may still say so once while hands change; later it is a second one.
        VrrpActions dual = now - _activeSince > _settings.Interval ? VrrpActions.DualActiveSeen : VrrpActions.None;
        if (!_settings.LowerPriorityAdvert) return dual | VrrpActions.AnnounceOnce;
        return dual | Answer(VrrpActions.AnnounceOnce | VrrpActions.SendAdvertisement, now);
    }

    // RFC 9568 6.4.3 answers at once. So does this, but for the second answer within a quarter of an interval (at most 250 ms), which waits until that has
    // passed and stands for all that came meanwhile: a flood of forged adverts must not make one of us.
    private VrrpActions Answer(VrrpActions actions, TimeSpan now)
    {
        TimeSpan earliest = _answeredAt + _settings.AnswerSpacing;
        if (now < earliest)
        {
            _owed |= actions;
            if (earliest < Deadline) Deadline = earliest;
            return VrrpActions.None;
        }

        _answeredAt = now;
        _owed = VrrpActions.None;
        Deadline = now + _settings.Interval;
        return actions;
    }

    // The successor has the addresses.
    private VrrpActions InResigning(in VrrpAdvertisement advert)
        => advert.Priority == 0 ? VrrpActions.None : VrrpActions.ReleaseAddresses | BecomeInitialize();

    // Counted from the first advert of lower priority; another Active starts it anew (keepalived preempt_delay).
    private bool IsDelayOver(bool isOther, TimeSpan arrived)
    {
        if (_settings.PreemptDelay <= TimeSpan.Zero) return true;
        if (_preemptAt is null || isOther) _preemptAt = arrived + _settings.PreemptDelay;
        return arrived >= _preemptAt;
    }

    private VrrpActions Learn(in VrrpAdvertisement advert)
    {
        if (_settings.Version == 2) return VrrpActions.None;
        bool isTooLong = advert.Interval > _settings.LongestLearned;
        TimeSpan learned = isTooLong ? _settings.LongestLearned : advert.Interval;
        VrrpActions told = isTooLong ? VrrpActions.IntervalRefused : learned != ActiveInterval ? VrrpActions.IntervalLearned : VrrpActions.None;
        ActiveInterval = learned;
        return told;
    }

    // An advert that was overtaken by a later one (two links) does not bring the deadline forward.
    private void Wait(TimeSpan arrived, TimeSpan time)
    {
        if (arrived > _lastHeard) _lastHeard = arrived;
        TimeSpan deadline = _lastHeard + time;
        Deadline = deadline > _holdUntil ? deadline : _holdUntil;
        _isOverdue = false;
    }

    // RFC 9568 8.4.2: who sends both versions is heard in version 3 only.
    private bool IsRepeatedInVersion2(in VrrpAdvertisement advert, in PeerAddress from, TimeSpan arrived)
    {
        if (!_settings.AlsoVersion2) return false;
        if (advert.Version == 2) return from == _version3From && arrived - _version3At <= ActiveDownInterval;
        _version3From = from;
        _version3At = arrived;
        return false;
    }
}
