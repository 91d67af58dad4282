namespace Lb;

/// <summary>
/// LVS never queue (<c>nq</c>): the first idle server in the order of declaration; when none is idle, the one with the shortest expected delay
/// (<see cref="LvsShortestExpectedDelay"/>).
/// </summary>
public sealed class LvsNeverQueuing : ISchedulingPolicy
{
    /// <inheritdoc/>
    public IScheduler Build(PoolSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new LvsShortestExpectedDelay.Scheduler(snapshot, idleFirst: true);
    }
}
