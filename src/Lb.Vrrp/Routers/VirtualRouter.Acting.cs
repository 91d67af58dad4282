namespace Lb.Vrrp;

/// <content>Carries out what the machine decides, in one fixed order.</content>
public sealed partial class VirtualRouter
{
    private const VrrpActions AnyChange =
        VrrpActions.BecameInitialize | VrrpActions.BecameBackup | VrrpActions.BecameActive | VrrpActions.BecameFault | VrrpActions.BecameResigning;

    private AnnounceSchedule _announce;
    private bool _isScheduled;

    private void Do(VrrpActions actions, string cause, TimeSpan now)
    {
        if (actions == VrrpActions.None) return;
        RouterState decided = State;
        if (decided != RouterState.Active) _links.Ahead?.Quiet();
        if ((actions & VrrpActions.SendLastAdvertisement) != 0) Send(_machine.EffectivePriority);
        if ((actions & VrrpActions.SendResign) != 0 && Send(0)) Statistics.CountResignationSent();

        // Who resigns holds the addresses for those that have not heard yet, and must not call them back from the successor.
        if ((actions & VrrpActions.BecameResigning) != 0) _announce.Stop();
        if ((actions & VrrpActions.BecameInitialize) != 0) _started = false;

        // The address first, then the neighbours, then the advert: a predecessor that is handing over lets go when it hears us, and must find us ready.
        if ((actions & VrrpActions.ReleaseAddresses) != 0) Want(false, now);
        bool isAnnounced = (actions & VrrpActions.AcquireAddresses) != 0 && Want(true, now) == HolderEvent.Acquired;

        // They could not be taken: the fault that follows was carried out meanwhile, and is the last word.
        if (State != decided) return;
        if ((actions & VrrpActions.Announce) != 0 && !isAnnounced) BeginAnnouncing(now);
        if ((actions & VrrpActions.AnnounceOnce) != 0 && CanAnnounce) _announce.Again(now);
        AnnounceDue(now);
        if ((actions & VrrpActions.SendAdvertisement) != 0) SendOwn();
        if ((actions & AnyChange) != 0) Changed(cause, now);
    }

    private bool CanAnnounce => State == RouterState.Active && _links.Announcer is not null && _holder is { IsHeld: true };

    private void BeginAnnouncing(TimeSpan now)
    {
        if (!CanAnnounce) return;
        _announce.Start(now);
        AnnounceDue(now);
    }

    private void AnnounceDue(TimeSpan now)
    {
        if (now < _announce.Due || _links.Announcer is not { } announcer) return;
        while (_announce.TryNext(now, out int index))
        {
            if (announcer.Announce(index)) Statistics.CountAnnouncement();
        }
    }

    // What is due by the clock alone the kernel may have sent already.
    private void SendOwn()
    {
        if (_isScheduled && _links.Ahead is { IsRunning: true } ahead)
        {
            IsSent(ahead.TakeResult());
            _links.Heartbeat?.Send(_messages.WriteHeartbeat((byte)_machine.EffectivePriority));
        }
        else
        {
            Send(_machine.EffectivePriority);
        }

        QueueAhead();
    }

    private void QueueAhead()
    {
        if (State == RouterState.Active) _links.Ahead?.Follow(_messages.Write((byte)_machine.EffectivePriority), _machine.Deadline, _options.AdvertisementInterval);
    }

    // The second heartbeat is a help: what becomes of its adverts changes nothing.
    private bool Send(int priority)
    {
        bool isSent = IsSent(_links.Transport.Send(_messages.Write((byte)priority)));
        if (_options.AlsoVersion2) IsSent(_links.Transport.Send(_messages.WriteVersion2((byte)priority)));
        _links.Heartbeat?.Send(_messages.WriteHeartbeat((byte)priority));
        return isSent;
    }

    private bool IsSent(VrrpSendResult result)
    {
        if (result == VrrpSendResult.Sent)
        {
            Statistics.CountSent();
            _linkRetryAfter = FirstRetry;
            return true;
        }

        Statistics.CountSendFailure();
        if (result == VrrpSendResult.LinkDown) _linkFailed = true;
        else if (result == VrrpSendResult.Refused) _refused = true;
        return false;
    }

    private HolderEvent Want(bool wanted, TimeSpan now)
    {
        if (!wanted) _announce.Stop();
        if (_holder is not { } holder) return HolderEvent.None;
        HolderResult result = holder.Want(wanted, now);
        Take(result, now);
        return result.Kind;
    }

    private void Take(HolderResult result, TimeSpan now)
    {
        switch (result.Kind)
        {
            case HolderEvent.Acquired:
                _retryAfter = FirstRetry;
                BeginAnnouncing(now);
                break;
            case HolderEvent.Restored:
                Statistics.CountRestored();
                RouterLog.Restored(_log, Name);
                Publish(new AddressesRestored(_time.GetUtcNow(), Name));
                BeginAnnouncing(now);
                break;
            case HolderEvent.Failed:
                RouterLog.AddressesFailed(_log, Name, result.Error ?? "");

                // What a Backup can't get rid of is tried again by the holder; it can still take over.
                if (State is RouterState.Active or RouterState.Resigning) RetryLater(result.Error ?? "", now);
                break;
        }
    }

    private RouterState _told = RouterState.Initialize;

    private void Changed(string cause, TimeSpan now)
    {
        RouterState from = _told, to = State;
        if (from == to) return;
        _told = to;
        _since = _time.GetUtcNow();
        if (to == RouterState.Active)
        {
            Statistics.CountBecameActive();
            _mainHeard = now;
        }

        if (from == RouterState.Active) Statistics.CountReleasedActive();
        Refresh();
        RouterLog.StateChanged(_log, Name, from, to, EffectivePriority, cause);
        Publish(new RouterStateChanged(_since, Name, from, to, EffectivePriority, cause));
        if (from != RouterState.Initialize) StateChanged?.Invoke(this, now);
    }

    /// <summary>
    /// Told after every change of state but the start, on the router's thread: the group's members follow. Who has just started and is Backup must not end the
    /// others' mastership.
    /// </summary>
    internal Action<VirtualRouter, TimeSpan>? StateChanged { get; set; }
}
