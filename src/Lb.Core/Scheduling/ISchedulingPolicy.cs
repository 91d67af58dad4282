namespace Lb;

/// <summary>
/// One scheduling algorithm, configured for one pool. Called by the pool's single writer, under its lock; may allocate. What must survive a change of
/// the pool (a rotation's position) lives here; what is worked out from the servers lives in the scheduler.
/// </summary>
public interface ISchedulingPolicy
{
    /// <summary>Freezes the algorithm over the servers that may be picked now. Called whenever they change.</summary>
    /// <param name="snapshot">The servers; never empty.</param>
    IScheduler Build(PoolSnapshot snapshot);

    /// <summary>What the pool must know of the algorithm. Default: <see cref="PolicyTraits.None"/>.</summary>
    PolicyTraits Traits => PolicyTraits.None;

    /// <summary>How often the pool builds anew although no server changed, for policies whose weights come from outside; default zero = never.</summary>
    TimeSpan RebuildInterval => TimeSpan.Zero;
}

/// <summary>What a pool must know of a scheduling policy.</summary>
[Flags]
public enum PolicyTraits
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>
    /// It reads <see cref="PoolSnapshot.LiveWeights"/>, and can take a change of weight each second: slow start acts on it. Policies with tables keep to
    /// <see cref="PoolSnapshot.Weights"/>, because a change of weight moves keys.
    /// </summary>
    FollowsLiveWeights = 1,

    /// <summary>The key or the client's address decides: callers with the same key must come to the same priority level and zone.</summary>
    UsesKey = 2,

    /// <summary>The server that the key leads to is waited for when it is full, unless the pool says otherwise (HAProxy <c>hash-preserve-affinity always</c>).</summary>
    PreservesAffinity = 4,

    /// <summary>It reads <see cref="IPickRequest.FirstBytes"/>: TCP gateways wait for a Remote Desktop client's request before they pick.</summary>
    UsesFirstBytes = 8,
}

/// <summary>A scheduling algorithm frozen over one snapshot. Called by any thread, by many at a time; must not allocate, lock or block.</summary>
public interface IScheduler
{
    /// <summary>
    /// Proposes a server of the snapshot. The pool admits it: when it is full or excluded the pool asks again a few times and then takes the next one
    /// in the snapshot's order, so a policy looks at <see cref="PickContext.Excludes"/> and <see cref="Server.HasRoom"/> only if it can do better.
    /// </summary>
    /// <param name="context">What the pick may depend on.</param>
    /// <param name="now">A timestamp of the pool's clock.</param>
    Server Pick(in PickContext context, long now);

    /// <summary>
    /// Tells what <see cref="Pick"/> would answer, and changes nothing: no turn is taken. For people (<see cref="ServerPool.Explain"/>); may allocate.
    /// Default: it can't tell.
    /// </summary>
    /// <param name="context">What the pick may depend on.</param>
    /// <param name="now">A timestamp of the pool's clock.</param>
    SchedulerAnswer Explain(in PickContext context, long now) => default;
}

/// <summary>What a scheduler says of a pick before it is made.</summary>
/// <param name="Choice">The server it would propose; null when it can't tell, or when chance decides.</param>
/// <param name="Hash">The hash of the key; null without one.</param>
/// <param name="Note">How it came to that, for people; null = nothing to say.</param>
public readonly record struct SchedulerAnswer(Server? Choice, ulong? Hash, string? Note);
