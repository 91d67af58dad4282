namespace Lb.Vrrp;

/// <summary>Routers that change their state together (keepalived <c>vrrp_sync_group</c>). The driver's thread.</summary>
internal sealed class SyncGroup
{
    /// <summary>How the reason begins that members have from each other.</summary>
    public const string FaultPrefix = "group ";

    private readonly string _name;
    private readonly string _reason;
    private readonly VirtualRouter[] _members;
    private bool _moving;

    /// <summary>Binds the members together.</summary>
    public SyncGroup(string name, IEnumerable<VirtualRouter> members)
    {
        _name = name;
        _reason = $"{FaultPrefix}{name} is in fault";
        _members = [.. members];
        foreach (VirtualRouter member in _members)
        {
            member.StateChanged = Changed;
            member.FaultsChanged = Judge;
        }
    }

    /// <summary>Lets the members go.</summary>
    public void Dissolve(TimeSpan now)
    {
        foreach (VirtualRouter member in _members)
        {
            member.StateChanged = null;
            member.FaultsChanged = null;
            member.ClearFault(_reason, now);
        }
    }

    /// <summary>One in fault, all in fault; the last own reason gone, none.</summary>
    public void Judge(TimeSpan now)
    {
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
