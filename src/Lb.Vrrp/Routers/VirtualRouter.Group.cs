namespace Lb.Vrrp;

/// <content>What the others of a sync group, and the link, have it do.</content>
public sealed partial class VirtualRouter
{
    /// <summary>Told when a reason for a fault has come or gone, on the router's thread.</summary>
    internal Action<TimeSpan>? FaultsChanged { get; set; }

    /// <summary>What the weights of what it tracks add to its priority.</summary>
    internal int OwnShift { get; private set; }

    /// <summary>Told when <see cref="OwnShift"/> has changed, before it counts, on the router's thread.</summary>
    internal Action<VirtualRouter, TimeSpan>? ShiftChanged { get; set; }

    /// <summary>What the group adds to the priority of each member, in place of its own; null = there is none.</summary>
    internal void SetGroupShift(int? shift, TimeSpan now, bool applies)
    {
        if (_groupShift == shift) return;
        _groupShift = shift;
        if (!_started || !applies) return;
        ApplyTracks(EffectivePriority, "weights of the group", now);
        Refresh();
    }

    /// <summary>Asked when a Backup is about to take over: until when it has to wait for the others of its group.</summary>
    internal Func<VirtualRouter, TimeSpan>? HoldUntil { get; set; }

    /// <summary>True while it hears an Active node that it would not take over from.</summary>
    internal bool HearsBetter => State == RouterState.Backup && _machine.ActivePriority > 0 && _machine.ActivePriority >= _machine.EffectivePriority;

    /// <summary>True with a reason for a fault that is not the group's.</summary>
    internal bool HasOwnFault => _faults.Any(static f => !f.StartsWith(SyncGroup.FaultPrefix, StringComparison.Ordinal));

    /// <summary>True while a slow owner still gives the addresses up.</summary>
    internal bool IsReleasing => _holder?.IsBusy ?? false;

    /// <summary>Becomes what another member of the group has become: Active or Backup.</summary>
    internal void Follow(RouterState state, string group, TimeSpan now)
    {
        if (_started) Do(_machine.Follow(state, now), $"the others of group {group} are {state}", now);
    }

    /// <summary>An address of ours was taken off this node by somebody else, or has run out: puts it back and announces it.</summary>
    internal void AddressGone(TimeSpan now)
    {
        if (State == RouterState.Active && _holder is { } holder) Take(holder.Restore(now), now);
    }

    /// <summary>Somebody else answers for one of our addresses: says so, and tells the neighbours once more where it is.</summary>
    internal void Conflict(PeerAddress address, string mac, TimeSpan now)
    {
        if (State != RouterState.Active || now - _conflictTold < TellAgain) return;
        _conflictTold = now;
        string text = Text(address);
        RouterLog.Conflict(_log, Name, text, mac);
        Publish(new AddressConflictDetected(_time.GetUtcNow(), Name, text, mac));
        _announce.Again(now);
    }

    private TimeSpan _conflictTold = TimeSpan.MinValue / 2;

    private int? _groupShift;
}
