namespace Lb.Vrrp;

/// <content>Carries out what the machine decides, in one fixed order.</content>
public sealed partial class VirtualRouter
{
    private const VrrpActions AnyChange =
        VrrpActions.BecameInitialize | VrrpActions.BecameBackup | VrrpActions.BecameActive | VrrpActions.BecameFault | VrrpActions.BecameResigning;

    private readonly AnnounceSchedule _announce;

    private void Do(VrrpActions actions, string cause, TimeSpan now)
    {
        if (actions == VrrpActions.None) return;
        if ((actions & VrrpActions.SendLastAdvertisement) != 0) Send(_machine.EffectivePriority);
        if ((actions & VrrpActions.SendResign) != 0)
        {
            Send(0);
            Statistics.CountResignationSent();
        }

        // The address first, then the neighbours, then the advert: a predecessor that is handing over lets go when it hears us, and must find us ready.
        if ((actions & VrrpActions.ReleaseAddresses) != 0) Want(false, now);
        if ((actions & VrrpActions.AcquireAddresses) != 0) Want(true, now);
        if ((actions & VrrpActions.Announce) != 0) BeginAnnouncing(now);
        if ((actions & VrrpActions.AnnounceOnce) != 0 && CanAnnounce) _announce.Again(now);
        AnnounceDue(now);
        if ((actions & VrrpActions.SendAdvertisement) != 0) Send(_machine.EffectivePriority);
        if ((actions & AnyChange) != 0) Changed(cause, now);
    }

    private bool CanAnnounce => (_holder?.IsHeld ?? false) && State is RouterState.Active or RouterState.Resigning;

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

    private void Send(int priority)
    {
        ReadOnlySpan<byte> message = _messages.Write((byte)priority);
        Sent(_links.Transport.Send(message));
        if (_options.AlsoVersion2) Sent(_links.Transport.Send(_messages.WriteVersion2((byte)priority)));
        if (_links.Heartbeat is not { } second) return;
        second.Send(_messages.WriteHeartbeat((byte)priority));
    }

    private void Sent(VrrpSendResult result)
    {
        if (result == VrrpSendResult.Sent)
        {
            Statistics.CountSent();
            return;
        }

        Statistics.CountSendFailure();
        if (result == VrrpSendResult.LinkDown) _linkFailed = true;
        else if (result == VrrpSendResult.Refused) _refused = true;
    }

    private void Want(bool wanted, TimeSpan now)
    {
        if (!wanted) _announce.Stop();
        if (_holder is not { } holder) return;
        Take(holder.Want(wanted, now), now);
    }

    private void Take(HolderResult result, TimeSpan now)
    {
        switch (result.Kind)
        {
            case HolderEvent.Acquired:
                ClearFault(AddressFault, now);
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
                if (State is not (RouterState.Initialize or RouterState.Fault)) RetryLater(result.Error ?? "", now);
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
        if (to == RouterState.Active) Statistics.CountBecameActive();
        if (from == RouterState.Active) Statistics.CountReleasedActive();
        TakeSnapshot();
        RouterLog.StateChanged(_log, Name, from, to, EffectivePriority, cause);
        Publish(new RouterStateChanged(_since, Name, from, to, EffectivePriority, cause));
        StateChanged?.Invoke(this, now);
    }

    /// <summary>Told after every change of state, on the router's thread: the group's members follow.</summary>
    internal Action<VirtualRouter, TimeSpan>? StateChanged { get; set; }
}
