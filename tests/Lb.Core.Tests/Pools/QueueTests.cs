using Lb.Testing;

namespace Lb.Core.Tests.Pools;

public sealed class QueueTests
{
    private static readonly LeaseOutcome Done = LeaseOutcome.Success;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void With_room_there_is_no_wait()
    {
        ServerPool pool = Full(1, 1, fill: false);
        Assert.True(Wait(pool).IsCompletedSuccessfully);
    }

    [Fact(Timeout = 60_000)]
    public async Task Callers_are_served_in_the_order_they_came()
    {
        ServerPool pool = Full(1, 1);
        ServerLease lease = Open(pool);
        Task<ServerLease>[] waiting = [.. Enumerable.Range(0, 10).Select(_ => Wait(pool))];
        Assert.Equal(10, pool.QueueLength);
        for (int n = 0; n < waiting.Length; n++)
        {
            Assert.DoesNotContain(waiting[n..], static t => t.IsCompleted);
            lease.Complete(Done);
            lease = await waiting[n].WaitAsync(Ct);
        }

        Assert.Equal(0, pool.QueueLength);
    }

    [Fact(Timeout = 60_000)]
    public async Task Newcomers_do_not_overtake_those_who_wait()
    {
        ServerPool pool = Full(2, 1);
        Task<ServerLease> waiting = Wait(pool);
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
        Open(pool).Complete(Done);
        await waiting.WaitAsync(Ct);
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
    }

    // The moment between a release and its grant: the slot is free, and the one who waits has not got it yet.
    [Fact(Timeout = 60_000)]
    public async Task A_newcomer_does_not_snatch_the_slot_from_one_who_waits_for_any()
    {
        ServerPool pool = Full(2, 1);
        Server a = pool.Get("a"), b = pool.Get("b");
        pool.SetHealth(b, ServerHealth.Down);
        Task<ServerLease> waiting = Wait(pool);
        a.Leave(Done, started: 0);
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
        Assert.Equal(PickFailure.AllFull, pool.FailToPick(new PickContext { Prefer = b }));
        Assert.Equal(PickFailure.AllFull, pool.FailToPick(new PickContext { Prefer = a, Avoid = a }));
        pool.OnReleased();
        Assert.Equal("a", (await waiting.WaitAsync(Ct)).Server.Name);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_newcomer_does_not_snatch_the_slot_from_one_who_waits_for_that_server()
    {
        ServerPool pool = Full(2, 1);
        Server a = pool.Get("a");
        Task<ServerLease> waiting = Wait(pool, new PickContext { Prefer = a });
        a.Leave(Done, started: 0);
        Assert.False(a.HasRoom);
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
        Assert.Equal(PickFailure.AllFull, pool.FailToPick(new PickContext { Prefer = a }));
        pool.OnReleased();
        Assert.Equal("a", (await waiting.WaitAsync(Ct)).Server.Name);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_sticky_caller_waits_for_its_server_and_lets_the_others_by()
    {
        ServerPool pool = Full(2, 1);
        Task<ServerLease> sticky = Wait(pool, new PickContext { Prefer = pool.Get("a") }), any = Wait(pool);
        Assert.Equal((1, 0), (pool.Get("a").Queued, pool.Get("b").Queued));

        Open(pool, "b").Complete(Done);
        Assert.Equal("b", (await any.WaitAsync(Ct)).Server.Name);
        Assert.False(sticky.IsCompleted);
        Open(pool, "a").Complete(Done);
        Assert.Equal("a", (await sticky.WaitAsync(Ct)).Server.Name);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_sticky_caller_waits_although_others_have_room()
    {
        ServerPool pool = TestPool.Create(2, configure: static o => o.Servers[0].MaxConnections = 1);
        ServerLease open = pool.Pick(new PickContext { Prefer = pool.Get("a") });
        Task<ServerLease> sticky = Wait(pool, new PickContext { Prefer = pool.Get("a") });
        Assert.Equal("b", pool.Pick().Server.Name);
        Assert.False(sticky.IsCompleted);
        open.Complete(Done);
        Assert.Equal("a", (await sticky.WaitAsync(Ct)).Server.Name);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_sticky_caller_whose_server_fails_takes_another()
    {
        ServerPool pool = TestPool.Create(2, configure: static o => o.Servers[0].MaxConnections = 1);
        Server a = pool.Get("a");
        pool.Pick(new PickContext { Prefer = a });
        Task<ServerLease> sticky = Wait(pool, new PickContext { Prefer = a });
        pool.Down("a");
        Assert.Equal("b", (await sticky.WaitAsync(Ct)).Server.Name);
        Assert.Equal(0, a.Queued);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_sticky_caller_whose_server_fails_keeps_its_place_among_those_who_take_any()
    {
        ServerPool pool = Full(2, 1);
        Server a = pool.Get("a");
        Task<ServerLease> sticky = Wait(pool, new PickContext { Prefer = a }), later = Wait(pool);
        pool.Down("a");
        Assert.Equal(0, a.Queued);
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
        Open(pool, "b").Complete(Done);
        Assert.Equal("b", (await sticky.WaitAsync(Ct)).Server.Name);
        Assert.False(later.IsCompleted);

        // It waits for any now; that its first choice comes back full must not hold up the queue.
        (await sticky).Complete(Done);
        Assert.Equal("b", (await later.WaitAsync(Ct)).Server.Name);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_caller_who_prefers_a_server_that_was_down_takes_any_even_if_it_comes_back_full()
    {
        ServerPool pool = Full(2, 1);
        ServerLease onA = Open(pool, "a"), onB = Open(pool, "b");
        pool.Down("a");
        Task<ServerLease> first = Wait(pool, new PickContext { Prefer = pool.Get("a") }), second = Wait(pool);
        pool.Up("a");
        onB.Complete(Done);
        Assert.Equal("b", (await first.WaitAsync(Ct)).Server.Name);
        onA.Complete(Done);
        Assert.Equal("a", (await second.WaitAsync(Ct)).Server.Name);
    }

    [Fact(Timeout = 60_000)]
    public async Task When_no_server_is_left_those_who_wait_are_told()
    {
        ServerPool pool = Full(1, 1);
        Task<ServerLease>[] waiting = [Wait(pool), Wait(pool, new PickContext { Prefer = pool.Get("a") })];
        pool.Down("a");
        foreach (Task<ServerLease> task in waiting)
            Assert.Equal(PickFailure.NoServer, (await Assert.ThrowsAsync<NoServerException>(() => task.WaitAsync(Ct))).Failure);
        Assert.Equal(0, pool.QueueLength);
        Assert.Equal(PickFailure.NoServer, (await Assert.ThrowsAsync<NoServerException>(() => Wait(pool))).Failure);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_server_that_comes_up_joins_or_gets_a_higher_limit_serves_those_who_wait()
    {
        ServerPool pool = Full(2, 1);
        Task<ServerLease>[] waiting = [Wait(pool), Wait(pool), Wait(pool)];
        pool.SetMaxConnections(pool.Get("b"), 2);
        Assert.Equal("b", (await waiting[0].WaitAsync(Ct)).Server.Name);
        pool.Add(TestPool.Server("c", maxConnections: 1), ServerAdmin.Ready);
        Assert.Equal("c", (await waiting[1].WaitAsync(Ct)).Server.Name);
        Server d = pool.Add(TestPool.Server("d"));
        Assert.False(waiting[2].IsCompleted);
        pool.SetAdmin(d, ServerAdmin.Ready);
        Assert.Equal("d", (await waiting[2].WaitAsync(Ct)).Server.Name);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_wait_ends_at_the_queue_timeout()
    {
        ManualTimeProvider time = new();
        ServerPool pool = Full(1, 1, o => o.QueueTimeout = TimeSpan.FromSeconds(3), time);
        Task<ServerLease> waiting = Wait(pool);
        Assert.Equal(1, time.ActiveTimers);
        time.Advance(TimeSpan.FromSeconds(3) - TimeSpan.FromTicks(1));
        Assert.Equal(1, pool.QueueLength);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(0, pool.QueueLength);
        NoServerException error = await Assert.ThrowsAsync<NoServerException>(() => waiting.WaitAsync(Ct));
        Assert.Equal(PickFailure.QueueTimeout, error.Failure);
        Assert.Contains("'web'", error.Message, StringComparison.Ordinal);
        Open(pool).Complete(Done);
        Assert.Equal("a", pool.Next());
    }

    [Fact(Timeout = 60_000)]
    public async Task The_timer_of_a_served_caller_is_gone()
    {
        ManualTimeProvider time = new();
        ServerPool pool = Full(1, 1, time: time);
        Task<ServerLease> waiting = Wait(pool);
        Open(pool).Complete(Done);
        ServerLease lease = await waiting.WaitAsync(Ct);
        Assert.Equal(0, time.ActiveTimers);
        time.Advance(TimeSpan.FromDays(1));
        lease.Complete(Done);
        Assert.Equal(0, pool.LeaseMisuses);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_latency_of_a_queued_lease_starts_when_the_wait_ends()
    {
        ManualTimeProvider time = new();
        ServerPool pool = Full(1, 1, time: time);
        Task<ServerLease> waiting = Wait(pool, new PickContext { Now = time.GetTimestamp() });
        time.Advance(TimeSpan.FromSeconds(1));
        Open(pool).Complete(Done);
        ServerLease lease = await waiting.WaitAsync(Ct);
        time.Advance(TimeSpan.FromMilliseconds(5));
        lease.Responded();
        Assert.Equal(TimeSpan.FromMilliseconds(5), lease.Server.AverageLatency);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_wait_may_be_cancelled()
    {
        ServerPool pool = Full(1, 1);
        using CancellationTokenSource source = new();
        Task<ServerLease> cancelled = pool.AcquireAsync(default, source.Token).AsTask(), other = Wait(pool);
        await source.CancelAsync();
        OperationCanceledException error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Ct));
        Assert.Equal(source.Token, error.CancellationToken);
        Assert.Equal(1, pool.QueueLength);
        Open(pool).Complete(Done);
        await other.WaitAsync(Ct);

        Assert.True(pool.AcquireAsync(default, source.Token).AsTask().IsCanceled);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_full_queue_refuses()
    {
        ServerPool pool = Full(1, 1, static o => o.MaxQueue = 2);
        Task<ServerLease> first = Wait(pool), second = Wait(pool);
        NoServerException error = await Assert.ThrowsAsync<NoServerException>(() => Wait(pool));
        Assert.Equal(PickFailure.QueueFull, error.Failure);
        Open(pool).Complete(Done);
        await first.WaitAsync(Ct);
        Task<ServerLease> third = Wait(pool);
        Assert.Equal(2, pool.QueueLength);
        Assert.False(second.IsCompleted || third.IsCompleted);
    }

    [Fact]
    public void A_caller_takes_an_excluded_server_rather_than_wait()
    {
        // Else one retry would hold up everybody else although there is room.
        ServerPool pool = TestPool.Create(2, configure: static o => o.Servers[1].MaxConnections = 1);
        Server a = pool.Get("a");
        pool.Pick(new PickContext { Avoid = a });
        Assert.Equal("a", pool.Next(new PickContext { Avoid = a }));
        Assert.Equal("a", pool.Next(new PickContext { Excluded = default(ServerSet).With(a) }));
        Assert.Equal(0, pool.QueueLength);
    }

    // One caller has filled everything; its leases are found again by server.
    private static ServerPool Full(int servers, int each, Action<PoolOptions>? configure = null, TimeProvider? time = null, bool fill = true)
    {
        ServerPool pool = TestPool.Create(
            servers,
            configure: o =>
            {
                foreach (ServerOptions server in o.Servers) server.MaxConnections = each;
                configure?.Invoke(o);
            },
            time: time);
        for (int n = 0; fill && n < servers * each; n++) pool.Pick();
        return pool;
    }

    private static ServerLease Open(ServerPool pool, string name = "a") => new(pool.Get(name), 0);

    private static async Task<ServerLease> Wait(ServerPool pool, PickContext context = default) => await pool.AcquireAsync(context, Ct);
}
