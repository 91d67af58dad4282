using System.Runtime.CompilerServices;

namespace Lb;

/// <content>The readers' half: picking.</content>
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
        if (_affinity is { } affinity && context.Persistence != PersistenceUse.Ignore)
            return TryPickAgain(affinity, in context, out lease, out failure);
        return TryPickBehindOthers(in context, out lease, out failure);
    }

    // The server that this client had last time.
    private bool TryPickAgain(SourceAffinity affinity, in PickContext context, out ServerLease lease, out PickFailure failure)
    {
        PickContext known = Known(affinity, in context);
        bool picked = TryPickBehindOthers(in known, out lease, out failure);
        if (picked) lease = Remember(affinity, in known, lease, known.Now);
        return picked;
    }

    private PickContext Known(SourceAffinity affinity, in PickContext context)
    {
        long now = context.Now != 0 ? context.Now : _time.GetTimestamp();
        return context with { Now = now, Prefer = context.Prefer ?? affinity.Find(context.Source, now) };
    }

    // Of two first connections of a client at the same moment one decides for those to come. A client that could not have its server gets another for good.
    private ServerLease Remember(SourceAffinity affinity, in PickContext context, ServerLease lease, long now)
    {
        if (lease.Server.Sorry) return lease;
        Server? before = affinity.Find(context.Source, now);
        SourceEntry? entry = affinity.Open(context.Source, lease.Server, now, instead: ReferenceEquals(before, lease.Server) ? null : before);
        if (entry is not null && !Volatile.Read(ref _sweeping))
        {
            lock (_lock) Schedule(now);
        }

        if (entry is null) return lease;
        if (ReferenceEquals(entry.Server, lease.Server)) return lease.With(entry);

        // The other one of the two decides: this connection goes where it was picked, those to come go there.
        entry.Closed(now);
        return lease;
    }

    private bool TryPickBehindOthers(in PickContext context, out ServerLease lease, out PickFailure failure)
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
        Published published = _published;
        if (published.HasDynamicLimits) CountActivity(isNewcomer);
        if (published.MaxConnections > 0 && !HasRoomForMore())
        {
            lease = default;
            failure = published.Scheduler is null ? PickFailure.NoServer : PickFailure.AllFull;
            return false;
        }

        if (IsSticky(in context, isNewcomer))
        {
            bool entered = context.Prefer!.TryEnter(isNewcomer);
            lease = entered ? new ServerLease(context.Prefer, now) : default;
            failure = entered ? PickFailure.None : PickFailure.AllFull;
            return entered;
        }

        if (context.Prefer is not null && MustWaitForReturn(in context))
        {
            lease = default;
            failure = PickFailure.PreferredDown;
            return false;
        }

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

    private bool IsSticky(in PickContext context, bool isNewcomer = true) =>
        context.Prefer is { } preferred && CanServeSticky(preferred, context.Persistence) && !context.Excludes(preferred) && !(isNewcomer && IsQueueFull(preferred))
        && !(IsOnTrial(preferred) && !preferred.HasRoom);

    // HAProxy's maxqueue: rather another server than a long wait.
    private static bool IsQueueFull(Server server) => server.MaxQueue > 0 && server.Queued >= server.MaxQueue && !server.HasRoom;

    // Its few leases are for whoever comes; nobody waits for the next trial.
    private static bool IsOnTrial(Server server) => server.Ejection is { IsTrial: true };

    // Down or ejected, and used all the same: panic, a limit to how many checks may take out, nobody else.
    private bool IsInUse(Server server) => !IsOnTrial(server) && _published.Snapshot?.IndexOf(server) >= 0;

    private bool CanServeSticky(Server server, PersistenceUse use)
    {
        if (!server.InUse || !ReferenceEquals(server.Pool, this) || server.Standing == ServerAdmin.Maintenance || use == PersistenceUse.Ignore) return false;
        if (server.Sorry) return Mode == PoolMode.Sorry;
        bool isWell = server.Ejection is null && (server.Health != ServerHealth.Down || server.InhibitOnFailure);
        return isWell || use == PersistenceUse.Force || _protections.OnDown == PersistenceOnDown.Persist || IsInUse(server);
    }

    // The server is known, down, and nobody else may serve its clients.
    private bool MustWaitForReturn(in PickContext context) =>
        _protections.OnDown == PersistenceOnDown.Fail && context.Persistence != PersistenceUse.Ignore
        && context.Prefer is { InUse: true, Sorry: false, Status: ServerStatus.Down or ServerStatus.Ejected } preferred
        && ReferenceEquals(preferred.Pool, this) && !IsInUse(preferred);

    // Counted, not kept: a few that come at the same moment may get in together.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool HasRoomForMore()
    {
        long active = 0;
        foreach (Server server in _all) active += server.InFlight;
        return active < _protections.MaxConnections;
    }

    /// <summary>What the pool has to do, and how much is full, for limits that go by it.</summary>
    internal (int Active, int Full) Activity => (_activity, _protections.FullConnections);

    private volatile int _activity;

    // As HAProxy counts beconn: those who are served, those who wait, and the one who asks.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CountActivity(bool isNewcomer)
    {
        int active = _queue.Count + (isNewcomer ? 1 : 0);
        foreach (Server server in _all) active += server.InFlight;
        _activity = active;
    }

    // The proposal was full or excluded: ask again, then take the next one with room, then an excluded one with room: better than to wait, and as
    // HAProxy does. So a caller waits only while every server is full, and never holds up others who would find room.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryPickOther(
        Published published, Server proposal, in PickContext context, bool isNewcomer, long now, out ServerLease lease, out PickFailure failure)
    {
        failure = PickFailure.None;
        if (IsBoundByKey(published, proposal, in context))
        {
            lease = default;
            failure = PickFailure.AllFull;
            return false;
        }

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
}
