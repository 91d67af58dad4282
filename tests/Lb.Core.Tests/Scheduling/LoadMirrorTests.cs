namespace Lb.Core.Tests.Scheduling;

/// <summary>leastconn with many servers: the same picks as a look at each, whatever happens to the loads.</summary>
[Trait("Row", "S5")]
public sealed class LoadMirrorTests
{
    [Theory]
    [InlineData(16, 1, 1)]
    [InlineData(17, 1, 2)]
    [InlineData(17, 10, 3)]
    [InlineData(70, 10, 4)]
    [InlineData(300, 1, 5)]
    public void Picks_are_those_of_a_look_at_every_server(int servers, int weights, int seed)
    {
        Random random = new(seed);
        ServerPool pool = TestPool.Create(servers, new LeastConnections(), o =>
        {
            for (int i = 0; i < servers; i++)
            {
                o.Servers[i].Weight = 1 + (i % weights);
                o.Servers[i].MaxConnections = i % 3 == 0 ? 4 : 0;
            }
        });
        List<ServerLease> open = [];
        Server last = pool.Servers[^1];
        for (int n = 0; n < 4_000; n++)
        {
            if (n % 500 == 499) Flip(pool, pool.Servers[random.Next(servers)]);
            if (open.Count > 0 && random.Next(100) < 48)
            {
                int i = random.Next(open.Count);
                open[i].Complete(LeaseOutcome.Success);
                open.RemoveAt(i);
                continue;
            }

            PickContext context = n % 10 == 0 ? new PickContext { Avoid = pool.Servers[random.Next(servers)] } : default;
            Server expected = Naive(pool.Snapshot!, last, context);
            ServerLease lease = pool.Pick(context);
            Assert.Same(expected, lease.Server);
            last = lease.Server;
            open.Add(lease);
        }
    }

    [Fact]
    public void Threads_that_start_and_end_leases_leave_the_right_numbers()
    {
        ServerPool pool = TestPool.Create(20, new LeastConnections(), o => o.Servers[3].MaxConnections = 2);
        LoadMirror mirror = LoadMirror.Attach(pool.Snapshot!.Servers, pool.Snapshot.Weights);
        using Barrier start = new(4);
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, thread =>
        {
            Random random = new(thread);
            Queue<ServerLease> open = new();
            for (int n = 0; n < 20_000; n++)
            {
                // Few servers, so that threads meet on them.
                if (pool.TryPick(new PickContext { Prefer = pool.Servers[random.Next(5)] }, out ServerLease lease, out _)) open.Enqueue(lease);
                if (open.Count > 3) open.Dequeue().Complete(LeaseOutcome.Success);
            }
        });
        Assert.True(mirror.IsCurrent);
        AssertExact(pool, mirror);
        Assert.True(pool.Servers.Sum(static s => s.InFlight) > 0);
    }

    [Fact]
    public void A_mirror_attached_while_leases_come_and_go_is_right_when_they_rest()
    {
        ServerPool pool = TestPool.Create(20, new LeastConnections());
        LoadMirror? mirror = null;
        Parallel.Invoke(
            () => Churn(1),
            () => Churn(2),
            () =>
            {
                for (int n = 0; n < 2_000; n++) mirror = LoadMirror.Attach(pool.Snapshot!.Servers, pool.Snapshot.Weights);
            });
        AssertExact(pool, mirror!);

        void Churn(int seed)
        {
            Random random = new(seed);
            for (int n = 0; n < 40_000; n++)
            {
                ServerLease lease = pool.Pick(new PickContext { Prefer = pool.Servers[random.Next(20)] });
                if (n % 100 != 0) lease.Complete(LeaseOutcome.Success);
            }
        }
    }

    [Fact]
    public void Two_schedulers_over_the_same_servers_both_see_the_loads()
    {
        ServerPool pool = TestPool.Create(20, new RoundRobin());
        IScheduler one = new LeastConnections().Build(pool.Snapshot!), other = new LeastConnections().Build(pool.Snapshot!);
        for (int n = 0; n < 20; n++)
        {
            if (n != 7) pool.Pick(new PickContext { Prefer = pool.Servers[n] });
        }

        for (int n = 0; n < 3; n++)
        {
            Assert.Same(pool.Servers[7], one.Pick(default, 1));
            Assert.Same(pool.Servers[7], other.Pick(default, 1));
        }
    }

    [Fact]
    public void Another_policy_ends_the_writing()
    {
        ServerPool pool = TestPool.Create(20, new LeastConnections());
        LoadMirror mirror = LoadMirror.Attach(pool.Snapshot!.Servers, pool.Snapshot.Weights);
        pool.SetPolicy(new RoundRobin());
        Assert.False(mirror.IsCurrent);
        pool.Pick(new PickContext { Prefer = pool.Servers[0] });
        Assert.Equal(0, mirror.Keys[0]);
    }

    [Fact]
    public void The_least_of_many_numbers_is_found_from_any_start()
    {
        Random random = new(3);
        for (int round = 0; round < 20_000; round++)
        {
            double[] keys = new double[random.Next(1, 70)];
            for (int i = 0; i < keys.Length; i++) keys[i] = random.Next(6) == 0 ? double.PositiveInfinity : random.Next(1, 5);
            int start = random.Next(keys.Length), expected = -1;
            for (int n = 0; n < keys.Length; n++)
            {
                int i = (start + n) % keys.Length;
                if (!double.IsPositiveInfinity(keys[i]) && (expected < 0 || keys[i] < keys[expected])) expected = i;
            }

            Assert.Equal(expected, LeastKey.Find(keys, start));
        }
    }

    private static void Flip(ServerPool pool, Server server) =>
        pool.SetHealth(server, server.Health == ServerHealth.Up ? ServerHealth.Down : ServerHealth.Up);

    private static void AssertExact(ServerPool pool, LoadMirror mirror)
    {
        for (int i = 0; i < pool.Servers.Count; i++)
        {
            Server server = pool.Servers[i];
            double key = !server.HasRoom ? double.PositiveInfinity : server.Load == 0 ? 0 : server.Load + 1;
            Assert.Equal(key, mirror.Keys[i]);
        }
    }

    // HAProxy's rule with exact fractions; ties go to the next one after the last.
    private static Server Naive(PoolSnapshot snapshot, Server last, PickContext context)
    {
        Server[] servers = snapshot.Servers.ToArray();
        int start = 0;
        while (start < servers.Length && servers[start].Id <= last.Id) start++;
        Server? best = null;
        (long Load, long Weight) least = default;
        for (int n = 0; n < servers.Length; n++)
        {
            int i = (start + n) % servers.Length;
            if (!servers[i].HasRoom || context.Excludes(servers[i])) continue;
            long load = servers[i].Load == 0 ? 0 : servers[i].Load + 1;
            if (best is not null && load * least.Weight >= least.Load * snapshot.Weights[i]) continue;
            (best, least) = (servers[i], (load, snapshot.Weights[i]));
        }

        return best!;
    }
}
