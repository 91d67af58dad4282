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
}
