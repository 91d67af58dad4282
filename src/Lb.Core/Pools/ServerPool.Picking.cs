using System.Runtime.CompilerServices;

namespace Lb;

/// <content>The readers' half: picking, and waiting when all are full.</content>
public sealed partial class ServerPool
{
    // Proposals of the policy before the pool goes on by itself, in the order of the snapshot.
    private const int Proposals = 3;

    /// <summary>
    /// Picks a server and claims a slot on it. The hot path: never waits, locks or allocates. Callers that wait in the queue are not overtaken.
    /// </summary>
    /// <param name="context">What the pick may depend on.</param>
    /// <param name="lease">The claim; complete it exactly once.</param>
    /// <param name="failure">Why there is none.</param>
    /// <returns>True when there is a lease.</returns>
    public bool TryPick(in PickContext context, out ServerLease lease, out PickFailure failure)
    {
        if (_queue.UnboundCount == 0 || IsSticky(in context)) return TryPickNow(in context, isNewcomer: true, out lease, out failure);

        // Those who wait come first; but if there is no server at all, say so.
        lease = default;
        failure = _published.Scheduler is null ? PickFailure.NoServer : PickFailure.AllFull;
        return false;
    }

    /// <summary>Picks a server; when all are full, waits for a slot, first come first served.</summary>
    /// <param name="context">What the pick may depend on.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>The lease; complete it exactly once.</returns>
    /// <exception cref="NoServerException">No server is usable, the queue is full, or <see cref="PoolSettings.QueueTimeout"/> has passed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="ct"/> was cancelled.</exception>
    public ValueTask<ServerLease> AcquireAsync(PickContext context, CancellationToken ct)
    {
        if (ct.IsCancellationRequested) return ValueTask.FromCanceled<ServerLease>(ct);
        if (TryPick(in context, out ServerLease lease, out PickFailure failure)) return ValueTask.FromResult(lease);
        return failure == PickFailure.AllFull ? WaitAsync(context, ct) : ValueTask.FromException<ServerLease>(new NoServerException(Name, failure));
    }

    private bool TryPickNow(in PickContext context, bool isNewcomer, out ServerLease lease, out PickFailure failure)
    {
        long now = context.Now != 0 ? context.Now : _time.GetTimestamp();
        if (IsSticky(in context))
        {
            bool entered = context.Prefer!.TryEnter(isNewcomer);
            lease = entered ? new ServerLease(context.Prefer, now) : default;
            failure = entered ? PickFailure.None : PickFailure.AllFull;
            return entered;
        }

        Published published = _published;
        if (published.Scheduler is null)
        {
            lease = default;
            failure = PickFailure.NoServer;
            return false;
        }

        Server server = published.Scheduler.Pick(in context, now);
        if ((!context.HasExclusions || !context.Excludes(server)) && server.TryEnter(isNewcomer))
        {
            lease = new ServerLease(server, now);
            failure = PickFailure.None;
            return true;
        }

        return TryPickOther(published, server, in context, isNewcomer, now, out lease, out failure);
    }

    private bool IsSticky(in PickContext context) => context.Prefer is { } preferred && CanServeSticky(preferred) && !context.Excludes(preferred);

    private bool CanServeSticky(Server server) =>
        server.InUse && ReferenceEquals(server.Pool, this) && server.Health == ServerHealth.Up && server.Admin != ServerAdmin.Maintenance;

    // The proposal was full or excluded: ask again, then take the next one with room, then an excluded one with room: better than to wait, and as
    // HAProxy does. So a caller waits only while every server is full, and never holds up others who would find room.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryPickOther(
        Published published, Server proposal, in PickContext context, bool isNewcomer, long now, out ServerLease lease, out PickFailure failure)
    {
        failure = PickFailure.None;
        for (int n = 1; n < Proposals; n++)
        {
            Server server = published.Scheduler!.Pick(in context, now);
            if (context.Excludes(server) || !server.TryEnter(isNewcomer)) continue;
            lease = new ServerLease(server, now);
            return true;
        }

        PoolSnapshot snapshot = published.Snapshot!;
        ReadOnlySpan<Server> servers = snapshot.Servers;
        int start = Math.Max(0, snapshot.IndexOf(proposal));
        for (int n = 0; n < servers.Length; n++)
        {
            Server server = servers[(start + n) % servers.Length];
            if (context.Excludes(server) || !server.TryEnter(isNewcomer)) continue;
            lease = new ServerLease(server, now);
            return true;
        }

        for (int n = 0; context.HasExclusions && n < servers.Length; n++)
        {
            Server server = servers[(start + n) % servers.Length];
            if (!context.Excludes(server) || !server.TryEnter(isNewcomer)) continue;
            lease = new ServerLease(server, now);
            return true;
        }

        lease = default;
        failure = PickFailure.AllFull;
        return false;
    }

    private async ValueTask<ServerLease> WaitAsync(PickContext context, CancellationToken ct)
    {
        // The wait may be long: its latency samples start when it ends, not now. One who is not bound takes any server, whatever it had preferred.
        Server? bound = IsSticky(in context) ? context.Prefer : null;
        context = context with { Now = 0, Prefer = bound };
        WaitQueue.Waiter waiter = new(context, bound);
        lock (_lock)
        {
            if (_settings.MaxQueue > 0 && _queue.Count >= _settings.MaxQueue) throw new NoServerException(Name, PickFailure.QueueFull);
            _queue.Add(waiter);
            Grant();
        }

        if (waiter.Completion.Task.IsCompleted) return await waiter.Completion.Task.ConfigureAwait(false);

        (ServerPool Pool, WaitQueue.Waiter Waiter) state = (this, waiter);
        using CancellationTokenRegistration registration = ct.UnsafeRegister(
            static (state, token) =>
            {
                (ServerPool pool, WaitQueue.Waiter waiter) = ((ServerPool, WaitQueue.Waiter))state!;
                if (pool.Leave(waiter)) waiter.Completion.TrySetCanceled(token);
            },
            state);
        using ITimer timer = _time.CreateTimer(
            static state =>
            {
                (ServerPool pool, WaitQueue.Waiter waiter) = ((ServerPool, WaitQueue.Waiter))state!;
                if (pool.Leave(waiter)) waiter.Completion.TrySetException(new NoServerException(pool.Name, PickFailure.QueueTimeout));
            },
            state,
            _settings.QueueTimeout,
            Timeout.InfiniteTimeSpan);
        return await waiter.Completion.Task.ConfigureAwait(false);
    }

    private bool Leave(WaitQueue.Waiter waiter)
    {
        lock (_lock) return _queue.Remove(waiter);
    }

    internal void OnReleased()
    {
        if (_queue.Count == 0) return;
        lock (_lock) Grant();
    }

    // Under the lock. Gives free slots to those who wait, oldest first; one who is bound to a full server lets the next one by.
    private void Grant()
    {
        bool blocked = false;
        for (LinkedListNode<WaitQueue.Waiter>? node = _queue.First, next; node is not null; node = next)
        {
            next = node.Next;
            WaitQueue.Waiter waiter = node.Value;
            if (waiter.Bound is not null && !CanServeSticky(waiter.Bound)) _queue.Unbind(waiter);
            if (waiter.Bound is null && blocked)
            {
                if (_queue.Count == _queue.UnboundCount) return;
                continue;
            }

            ServerLease lease;
            PickFailure failure;
            try
            {
                TryPickNow(waiter.Context, isNewcomer: false, out lease, out failure);
            }
            catch (Exception error)
            {
                // A policy of the host's own. It is the waiter's pick that failed, not the work of whoever has just freed a slot.
                _queue.Remove(waiter);
                waiter.Completion.TrySetException(error);
                continue;
            }

            if (failure == PickFailure.None)
            {
                _queue.Remove(waiter);
                waiter.Completion.TrySetResult(lease);
            }
            else if (failure == PickFailure.NoServer)
            {
                _queue.Remove(waiter);
                waiter.Completion.TrySetException(new NoServerException(Name, failure));
            }
            else if (waiter.Bound is null)
            {
                blocked = true;
            }
        }
    }
}
