namespace Lb.Core.Tests.Pools;

/// <summary>What a server's agent says decides wherever the administrator's word does.</summary>
[Trait("Row", "H20")]
public sealed class AgentStateTests
{
    [Theory]
    [InlineData(ServerAdmin.Drain, ServerStatus.Drain)]
    [InlineData(ServerAdmin.Maintenance, ServerStatus.Maintenance)]
    public void A_server_that_does_not_want_traffic_gets_none_though_all_are_down(ServerAdmin agent, ServerStatus status)
    {
        ServerPool pool = Pool(2, o => o.AllDown = AllDown.UseAll);
        pool.SetAgent(pool.Get("a"), agent);
        Assert.Equal(status, pool.Get("a").Status);
        Assert.Equal("b", pool.Usable());
        pool.Down("a");
        pool.Down("b");
        Assert.Equal("b", pool.Usable());
        pool.SetAgent(pool.Get("a"), ServerAdmin.Ready);
        Assert.Equal("a b", pool.Usable());
    }

    [Fact]
    public void Known_clients_may_go_to_one_that_drains_and_not_to_one_in_maintenance()
    {
        ServerPool pool = Pool(2);
        PickContext known = new() { Prefer = pool.Get("a") };
        pool.SetAgent(pool.Get("a"), ServerAdmin.Drain);
        Assert.Equal("a", pool.Next(known));
        pool.SetAgent(pool.Get("a"), ServerAdmin.Maintenance);
        Assert.Equal("b", pool.Next(known));
        Assert.Equal("b", pool.Next(known with { Persistence = PersistenceUse.Force }));
    }

    [Fact]
    public void The_last_one_that_wants_traffic_is_not_ejected_by_max_fails()
    {
        ServerPool pool = Pool(2, o => o.MaxFails = 1);
        pool.SetAgent(pool.Get("b"), ServerAdmin.Drain);
        pool.Pick().Complete(LeaseOutcome.Failure(FailureKind.Connect));
        Assert.Equal("a", pool.Usable());
        pool.SetAgent(pool.Get("b"), ServerAdmin.Ready);
        pool.Pick(new PickContext { Excluded = default(ServerSet).With(pool.Get("b")) }).Complete(LeaseOutcome.Failure(FailureKind.Connect));
        Assert.Equal("b", pool.Usable());
    }

    [Fact]
    public void One_that_drains_does_not_make_its_level_look_unwell()
    {
        ServerPool pool = Pool(4, configure: null, static (i, s) => s.Priority = i < 2 ? 0 : 1);
        pool.SetAgent(pool.Servers[0], ServerAdmin.Drain);
        for (int n = 0; n < 1000; n++)
        {
            ServerLease lease = pool.Pick();
            Assert.Equal("b", lease.Server.Name);
            lease.Complete(LeaseOutcome.Success);
        }
    }

    private static ServerPool Pool(int servers, Action<PoolOptions>? configure = null, Action<int, ServerOptions>? server = null)
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
