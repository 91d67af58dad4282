using Lb.Core.Tests.Configuration;

namespace Lb.Core.Tests.Pools;

[Trait("Row", "H22")]
public sealed class ObservingTests
{
    // One letter a lease: + success, r answered and then success, s answered and then an error status, c refused, t connect time-out, x reset, w silent,
    // p not understood, i ignored. Below: the failures told at each, 0 = nothing.
    [Theory]
    [InlineData(Observe.None, 3, "ccccccccc", "000000000")]
    [InlineData(Observe.Layer4, 3, "ccc", "003")]
    [InlineData(Observe.Layer4, 3, "ctx", "003")]
    [InlineData(Observe.Layer4, 3, "xxw", "003")]
    [InlineData(Observe.Layer4, 3, "cc+cc+ccc", "000000003")]
    [InlineData(Observe.Layer4, 3, "ccrccrccc", "000000003")]
    [InlineData(Observe.Layer4, 3, "ciicic", "000003")]
    [InlineData(Observe.Layer4, 3, "cpcpc", "00003")]
    [InlineData(Observe.Layer4, 3, "ccscc", "00000")]
    [InlineData(Observe.Layer4, 3, "cccccccc", "00300300")]
    [InlineData(Observe.Layer4, 1, "c+c", "101")]
    [InlineData(Observe.Layer7, 3, "sss", "003")]
    [InlineData(Observe.Layer7, 3, "cps", "003")]
    [InlineData(Observe.Layer7, 3, "ssrss", "00000")]
    [InlineData(Observe.Layer7, 3, "sisis", "00003")]
    public void Failures_in_a_row_are_counted_by_layer(Observe observe, int limit, string leases, string told)
    {
        ServerPool pool = Create(1, observe, limit);
        Ear ear = new();
        using IDisposable watching = pool.Watch(ear);
        string found = "";
        foreach (char letter in leases)
        {
            ear.Limits.Clear();
            Play(pool.Pick(), letter);
            found += ear.Limits.Count == 0 ? 0 : Assert.Single(ear.Limits).Failures;
        }

        Assert.Equal(told, found);
    }

    [Fact]
    public void Every_server_has_its_own_count()
    {
        ServerPool pool = Create(2, Observe.Layer4, 3);
        Ear ear = new();
        using IDisposable watching = pool.Watch(ear);
        for (int i = 0; i < 5; i++) Play(pool.Pick(), i % 2 == 0 ? 'c' : '+');
        Assert.Equal((pool.Get("a"), 3), Assert.Single(ear.Limits));
    }

    [Fact]
    public void A_reload_changes_the_limit_and_what_is_observed()
    {
        PoolOptions options = Options(1, Observe.Layer4, 3);
        ServerPool pool = new("web", options);
        Ear ear = new();
        using IDisposable watching = pool.Watch(ear);
        Play(pool.Pick(), 'c');
        options.ErrorLimit = 2;
        pool.Apply(options, new DefaultsOptions(), SchedulingPolicies.BuiltIn);
        Play(pool.Pick(), 'c');
        Assert.Single(ear.Limits);
        options.Observe = Observe.None;
        pool.Apply(options, new DefaultsOptions(), SchedulingPolicies.BuiltIn);
        for (int i = 0; i < 10; i++) Play(pool.Pick(), 'c');
        Assert.Single(ear.Limits);
    }

    [Fact(Timeout = 60_000)]
    public async Task From_many_threads_each_full_count_is_told_once()
    {
        ServerPool pool = Create(1, Observe.Layer4, 10);
        Ear ear = new();
        using IDisposable watching = pool.Watch(ear);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 1000; i++) Play(pool.Pick(), 'c');
        })));
        Assert.Equal(8000, ear.Limits.Sum(static l => l.Failures) + Volatile.Read(ref pool.Get("a").ObservedFailures));
        Assert.All(ear.Limits, static l => Assert.True(l.Failures >= 10));
    }

    [Fact]
    public void A_watcher_hears_of_changes_after_they_are_published_and_until_it_is_disposed()
    {
        ServerPool pool = TestPool.Create(2);
        List<string> heard = [];
        Ear ear = new() { OnStatus = (server, from, to) => heard.Add($"{server} {from}>{to} {server.Pool.Usable()}"), OnMembers = p => heard.Add($"members {p.Servers.Count}") };
        IDisposable watching = pool.Watch(ear);
        pool.Down("a");
        pool.SetAdmin(pool.Get("b"), ServerAdmin.Drain);
        pool.SetAdmin(pool.Get("b"), ServerAdmin.Drain);
        pool.Add(TestPool.Server("c"), ServerAdmin.Ready);
        pool.Remove(pool.Get("c"), force: true);
        pool.Reconcile([TestPool.Server("a"), TestPool.Server("d"), TestPool.Server("e")]);
        watching.Dispose();
        watching.Dispose();
        pool.Up("a");
        Assert.Equal(["a Up>Down b", "b Up>Drain ", "members 3", "members 2", "members 3"], heard);
    }

    [Fact]
    public void A_watcher_may_change_the_pool_it_hears_of()
    {
        ServerPool pool = TestPool.Create(3);
        Ear ear = new();
        ear.OnStatus = (server, _, _) =>
        {
            if (server.Name == "a") pool.SetHealth(pool.Get("b"), server.Health);
        };
        using IDisposable watching = pool.Watch(ear);
        pool.Down("a");
        Assert.Equal("c", pool.Usable());
        pool.Up("a");
        Assert.Equal("a b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "P11")]
    [Trait("Row", "X4")]
    public void A_watcher_hears_of_the_quorum_on_the_thread_that_loses_it()
    {
        ServerPool pool = TestPool.Create(3, configure: static o => o.Quorum = 2);
        List<bool> heard = [];
        using IDisposable watching = pool.Watch(new Ear { OnQuorum = p => heard.Add(p.HasQuorum) });
        pool.Down("a");
        Assert.Empty(heard);
        pool.SetWeight(pool.Get("b"), 0);
        Assert.Equal([false], heard);
        pool.Up("a");
        Assert.Equal([false, true], heard);
    }

    [Theory]
    [InlineData("\"Observe\": \"layer4\"", "Lb:Pools:web:Observe = 'layer4': needs Checks: only they bring a server up again")]
    [InlineData("\"Observe\": \"layer7\"", "Lb:Pools:web:Observe = 'layer7': needs Checks: only they bring a server up again")]
    [InlineData("\"ErrorLimit\": 0", "Lb:Pools:web:ErrorLimit = '0': must be 1 to 1000")]
    [InlineData("\"OnError\": \"panic\"", "Lb:Pools:web:OnError = 'panic': must be one of fail-check, fast-inter, sudden-death, mark-down")]
    public void Bad_values_are_named(string pair, string error) =>
        Assert.Equal(error, Assert.Single(TestConfiguration.Errors($$"""{ "Pools": { "web": { {{pair}}, "Servers": [ { "Address": "192.0.2.1:80" } ] } } }""")));

    private static ServerPool Create(int servers, Observe observe, int limit) => new("web", Options(servers, observe, limit));

    private static PoolOptions Options(int servers, Observe observe, int limit)
    {
        PoolOptions options = new() { Policy = static () => new RoundRobin(), Observe = observe, ErrorLimit = limit };
        options.Outlier.Enabled = false;
        options.Checks.Add(new CheckOptions());
        for (int i = 0; i < servers; i++) options.Servers.Add(TestPool.Server(TestPool.Name(i)));
        return options;
    }

    private static void Play(ServerLease lease, char letter)
    {
        if (letter is 'r' or 's') lease.Responded();
        lease.Complete(letter switch
        {
            '+' or 'r' => LeaseOutcome.Success,
            'i' => LeaseOutcome.Ignored,
            'c' => LeaseOutcome.Failure(FailureKind.Connect),
            't' => LeaseOutcome.Failure(FailureKind.ConnectTimeout),
            'x' => LeaseOutcome.Failure(FailureKind.Reset),
            'w' => LeaseOutcome.Failure(FailureKind.Timeout),
            'p' => LeaseOutcome.Failure(FailureKind.Protocol),
            's' => LeaseOutcome.Failure(FailureKind.Status),
            _ => throw new ArgumentOutOfRangeException(nameof(letter)),
        });
    }

    private sealed class Ear : IServerWatcher
    {
        private readonly Lock _lock = new();

        public List<(Server Server, int Failures)> Limits { get; } = [];

        public Action<Server, ServerStatus, ServerStatus>? OnStatus { get; set; }

        public Action<ServerPool>? OnMembers { get; set; }

        public Action<ServerPool>? OnQuorum { get; set; }

        public void QuorumChanged(ServerPool pool) => OnQuorum?.Invoke(pool);

        public void StatusChanged(Server server, ServerStatus from, ServerStatus to) => OnStatus?.Invoke(server, from, to);

        public void MembersChanged(ServerPool pool) => OnMembers?.Invoke(pool);

        public void ErrorLimitReached(Server server, int failures)
        {
            lock (_lock) Limits.Add((server, failures));
        }
    }
}
