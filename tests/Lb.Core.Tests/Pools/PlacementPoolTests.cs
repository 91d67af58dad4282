namespace Lb.Core.Tests.Pools;

/// <summary>Priority levels, zones and subsets of a pool.</summary>
public sealed class PlacementPoolTests
{
    [Fact]
    [Trait("Row", "S24")]
    public void The_next_level_gets_what_the_first_can_not_take()
    {
        ServerPool pool = Pool(10, static (i, s) => s.Priority = i < 5 ? 0 : 1);
        Assert.InRange(Share(pool, static s => s.Priority == 0), 100 - 1.5, 100 + 1.5);
        foreach (Server server in pool.Servers.Take(2)) pool.SetHealth(server, ServerHealth.Down);

        // 3 of 5 are up: 1.4 * 60 % = 84 %.
        Assert.InRange(Share(pool, static s => s.Priority == 0), 84 - 1.5, 84 + 1.5);
        foreach (Server server in pool.Servers.Take(5)) pool.SetHealth(server, ServerHealth.Down);
        Assert.InRange(Share(pool, static s => s.Priority == 0), 0 - 1.5, 0 + 1.5);
    }

    [Fact]
    [Trait("Row", "S24")]
    public void An_ejected_server_counts_as_unhealthy_and_a_drained_one_does_not_count()
    {
        ServerPool pool = Pool(4, static (i, s) => s.Priority = i < 2 ? 0 : 1);
        pool.SetAdmin(pool.Servers[0], ServerAdmin.Drain);
        Assert.InRange(Share(pool, static s => s.Priority == 0), 100 - 1.5, 100 + 1.5);
        pool.SetAdmin(pool.Servers[0], ServerAdmin.Ready);
        ServerSet others = pool.Servers.Skip(1).Aggregate(default(ServerSet), static (set, s) => set.With(s));
        for (int n = 0; n < 5; n++) pool.Pick(new PickContext { Excluded = others }).Complete(LeaseOutcome.Failure(FailureKind.Connect));
        Assert.Equal(ServerStatus.Ejected, pool.Servers[0].Status);
        Assert.InRange(Share(pool, static s => s.Priority == 0), 70 - 1.5, 70 + 1.5);
    }

    [Fact]
    [Trait("Row", "S24")]
    public void Traffic_stays_in_the_zone_of_the_balancer()
    {
        ServerPool pool = Pool(6, static (i, s) => s.Zone = i < 2 ? "a" : i < 4 ? "b" : "c", static o => o.ZoneAware.Local = "b");
        Assert.InRange(Share(pool, static s => s.Zone == "b"), 100 - 1.5, 100 + 1.5);

        // Below six usable servers zones don't count.
        pool.SetHealth(pool.Servers[0], ServerHealth.Down);
        Assert.InRange(Share(pool, static s => s.Zone == "b"), 38.5, 41.5);
    }

    [Fact]
    [Trait("Row", "S24")]
    public void A_zone_with_more_balancers_than_servers_sends_the_rest_elsewhere()
    {
        ServerPool pool = Pool(10, static (i, s) => s.Zone = i < 2 ? "a" : "b", static o =>
        {
            o.ZoneAware.Local = "a";
            o.ZoneAware.Balancers["a"] = 1;
            o.ZoneAware.Balancers["b"] = 1;
        });

        // A fifth of the servers for half of the traffic: 40 % of it stays.
        Assert.InRange(Share(pool, static s => s.Zone == "a"), 40 - 1.5, 40 + 1.5);
    }

    [Fact]
    public void A_subset_is_all_that_this_balancer_uses()
    {
        ServerPool[] pools = [.. Enumerable.Range(0, 3).Select(n => Pool(20, configure: o =>
        {
            o.Subset.Size = 5;
            o.Subset.Client = $"balancer {n}";
        }))];
        Assert.All(pools, static p => Assert.Equal(5, p.Snapshot!.Servers.Length));
        Assert.Equal(3, pools.Select(static p => p.Usable()).Distinct().Count());

        // It depends on the servers there are, not on their health: the rest of the subset serves.
        Server lost = pools[0].Snapshot!.Servers[0];
        pools[0].SetHealth(lost, ServerHealth.Down);
        Assert.Equal(4, pools[0].Snapshot!.Servers.Length);
    }

    [Fact]
    [Trait("Row", "S29")]
    public void A_policy_that_is_made_once_can_not_serve_two_levels()
    {
        ServerPool pool = Pool(4, static (i, s) => s.Priority = i < 2 ? 0 : 1);
        pool.SetHealth(pool.Servers[0], ServerHealth.Down);
        Assert.Throws<InvalidOperationException>(() => pool.SetPolicy(new RoundRobin()));
        Assert.Equal("p2c", pool.PolicyName);
        pool.SetPolicy(static () => new RoundRobin());
        Assert.Equal(nameof(RoundRobin), pool.PolicyName);
        Assert.InRange(Share(pool, static s => s.Priority == 0), 70 - 1.5, 70 + 1.5);
    }

    private static double Share(ServerPool pool, Func<Server, bool> of)
    {
        const int picks = 20_000;
        int count = 0;
        for (int n = 0; n < picks; n++)
        {
            ServerLease lease = pool.Pick();
            if (of(lease.Server)) count++;
            lease.Complete(LeaseOutcome.Success);
        }

        return 100.0 * count / picks;
    }

    private static ServerPool Pool(int servers, Action<int, ServerOptions>? server = null, Action<PoolOptions>? configure = null)
    {
        PoolOptions options = new() { Random = new Random(1) };
        for (int i = 0; i < servers; i++)
        {
            ServerOptions each = new() { Name = TestPool.Name(i), Address = $"192.0.2.{i + 1}:80" };
            server?.Invoke(i, each);
            options.Servers.Add(each);
        }

        configure?.Invoke(options);
        return new ServerPool("web", options);
    }
}
