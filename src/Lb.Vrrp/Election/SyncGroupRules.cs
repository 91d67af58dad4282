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
}
