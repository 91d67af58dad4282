namespace Lb.Vrrp;

/// <summary>Routers of one group change their state together (keepalived <c>vrrp_sync_group</c>): decides what the others do after one has changed. Pure.</summary>
internal static class SyncGroupRules
{
    /// <summary>What the other members are told after one has changed.</summary>
    /// <param name="members">The states of all members, the changed one's already the new one.</param>
    /// <param name="changed">Which one has changed.</param>
    /// <returns>
    /// <see cref="RouterState.Fault"/>: <see cref="VrrpMachine.Fault"/> for those that are not; <see cref="RouterState.Active"/> or
    /// <see cref="RouterState.Backup"/>: <see cref="VrrpMachine.Follow"/>; null: nothing. A member that stops is a matter of its own.
    /// </returns>
    public static RouterState? Others(ReadOnlySpan<RouterState> members, int changed) => members[changed] switch
    {
        RouterState.Fault => RouterState.Fault,
        RouterState.Active when members.Contains(RouterState.Fault) => null,
        RouterState.Active => RouterState.Active,
        RouterState.Backup when members.Contains(RouterState.Active) => RouterState.Backup,
        _ => null,
    };

    /// <summary>Whether a member may go to Active by itself: not while another one is in fault.</summary>
    /// <param name="members">The states of all members.</param>
    public static bool MayBeActive(ReadOnlySpan<RouterState> members) => !members.Contains(RouterState.Fault);

    /// <summary>Whether the group may leave the fault, all at once: no member has a cause of its own left.</summary>
    /// <param name="ownFaults">For each member, whether something of its own is wrong.</param>
    public static bool MayRecover(ReadOnlySpan<bool> ownFaults) => !ownFaults.Contains(true);
}
