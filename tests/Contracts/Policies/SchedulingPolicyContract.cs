using System.Collections.Immutable;

namespace Lb.Contracts.Policies;

/// <summary>
/// What every scheduling policy must keep. A policy of your own: inherit, say how it is made, and override <see cref="HonoursWeights"/> where weights
/// don't count by design.
/// </summary>
public abstract class SchedulingPolicyContract
{
    private const int Tests60s = 60_000;

    /// <summary>Makes the policy; the seed goes to its <see cref="Random"/>, if it has one.</summary>
    protected abstract ISchedulingPolicy Create(int seed);

    /// <summary>True when idle servers are picked in proportion to their weights.</summary>
    protected abstract bool HonoursWeights { get; }

    /// <summary>The context of pick number n; a policy that hashes needs another key each time.</summary>
    protected virtual PickContext Context(int n) => default;

    /// <summary>How far from its share, as a part of it, a server may be over many picks: 0 for a rotation.</summary>
    protected virtual double Tolerance => 0.05;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(100)]
    public void It_picks_only_servers_of_its_snapshot(int servers)
    {
        ServerPool pool = Pool(Weights(servers));
        ImmutableHashSet<Server> members = [.. pool.Servers];
        IScheduler scheduler = Create(1).Build(pool.Snapshot!);
        for (int n = 0; n < 1_000; n++) Assert.Contains(scheduler.Pick(Context(n), n), members);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(100)]
    public void Picks_of_a_pool_follow_the_weights_where_they_count(int servers)
    {
        int[] weights = Weights(servers);
        ServerPool pool = Pool(weights);
        double sum = weights.Sum();
        int picks = weights.Sum() * 1_000;
        for (int n = 0; n < picks; n++) Pick(pool, Context(n)).Complete(LeaseOutcome.Success);

        if (!HonoursWeights) return;
        for (int i = 0; i < servers; i++)
        {
            double expected = picks * (weights[i] / sum);
            Assert.InRange(pool.Servers[i].TotalLeases, expected * (1 - Tolerance), expected * (1 + Tolerance));
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_picks()
    {
        ServerPool pool = Pool([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]);
        IScheduler one = Create(42).Build(pool.Snapshot!), other = Create(42).Build(pool.Snapshot!);
        for (int n = 0; n < 1_000; n++) Assert.Same(one.Pick(Context(n), n), other.Pick(Context(n), n));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(100)]
    public void An_excluded_server_is_not_picked_while_another_has_room(int servers)
    {
        ServerPool pool = Pool(Weights(servers));
        foreach (Server avoided in pool.Servers)
        {
            for (int n = 0; n < 50; n++)
            {
                using Releasing lease = new(Pick(pool, Context(n) with { Avoid = avoided }));
                Assert.NotSame(avoided, lease.Server);
            }
        }

        // All but the last one tried already.
        ServerSet tried = default;
        foreach (Server server in pool.Servers.SkipLast(1)) tried = tried.With(server);
        for (int n = 0; n < 50; n++) Assert.Same(pool.Servers[^1], Pick(pool, Context(n) with { Excluded = tried }).Server);
    }

    [Fact]
    public void With_all_excluded_there_is_still_a_server()
    {
        ServerPool pool = Pool([1, 1]);
        ServerSet all = default(ServerSet).With(pool.Servers[0]).With(pool.Servers[1]);
        Assert.NotNull(Pick(pool, Context(0) with { Excluded = all }).Server);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(9)]
    public void A_full_server_gets_no_more_and_the_others_take_over(int servers)
    {
        ServerPool pool = Pool(Weights(servers));
        foreach (Server server in pool.Servers) pool.SetMaxConnections(server, 2);
        for (int n = 0; n < servers * 2; n++) Pick(pool, Context(n));

        Assert.All(pool.Servers, s => Assert.Equal(2, s.InFlight));
        Assert.False(pool.TryPick(Context(0), out _, out PickFailure failure));
        Assert.Equal(PickFailure.AllFull, failure);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    [InlineData(100)]
    public void Picking_allocates_nothing(int servers)
    {
        ServerPool pool = Pool(Weights(servers));
        IScheduler scheduler = Create(1).Build(pool.Snapshot!);
        PickContext context = Context(0) with { Now = 1 };
        PickContext avoiding = context with { Avoid = pool.Servers[0] };
        Assert.Equal(0, Allocated(() => scheduler.Pick(in context, 1)));
        Assert.Equal(0, Allocated(() => scheduler.Pick(in avoiding, 1)));
        Assert.Equal(0, Allocated(() => Pick(pool, context).Complete(LeaseOutcome.Success)));
        Assert.Equal(0, Allocated(() => Pick(pool, avoiding).Complete(LeaseOutcome.Success)));
    }

    [Fact(Timeout = Tests60s)]
    public async Task Many_threads_may_pick_while_the_pool_changes()
    {
        // Server 0 never leaves, so there is always one; the others come and go.
        ServerPool pool = Pool([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        int stop = 0, picked = 0;
        Task[] pickers =
        [
            .. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                for (int n = 0; Volatile.Read(ref stop) == 0; n++)
                {
                    Assert.True(pool.TryPick(Context(n), out ServerLease lease, out PickFailure failure), failure.ToString());
                    Assert.NotNull(lease.Server);
                    lease.Complete(LeaseOutcome.Success);
                    Interlocked.Increment(ref picked);
                }
            })),
        ];

        try
        {
            await Task.Run(() => ComeAndGo(pool, () => Volatile.Read(ref picked)), TestContext.Current.CancellationToken);
        }
        finally
        {
            Volatile.Write(ref stop, 1);
        }

        await Task.WhenAll(pickers);
        Assert.Equal(0, pool.LeaseMisuses);
        Assert.All(pool.Servers, s => Assert.Equal(0, s.InFlight));
    }

    private void ComeAndGo(ServerPool pool, Func<int> picked)
    {
        Random random = new(7);
        for (int round = 0; round < 300; round++)
        {
            Server server = pool.Servers[1 + random.Next(pool.Servers.Count - 1)];
            switch (random.Next(4))
            {
                case 0:
                    pool.SetHealth(server, server.Health == ServerHealth.Up ? ServerHealth.Down : ServerHealth.Up);
                    break;
                case 1:
                    pool.SetAdmin(server, server.Admin == ServerAdmin.Ready ? ServerAdmin.Maintenance : ServerAdmin.Ready);
                    break;
                case 2:
                    pool.SetWeight(server, random.Next(0, 5));
                    break;
                default:
                    pool.Remove(server, force: true);
                    pool.Add(new ServerOptions { Address = server.Name, Weight = server.Weight }, ServerAdmin.Ready);
                    break;
            }

            // What had left before this pick began is never picked.
            ImmutableHashSet<Server> members = [.. pool.Servers];
            ServerLease lease = Pick(pool, Context(round));
            Assert.Contains(lease.Server, members);
            Assert.Equal(ServerStatus.Up, lease.Server.Status);
            lease.Complete(LeaseOutcome.Success);

            int before = picked();
            if (round % 10 == 0) SpinWait.SpinUntil(() => picked() > before + 20);
        }
    }

    /// <summary>Uneven but repeatable: 1, 2, 3, 1, 2, 3, …</summary>
    protected static int[] Weights(int servers) => [.. Enumerable.Range(0, servers).Select(static i => 1 + (i % 3))];

    /// <summary>A pool that runs the policy, with one server for each weight.</summary>
    protected ServerPool Pool(ReadOnlySpan<int> weights)
    {
        // Full servers are passed over, also by policies that would rather wait for the server of the key.
        PoolOptions options = new() { Policy = () => Create(1), BalanceOptions = { HashPreserveAffinity = HashPreserveAffinity.MaxConn } };
        for (int i = 0; i < weights.Length; i++)
            options.Servers.Add(new ServerOptions { Address = $"127.0.{i / 250}.{1 + (i % 250)}:80", Weight = weights[i] });
        return new ServerPool("contract", options);
    }

    private static ServerLease Pick(ServerPool pool, in PickContext context)
    {
        // No assertion here: its message would allocate.
        return pool.TryPick(in context, out ServerLease lease, out PickFailure failure) ? lease : throw new InvalidOperationException(failure.ToString());
    }

    private static long Allocated(Action pick)
    {
        for (int n = 0; n < 100; n++) pick();
        long least = long.MaxValue;

        // The best of a few: the runtime may replace the code by a faster one, and allocate, at any moment.
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int n = 0; n < 1_000; n++) pick();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    private readonly struct Releasing(ServerLease lease) : IDisposable
    {
        public Server Server => lease.Server;

        public void Dispose() => lease.Complete(LeaseOutcome.Success);
    }
}
