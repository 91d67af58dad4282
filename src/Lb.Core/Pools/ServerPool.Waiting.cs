namespace Lb;

/// <content>Who waits when all are full, for what, and how free slots are given out.</content>
public sealed partial class ServerPool
{
    // HAProxy's hash-preserve-affinity: whose key leads to a full server waits for that one. Only asked when a server is full.
    private static bool IsBoundByKey(Published published, Server proposal, in PickContext context)
    {
        if (published.Affinity == HashPreserveAffinity.MaxConn || context.HasExclusions || IsOnTrial(proposal)) return false;
        if (published.Affinity == HashPreserveAffinity.MaxQueue && IsQueueFull(proposal)) return false;
        return published.HasKey(in context);
    }

    // The server that a caller has to wait for: the one persistence names, or the full one that its key leads to.
    private (Server? Server, bool ByKey) BoundTo(in PickContext context)
    {
        if (IsSticky(in context)) return (context.Prefer, ByKey: false);
        Published published = _published;
        if (published.Affinity == HashPreserveAffinity.MaxConn || published.Scheduler is null) return default;
        Server proposal = published.Scheduler.Pick(in context, _time.GetTimestamp());
        return !proposal.HasRoom && IsBoundByKey(published, proposal, in context) ? (proposal, ByKey: true) : default;
    }

    private async ValueTask<ServerLease> WaitAsync(PickContext context, CancellationToken ct)
    {
        // The wait may be long: its latency samples start when it ends, not now. One who is not bound takes any server, whatever it had preferred.
        if (_affinity is { } affinity && context.Persistence != PersistenceUse.Ignore) context = Known(affinity, in context);
        (Server? bound, bool byKey) = BoundTo(in context);

        // One who is not bound takes any server, whatever it had preferred, unless it may only have that one.
        context = context with { Now = 0, Prefer = byKey || (bound is null && !MustWaitForReturn(in context)) ? null : context.Prefer };
        long since = _time.GetTimestamp() + (context.Priority.Offset * TimestampsPerSecond / 1000);
        WaitQueue.Waiter waiter = new(context, bound, byKey, since);
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

    // Under the lock. Gives free slots to those who wait, lowest class and oldest first; one who is bound to a full server lets the next one by.
    private void Grant()
    {
        bool blocked = false;
        for (LinkedListNode<WaitQueue.Waiter>? node = _queue.First, next; node is not null; node = next)
        {
            next = node.Next;
            WaitQueue.Waiter waiter = node.Value;
            if (waiter.Bound is { } bound && !IsStillBound(waiter, bound)) LetGo(waiter);
            if (waiter.Node is null) continue;
            if (waiter.Bound is null && blocked)
            {
                if (_queue.Count == _queue.UnboundCount) return;
                continue;
            }

            if (!TryGrant(waiter) && waiter.Bound is null) blocked |= !TryBind(waiter);
        }
    }

    // By a key: as long as the server may be picked. By persistence: as long as it may serve those who stick to it.
    private bool IsStillBound(WaitQueue.Waiter waiter, Server bound) =>
        waiter.ByKey ? _published.Snapshot?.IndexOf(bound) >= 0 && !IsOnTrial(bound) : CanServeSticky(bound, waiter.Context.Persistence);

    private void LetGo(WaitQueue.Waiter waiter)
    {
        if (!waiter.ByKey && MustWaitForReturn(waiter.Context))
        {
            _queue.Remove(waiter);
            waiter.Completion.TrySetException(new NoServerException(Name, PickFailure.PreferredDown));
            return;
        }

        _queue.Unbind(waiter);
        TryBind(waiter);
    }

    // Its key leads to a full server: it waits for that one, and others need not wait for it.
    private bool TryBind(WaitQueue.Waiter waiter)
    {
        if (waiter.Node is null || BoundTo(waiter.Context) is not (Server { } server, true)) return false;
        _queue.Bind(waiter, server);
        return true;
    }

    // True when the waiter has left the queue.
    private bool TryGrant(WaitQueue.Waiter waiter)
    {
        ServerLease lease;
        PickFailure failure;
        try
        {
            // One that its key has bound insists on that server, whatever persistence would say.
            PickContext context = waiter.ByKey ? waiter.Context with { Prefer = waiter.Bound, Persistence = PersistenceUse.Force } : waiter.Context;
            TryPickNow(in context, isNewcomer: false, out lease, out failure);
        }
        catch (Exception error)
        {
            // A policy of the host's own. It is the waiter's pick that failed, not the work of whoever has just freed a slot.
            _queue.Remove(waiter);
            waiter.Completion.TrySetException(error);
            return true;
        }

        if (failure == PickFailure.None)
        {
            _queue.Remove(waiter);
            if (_affinity is { } affinity && waiter.Context.Persistence != PersistenceUse.Ignore)
                lease = Remember(affinity, waiter.Context, lease, _time.GetTimestamp());
            waiter.Completion.TrySetResult(lease);
            return true;
        }

        if (failure is not (PickFailure.NoServer or PickFailure.PreferredDown)) return false;
        _queue.Remove(waiter);
        waiter.Completion.TrySetException(new NoServerException(Name, failure));
        return true;
    }
}
