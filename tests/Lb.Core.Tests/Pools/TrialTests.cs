using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>A server on trial takes its few leases beside whoever serves, and nothing else depends on it.</summary>
[Trait("Row", "H31")]
public sealed class TrialTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly LeaseOutcome Refused = LeaseOutcome.Failure(FailureKind.Connect);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Backups_serve_while_the_main_server_is_tried()
    {
        ServerPool pool = Pool(static o => o.Servers[1].Backup = true);
        Open(pool, pool.Get("a"));
        Assert.Equal("b", pool.Next());
        _time.Advance(TimeSpan.FromSeconds(30));
        ServerLease[] leases = [.. Enumerable.Range(0, 4).Select(_ => pool.Pick())];
        Assert.Equal(1, leases.Count(static l => l.Server.Name == "a"));
        Assert.Equal(PoolMode.Backup, pool.Mode);
        leases.Single(static l => l.Server.Name == "a").Complete(LeaseOutcome.Success);
        Assert.Equal("a", pool.Usable());
    }

    [Fact]
    [Trait("Row", "P11")]
    public async Task A_trial_does_not_regain_the_quorum()
    {
        EventHub events = new();
        ServerPool pool = Pool(
            static o =>
            {
                o.Servers.RemoveAt(1);
                o.SorryServer.Address = "127.0.0.1:81";
            },
            events);
        Open(pool, pool.Get("a"));
        for (int n = 0; n < 5; n++)
        {
            _time.Advance(TimeSpan.FromSeconds(30));
            ServerLease[] leases = [.. Enumerable.Range(0, 4).Select(_ => pool.Pick())];
            leases.Single(static l => l.Server.Name == "a").Complete(Refused);
        }

        Assert.Single((await events.Published()).OfType<QuorumChanged>());
    }

    [Fact]
    public void A_circuit_works_again_after_checks_have_cleared_an_ejection()
    {
        ServerPool pool = Pool();
        Server a = pool.Get("a");
        for (int n = 0; n < 3; n++)
        {
            Open(pool, a);
            if (n == 1) _time.Advance(TimeSpan.FromSeconds(30));
            pool.SetHealth(a, ServerHealth.Down);
            pool.SetHealth(a, ServerHealth.Up);
            Assert.Equal(ServerStatus.Up, a.Status);
        }
    }

    [Fact]
    [Trait("Row", "H24")]
    public void Max_fails_is_forgiven_by_checks_too()
    {
        ServerPool pool = Pool(static o =>
        {
            o.CircuitBreaker.ConsecutiveFailures = 0;
            o.MaxFails = 3;
        });
        Server a = pool.Get("a");
        Open(pool, a);
        pool.SetHealth(a, ServerHealth.Down);
        pool.SetHealth(a, ServerHealth.Up);
        pool.Fail(a, 1);
        Assert.Null(a.Ejection);
    }

    [Fact]
    [Trait("Row", "S20")]
    public void Nobody_waits_for_a_server_on_trial_because_of_a_key()
    {
        ServerPool pool = Pool(static o => o.Policy = static () => KeyedHash.ByKey());
        PickContext client = new() { Key = AffinityKey.From("client") };
        Server hashed = pool.Pick(client).Server;
        Open(pool, hashed);
        _time.Advance(TimeSpan.FromSeconds(30));
        Server[] picked = [.. Enumerable.Range(0, 3).Select(_ => pool.Pick(client).Server)];
        Assert.Equal(1, picked.Count(s => s == hashed));
    }

    [Fact]
    public void A_trial_keeps_to_the_limit_of_its_server()
    {
        ServerPool pool = Pool(static o =>
        {
            o.Servers[0].MaxConnections = 2;
            o.CircuitBreaker.HalfOpenRequests = 5;
        });
        Server a = pool.Get("a");
        pool.Take(a);
        Open(pool, a);
        _time.Advance(TimeSpan.FromSeconds(30));
        for (int n = 0; n < 20; n++) pool.Pick();
        Assert.Equal(2, a.InFlight);
    }

    [Fact]
    public void A_trial_that_takes_long_counts_when_it_ends()
    {
        ServerPool pool = Pool();
        Server a = pool.Get("a");
        Open(pool, a);
        _time.Advance(TimeSpan.FromSeconds(30));
        ServerLease trial = pool.Take(a);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, _time.ActiveTimers);
        trial.Complete(LeaseOutcome.Success);
        Assert.Null(a.Ejection);
    }

    [Fact]
    public void What_a_reload_switches_off_lets_its_servers_go()
    {
        PoolOptions options = Options();
        ServerPool pool = new("web", options, time: _time);
        Open(pool, pool.Get("a"));
        PoolOptions off = Options();
        off.CircuitBreaker.ConsecutiveFailures = 0;
        pool.Apply(off, new DefaultsOptions(), SchedulingPolicies.BuiltIn);
        Assert.Equal("a b", pool.Usable());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "K9")]
    public async Task One_who_waits_for_a_server_that_goes_down_gets_none_if_nobody_else_may_serve_it()
    {
        ServerPool pool = Pool(static o =>
        {
            o.Persistence.Type = "source";
            o.Persistence.OnDown = PersistenceOnDown.Fail;
            foreach (ServerOptions server in o.Servers) server.MaxConnections = 1;
        });
        PickContext client = new() { Source = TestPool.Client("192.0.2.1") };
        ServerLease open = pool.Pick(client);
        Task<ServerLease> waiting = pool.AcquireAsync(client, Ct).AsTask();
        pool.SetHealth(open.Server, ServerHealth.Down);
        NoServerException error = await Assert.ThrowsAsync<NoServerException>(() => waiting);
        Assert.Equal(PickFailure.PreferredDown, error.Failure);
    }

    [Theory(Timeout = 60_000)]
    [Trait("Row", "S20")]
    [InlineData(PersistenceUse.Default)]
    [InlineData(PersistenceUse.Ignore)]
    public async Task One_who_waits_for_the_server_of_its_key_holds_up_nobody(PersistenceUse use)
    {
        ServerPool pool = Pool(static o =>
        {
            o.Policy = static () => KeyedHash.ByKey();
            o.Servers.Add(TestPool.Server("c"));
            foreach (ServerOptions server in o.Servers) server.MaxConnections = 1;
        });
        PickContext[] clients = [.. Enumerable.Range(0, 50).Select(static n => new PickContext { Key = AffinityKey.From($"{n}") })];
        Dictionary<Server, PickContext> byServer = [];
        foreach (PickContext client in clients) byServer.TryAdd(pool.Explain(client).Choice!, client);
        Server a = pool.Get("a"), b = pool.Get("b"), c = pool.Get("c");
        pool.SetMaxConnections(c, 100);
        ServerLease onA = pool.Pick(byServer[a]);
        pool.Pick(byServer[b]);
        Task<ServerLease> waiting = pool.AcquireAsync(byServer[a] with { Persistence = use }, Ct).AsTask();
        Assert.Same(c, pool.Pick(byServer[c]).Server);

        // Its server goes: the key leads elsewhere now, perhaps to a full one, and still nobody else waits for it.
        pool.SetHealth(a, ServerHealth.Down);
        Assert.Contains(clients, client => pool.TryPick(client, out ServerLease lease, out _) && lease.Server == c);
        pool.SetHealth(a, ServerHealth.Up);
        onA.Complete(LeaseOutcome.Success);
        foreach (Server server in pool.Servers) pool.SetMaxConnections(server, 0);
        await waiting.WaitAsync(Ct);
    }

    [Fact]
    [Trait("Row", "K9")]
    [Trait("Row", "H34")]
    public void Clients_stick_to_a_server_that_is_down_but_in_use()
    {
        ServerPool pool = Pool(static o =>
        {
            o.Persistence.Type = "source";
            o.Persistence.OnDown = PersistenceOnDown.Fail;
            o.MaxDownPercent = 0;
        });
        foreach (Server server in pool.Servers) pool.SetHealth(server, ServerHealth.Down);
        PickContext client = new() { Source = TestPool.Client("192.0.2.1") };
        Server first = pool.Pick(client).Server;
        for (int n = 0; n < 4; n++) Assert.Same(first, pool.Pick(client).Server);
    }

    [Fact]
    [Trait("Row", "P22")]
    public void The_limit_of_a_pool_counts_servers_that_are_drained_too()
    {
        ServerPool pool = Pool(static o => o.MaxConnections = 2);
        Server a = pool.Get("a");
        pool.SetAdmin(a, ServerAdmin.Drain);
        for (int n = 0; n < 2; n++) pool.Pick(new PickContext { Prefer = a });
        Assert.Equal(PickFailure.AllFull, pool.FailToPick(new PickContext { Prefer = a }));
        Assert.Equal(PickFailure.AllFull, pool.FailToPick());
    }

    [Fact]
    [Trait("Row", "P5")]
    public void The_limit_of_a_server_that_is_drained_grows_all_the_same()
    {
        ServerPool pool = Pool(static o =>
        {
            o.SlowStart = TimeSpan.FromSeconds(10);
            o.Servers[0].MaxConnections = 100;
        });
        Server a = pool.Get("a");
        pool.SetHealth(a, ServerHealth.Down);
        pool.SetHealth(a, ServerHealth.Up);
        pool.SetAdmin(a, ServerAdmin.Drain);
        _time.Advance(TimeSpan.FromSeconds(10));
        for (int n = 0; n < 100; n++) Assert.Same(a, pool.Pick(new PickContext { Prefer = a }).Server);
    }

    [Fact]
    [Trait("Row", "P10")]
    public void A_sorry_server_may_become_a_server_of_the_pool()
    {
        PoolOptions before = Options(), after = Options();
        before.SorryServer.Name = "s";
        before.SorryServer.Address = "127.0.0.1:81";
        after.Servers.Add(TestPool.Server("s"));
        ServerPool pool = new("web", before, time: _time);
        pool.Apply(after, new DefaultsOptions(), SchedulingPolicies.BuiltIn);
        Assert.Equal("a b s", pool.Usable());
        pool.Apply(before, new DefaultsOptions(), SchedulingPolicies.BuiltIn);
        Assert.Equal("a b", pool.Usable());
        Assert.True(pool.Get("s").Sorry);
    }

    [Fact]
    [Trait("Row", "R7")]
    public void A_budget_stays_over_a_reload_and_asking_it_allocates_nothing()
    {
        ServerPool pool = Pool();
        Assert.True(pool.RetryBudget.TryBegin());
        PoolOptions other = Options();
        other.RetryBudget = new RetryBudgetOptions { Minimum = 1 };
        pool.Apply(other, new DefaultsOptions(), SchedulingPolicies.BuiltIn);
        Assert.False(pool.RetryBudget.TryBegin());
        pool.RetryBudget.End();
        Assert.True(pool.RetryBudget.TryBegin());
        for (int n = 0; n < 100; n++) pool.RetryBudget.TryBegin();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int n = 0; n < 100; n++) pool.RetryBudget.TryBegin();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [Trait("Row", "P11")]
    [InlineData(2, 1, "Lb:Quorum = '2': can't be reached: with Hysteresis it is regained at 3, and the weights of the servers that are no backups add up to 2")]
    [InlineData(3, 0, "Lb:Quorum = '3': can't be reached: the weights of the servers that are no backups add up to 2")]
    public void A_quorum_that_can_not_be_reached_is_an_error(int quorum, int hysteresis, string error)
    {
        PoolOptions options = Options();
        (options.Quorum, options.Hysteresis) = (quorum, hysteresis);
        List<ConfigurationError> errors = [];
        PoolValidation.Validate("Lb", options, SchedulingPolicies.BuiltIn, errors);
        Assert.Equal([error], errors.Select(static e => e.ToString()));
    }

    private static PoolOptions Options()
    {
        PoolOptions options = new() { Policy = static () => new RoundRobin(), Outlier = { Enabled = false }, CircuitBreaker = { ConsecutiveFailures = 3 } };
        foreach (string name in (string[])["a", "b"]) options.Servers.Add(TestPool.Server(name));
        return options;
    }

    private ServerPool Pool(Action<PoolOptions>? configure = null, EventHub? events = null)
    {
        PoolOptions options = Options();
        configure?.Invoke(options);
        return new ServerPool("web", options, time: _time, events: events);
    }

    private static void Open(ServerPool pool, Server server)
    {
        pool.Fail(server, 3);
        Assert.Equal(ServerStatus.Ejected, server.Status);
    }
}
