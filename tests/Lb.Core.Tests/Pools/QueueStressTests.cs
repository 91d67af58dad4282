namespace Lb.Core.Tests.Pools;

/// <summary>Many callers, few slots: limits hold, nobody is forgotten.</summary>
public sealed class QueueStressTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory(Timeout = 120_000)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 4)]
    public async Task Limits_hold_and_every_caller_is_served(int servers, int limit)
    {
        // No time-out would save a forgotten caller: the queue time-out is 24 days.
        ServerPool pool = Limited(servers, limit, new RoundRobin());
        int[] inside = new int[servers];
        int served = 0;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(caller => Task.Run(
            async () =>
            {
                for (int n = 0; n < 2_000; n++)
                {
                    Server? prefer = (caller + n) % 3 == 0 ? pool.Servers[n % servers] : null;
                    ServerLease lease = await pool.AcquireAsync(new PickContext { Prefer = prefer }, Ct);
                    int index = lease.Server.Id - 1;
                    int now = Interlocked.Increment(ref inside[index]);
                    Assert.InRange(now, 1, limit);
                    if (prefer is not null) Assert.Same(prefer, lease.Server);
                    if (n % 16 == 0) await Task.Yield();
                    Interlocked.Decrement(ref inside[index]);
                    lease.Complete(LeaseOutcome.Success);
                    Interlocked.Increment(ref served);
                }
            },
            Ct)));

        Assert.Equal(16 * 2_000, served);
        Assert.Equal((0, 0L), (pool.QueueLength, pool.LeaseMisuses));
        Assert.All(pool.Servers, static s => Assert.Equal((0, 0), (s.InFlight, s.Queued)));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_failed_try_at_the_wrong_moment_loses_no_wake_up()
    {
        // One slot. Threads that only try disturb its counter; a caller that waits must still be woken by every release.
        ServerPool pool = Limited(1, 1, new First());
        Server a = pool.Get("a");
        int stop = 0;
        Task[] triers =
        [
            .. Enumerable.Range(0, 3).Select(_ => Task.Run(
                () =>
                {
                    while (Volatile.Read(ref stop) == 0)
                    {
                        if (pool.TryPick(new PickContext { Prefer = a }, out ServerLease lease, out PickFailure failure)) lease.Complete(LeaseOutcome.Success);
                    }
                },
                Ct)),
        ];

        for (int n = 0; n < 20_000; n++)
        {
            ServerLease lease = await pool.AcquireAsync(default, Ct);
            Task<ServerLease> next = pool.AcquireAsync(default, Ct).AsTask();
            lease.Complete(LeaseOutcome.Success);
            (await next).Complete(LeaseOutcome.Success);
        }

        Volatile.Write(ref stop, 1);
        await Task.WhenAll(triers);
        Assert.Equal(0, a.InFlight);
    }

    [Fact(Timeout = 120_000)]
    public async Task Tries_that_fail_never_show_in_the_count()
    {
        ServerPool pool = Limited(1, 1, new First());
        Server a = pool.Get("a");
        pool.Pick();
        Task trier = Task.Run(
            () =>
            {
                for (int n = 0; n < 2_000_000; n++) Assert.False(pool.TryPick(default, out _, out _));
            },
            Ct);
        int most = 0;
        while (!trier.IsCompleted) most = Math.Max(most, a.InFlight);
        await trier;
        Assert.Equal((1, 1L), (most, a.TotalLeases));
    }

    [Fact(Timeout = 120_000)]
    public async Task Cancelled_waits_leak_nothing()
    {
        ServerPool pool = Limited(2, 1, new PowerOfTwoChoices(new Random(1)));
        int served = 0, cancelled = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(
            async () =>
            {
                for (int n = 0; n < 1_000; n++)
                {
                    using CancellationTokenSource source = new();
                    Task<ServerLease> wait = pool.AcquireAsync(default, source.Token).AsTask();
                    if ((caller + n) % 2 == 0) source.Cancel();
                    try
                    {
                        ServerLease lease = await wait;
                        await Task.Yield();
                        lease.Complete(LeaseOutcome.Success);
                        Interlocked.Increment(ref served);
                    }
                    catch (OperationCanceledException)
                    {
                        Interlocked.Increment(ref cancelled);
                    }
                }
            },
            Ct)));

        Assert.Equal(8_000, served + cancelled);
        Assert.Equal(0, pool.QueueLength);
        Assert.All(pool.Servers, static s => Assert.Equal(0, s.InFlight));
    }

    [Fact(Timeout = 120_000)]
    public async Task Callers_are_served_while_servers_come_and_go()
    {
        ServerPool pool = Limited(3, 1, new LeastConnections());
        int done = 0;
        Task changes = Task.Run(
            () =>
            {
                Random random = new(3);
                while (Volatile.Read(ref done) == 0)
                {
                    // Server a stays, so that nobody is turned away.
                    Server server = pool.Servers[1 + random.Next(2)];
                    pool.SetHealth(server, ServerHealth.Down);
                    pool.SetHealth(server, ServerHealth.Up);
                    pool.SetMaxConnections(server, 1 + random.Next(3));
                }
            },
            Ct);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(
            async () =>
            {
                for (int n = 0; n < 500; n++)
                {
                    PickContext context = new() { Prefer = n % 2 == 0 ? pool.Servers[(caller + n) % 3] : null };
                    ServerLease lease = await pool.AcquireAsync(context, Ct);
                    await Task.Yield();
                    lease.Complete(LeaseOutcome.Success);
                }
            },
            Ct)));
        Volatile.Write(ref done, 1);
        await changes;
        Assert.Equal(0, pool.QueueLength);
        Assert.All(pool.Servers, static s => Assert.Equal((0, 0), (s.InFlight, s.Queued)));
    }

    private static ServerPool Limited(int servers, int limit, ISchedulingPolicy policy) => TestPool.Create(servers, policy, o =>
    {
        o.QueueTimeout = TimeSpan.FromDays(24);
        foreach (ServerOptions server in o.Servers) server.MaxConnections = limit;
    });
}
