namespace Lb;

/// <summary>
/// Hears what happens to the servers of a pool on the thread where it happens, outside the pool's lock and after the new snapshot is published: see
/// <see cref="ServerPool.Watch"/>. Nothing is dropped. For what must follow at once; people and programs that may lag hear of <see cref="LbEvent"/>s.
/// </summary>
/// <remarks>
/// Called by any thread, event loops included, and by several at a time: calls must not block, wait or throw, and may come in another order than the
/// changes. Who needs the last word reads it from the server.
/// </remarks>
public interface IServerWatcher
{
    /// <summary>The status of a server has changed.</summary>
    /// <param name="server">The server.</param>
    /// <param name="from">Status before.</param>
    /// <param name="to">Status after; another change may have followed already.</param>
    void StatusChanged(Server server, ServerStatus from, ServerStatus to)
    {
    }

    /// <summary>Servers have joined or left, or track another server than before.</summary>
    /// <param name="pool">Their pool.</param>
    void MembersChanged(ServerPool pool)
    {
    }

    /// <summary>The pool has lost its quorum, or has it again: see <see cref="ServerPool.HasQuorum"/>.</summary>
    /// <param name="pool">The pool.</param>
    void QuorumChanged(ServerPool pool)
    {
    }

    /// <summary>A server has failed its callers so often in a row that <see cref="PoolOptions.OnError"/> is to act. Counting has begun anew.</summary>
    /// <param name="server">The server.</param>
    /// <param name="failures">Failures in a row.</param>
    void ErrorLimitReached(Server server, int failures)
    {
    }
}
