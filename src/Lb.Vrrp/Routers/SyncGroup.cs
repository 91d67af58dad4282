namespace Lb.Vrrp;

/// <summary>Routers that change their state together (keepalived <c>vrrp_sync_group</c>). The driver's thread.</summary>
internal sealed class SyncGroup
{
    /// <summary>How the reason begins that members have from each other.</summary>
    public const string FaultPrefix = "group ";

    private readonly string _name;
    private readonly string _reason;
    private VirtualRouter[] _members = [];
    private bool _moving;

    /// <summary>Binds the members together.</summary>
    public SyncGroup(string name, IEnumerable<VirtualRouter> members)
    {
        _name = name;
        _reason = $"{FaultPrefix}{name} is in fault";
        Take([.. members]);
    }

    /// <summary>
    /// Other members, of which those that were there before stay bound all the time: a group in fault must not be without its fault for a moment. Members
    /// that have not started begin with what holds for the group. None: the group ends.
    /// </summary>
    public void Bind(IEnumerable<VirtualRouter> members, TimeSpan now)
    {
        VirtualRouter[] before = _members;
        Take([.. members]);
        foreach (VirtualRouter member in before.Except(_members))
        {
            member.StateChanged = null;
            member.FaultsChanged = null;
            member.ShiftChanged = null;
            member.HoldUntil = null;
            member.SetGroupShift(null, now, applies: true);
            member.ClearFault(_reason, now);
        }

        if (_members.Length > 0) Judge(now);
    }

    /// <summary>One in fault, all in fault; the last own reason gone, none.</summary>
    public void Judge(TimeSpan now)
    {
        Shift(changed: null, now);
        if (_moving) return;
        _moving = true;
        bool any = Array.Exists(_members, static m => m.HasOwnFault);
        foreach (VirtualRouter member in _members)
        {
            if (any) member.SetFault(_reason, now);
            else member.ClearFault(_reason, now);
        }

        _moving = false;
    }

    private void Take(VirtualRouter[] members)
    {
        _members = members;
        foreach (VirtualRouter member in _members)
        {
            member.StateChanged = Changed;
            member.FaultsChanged = Judge;
            member.ShiftChanged = Shift;
            member.HoldUntil = HoldUntil;
        }
    }

    // The other node is dead when all its members are silent: with one link broken, one would take over and the other, which hears its better, pull the
    // group back, for ever.
    private TimeSpan HoldUntil(VirtualRouter asking)
    {
        TimeSpan until = TimeSpan.MinValue;
        foreach (VirtualRouter member in _members)
        {
            if (member != asking && member.HearsBetter && member.Machine.Deadline > until) until = member.Machine.Deadline;
        }

        return until;
    }

    // Weights count for all members: a member that is worse than its peer while another is better would drag the group to and fro for ever.
    private void Shift(VirtualRouter? changed, TimeSpan now)
    {
        int least = Math.Min(0, _members.Min(static m => m.OwnShift)), most = Math.Max(0, _members.Max(static m => m.OwnShift));
        foreach (VirtualRouter member in _members) member.SetGroupShift(least + most, now, applies: member != changed);
    }

    private void Changed(VirtualRouter changed, TimeSpan now)
    {
        if (_moving) return;
        RouterState[] states = [.. _members.Select(static m => m.State)];
        if (SyncGroupRules.Others(states, Array.IndexOf(_members, changed)) is not { } others || others == RouterState.Fault) return;
        _moving = true;
        foreach (VirtualRouter member in _members)
        {
            if (member != changed) member.Follow(others, _name, now);
        }

        _moving = false;
    }
}
