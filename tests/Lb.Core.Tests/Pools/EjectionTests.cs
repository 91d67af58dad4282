using Lb.Testing;

namespace Lb.Core.Tests.Pools;

/// <summary>Servers that fail their callers are taken out, whatever the checks say, and come back.</summary>
public sealed class EjectionTests
{
    private static readonly LeaseOutcome Refused = LeaseOutcome.Failure(FailureKind.Connect);
    private static readonly LeaseOutcome Error = LeaseOutcome.Failure(FailureKind.Status);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    [Trait("Row", "H23")]
    public void Five_failures_in_a_row_take_a_server_out_by_default()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        Fail(pool, a, 4);
        Assert.Equal("a b c", pool.Usable());
        Fail(pool, a, 1);
        Assert.Equal("b c", pool.Usable());
        Assert.Equal(ServerStatus.Ejected, a.Status);
        Assert.Equal(EjectionReason.ConsecutiveFailures, a.Ejection!.Reason);
    }

    [Fact]
    [Trait("Row", "H23")]
    public void A_success_in_between_forgives()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        Fail(pool, a, 4);
        Succeed(pool, a);
        Fail(pool, a, 4);
        Assert.Equal("a b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void An_answer_forgives_while_its_connection_is_still_open()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        Fail(pool, a, 4);
        Take(pool, a).Responded();
        Fail(pool, a, 4);
        Assert.Equal("a b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void An_old_connection_that_ends_well_forgives_nothing()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        ServerLease old = Take(pool, a);
        _time.Advance(TimeSpan.FromSeconds(1));
        Fail(pool, a, 4);
        old.Complete(LeaseOutcome.Success);
        Fail(pool, a, 1);
        Assert.Equal("b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void Callers_that_give_up_count_for_nothing()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        for (int n = 0; n < 100; n++) Take(pool, a).Complete(LeaseOutcome.Ignored);
        Assert.Equal("a b c", pool.Usable());
        Fail(pool, a, 4);
        Take(pool, a).Complete(LeaseOutcome.Ignored);
        Fail(pool, a, 1);
        Assert.Equal("b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void Broken_connections_count_for_themselves()
    {
        ServerPool pool = Pool(3, o => o.Outlier.ConsecutiveFailures = 0);
        Server a = pool.Get("a");
        Fail(pool, a, 20, Error);
        Fail(pool, a, 4);
        Fail(pool, a, 1, Error);
        Fail(pool, a, 4);
        Assert.Equal("a b c", pool.Usable());
        Fail(pool, a, 1);
        Assert.Equal(EjectionReason.ConsecutiveGatewayFailures, a.Ejection!.Reason);
    }

    [Fact]
    [Trait("Row", "H23")]
    public void It_is_out_longer_each_time_and_less_long_after_quiet_intervals()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        Assert.Equal([30, 60, 90], new[] { OutFor(pool, a), OutFor(pool, a), OutFor(pool, a) });

        // Three times ejected; each quiet interval of 10 s takes one away.
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(60, OutFor(pool, a));
    }

    [Fact]
    [Trait("Row", "H23")]
    public void No_more_than_a_tenth_is_out_but_always_one()
    {
        ServerPool pool = Pool(10);
        Fail(pool, pool.Get("a"), 5);
        Fail(pool, pool.Get("b"), 50);
        Assert.Equal(9, pool.Snapshot!.Servers.Length);

        ServerPool many = Pool(20);
        foreach (string name in (string[])["a", "b", "c"]) Fail(many, many.Get(name), 5);
        Assert.Equal(18, many.Snapshot!.Servers.Length);
    }

    [Theory]
    [Trait("Row", "H23")]
    [Trait("Row", "H34")]
    [InlineData(1, 100)]
    [InlineData(2, 100)]
    [InlineData(3, 100)]
    public void The_last_server_stays(int servers, int percent)
    {
        ServerPool pool = Pool(servers, o => o.Outlier.MaxEjectedPercent = percent);
        foreach (Server server in pool.Servers) Fail(pool, server, 50);
        Assert.Equal(1, pool.Snapshot!.Servers.Length);
    }

    [Fact]
    [Trait("Row", "H23")]
    public void An_ejected_server_is_better_than_none()
    {
        ServerPool pool = Pool(2);
        Fail(pool, pool.Get("a"), 5);
        pool.Down("b");
        Assert.Equal("a", pool.Usable());
        pool.SetHealth(pool.Get("b"), ServerHealth.Up);
        Assert.Equal("b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void A_backup_is_better_than_an_ejected_server()
    {
        ServerPool pool = Pool(3, o => o.Servers[2].Backup = true);
        Fail(pool, pool.Get("a"), 5);
        pool.Down("b");
        Assert.Equal("c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void A_success_rate_far_below_the_others_takes_a_server_out()
    {
        ServerPool pool = Pool(6, o => o.Outlier.ConsecutiveFailures = o.Outlier.ConsecutiveGatewayFailures = 0);
        Mix(pool, pool.Get("a"), successes: 70, failures: 30);
        foreach (Server server in pool.Servers.Skip(1)) Mix(pool, server, successes: 99, failures: 1);
        Assert.Equal(6, pool.Snapshot!.Servers.Length);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("b c d e f", pool.Usable());
        Assert.Equal(EjectionReason.SuccessRate, pool.Get("a").Ejection!.Reason);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("a b c d e f", pool.Usable());
    }

    [Theory]
    [Trait("Row", "H23")]
    [InlineData(85, 7, 43, true)]
    [InlineData(85, 7, 42, false)]
    [InlineData(85, 8, 42, false)]
    [InlineData(85, 10, 40, false)]
    [InlineData(0, 0, 50, false)]
    public void Too_many_failures_of_an_interval_take_a_server_out_if_asked(int percentage, int successes, int failures, bool isOut)
    {
        ServerPool pool = Pool(6, o =>
        {
            o.Outlier.ConsecutiveFailures = o.Outlier.ConsecutiveGatewayFailures = o.Outlier.SuccessRateStdevFactor = 0;
            o.Outlier.FailurePercentage = percentage;
        });
        foreach (Server server in pool.Servers.Skip(1)) Mix(pool, server, successes: 50, failures: 1);
        Mix(pool, pool.Get("a"), successes, failures);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(isOut ? EjectionReason.FailurePercentage : null, pool.Get("a").Ejection?.Reason);
    }

    [Fact]
    [Trait("Row", "H23")]
    public void Successes_of_earlier_intervals_do_not_count()
    {
        ServerPool pool = Pool(6, o => o.Outlier.ConsecutiveFailures = o.Outlier.ConsecutiveGatewayFailures = 0);
        foreach (Server server in pool.Servers) Mix(pool, server, successes: 10_000, failures: 1);
        _time.Advance(TimeSpan.FromSeconds(10));
        Mix(pool, pool.Get("a"), successes: 70, failures: 30);
        foreach (Server server in pool.Servers.Skip(1)) Mix(pool, server, successes: 99, failures: 1);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("b c d e f", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void A_pool_that_does_not_fail_has_no_timer()
    {
        ServerPool pool = Pool(3);
        Succeed(pool, pool.Get("a"));
        Assert.Equal(0, _time.ActiveTimers);
        Fail(pool, pool.Get("a"), 1);
        Assert.Equal(1, _time.ActiveTimers);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(0, _time.ActiveTimers);
    }

    [Fact]
    [Trait("Row", "H23")]
    public void It_can_be_turned_off()
    {
        ServerPool pool = Pool(3, o => o.Outlier.Enabled = false);
        Fail(pool, pool.Get("a"), 100);
        Assert.Equal("a b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void Ejections_may_be_enforced_in_part()
    {
        ServerPool pool = Pool(3, static o =>
        {
            o.Outlier.Enforcing = 30;
            o.Random = new Draws(0.9, 0.3, 0.29);
        });
        Fail(pool, pool.Get("a"), 10);
        Assert.Equal("a b c", pool.Usable());
        Fail(pool, pool.Get("a"), 5);
        Assert.Equal("b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public void A_server_whose_checks_failed_and_pass_again_is_forgiven()
    {
        ServerPool pool = Pool(3);
        Fail(pool, pool.Get("a"), 5);
        pool.Down("a");
        Assert.Equal(ServerStatus.Down, pool.Get("a").Status);
        pool.SetHealth(pool.Get("a"), ServerHealth.Up);
        Assert.Equal("a b c", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    [Trait("Row", "K9")]
    public void Sticky_clients_leave_an_ejected_server()
    {
        ServerPool pool = Pool(3);
        Server a = pool.Get("a");
        Fail(pool, a, 5);
        Assert.NotSame(a, pool.Pick(new PickContext { Prefer = a }).Server);
    }

    [Fact]
    [Trait("Row", "H24")]
    public void Max_fails_takes_a_server_out_and_then_tries_it_once()
    {
        ServerPool pool = Pool(2, o => o.MaxFails = 1);
        Server a = pool.Get("a");
        Fail(pool, a, 1);
        Assert.Equal("b", pool.Usable());
        _time.Advance(TimeSpan.FromSeconds(10));

        // One trial, and only one.
        ServerLease trial = Take(pool, a);
        for (int n = 0; n < 10; n++) Assert.Equal("b", pool.Pick().Server.Name);
        trial.Complete(Refused);
        Assert.Equal("b", pool.Usable());

        _time.Advance(TimeSpan.FromSeconds(10));
        Take(pool, a).Complete(LeaseOutcome.Success);
        Assert.Null(a.Ejection);
        Assert.Equal("a b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H24")]
    public void Max_fails_leaves_a_single_server_in()
    {
        ServerPool pool = Pool(1, o => o.MaxFails = 1);
        Fail(pool, pool.Get("a"), 3);
        Assert.Equal("a", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H31")]
    public void A_circuit_opens_is_tried_and_closes()
    {
        ServerPool pool = Pool(2, o =>
        {
            o.CircuitBreaker.ConsecutiveFailures = 3;
            o.CircuitBreaker.HalfOpenRequests = 2;
        });
        Server a = pool.Get("a");
        Fail(pool, a, 3);
        Assert.Equal(EjectionReason.CircuitOpen, a.Ejection!.Reason);
        Assert.Equal(ServerHealth.Up, a.Health);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.True(a.Ejection!.IsTrial);
        ServerLease one = Take(pool, a), two = Take(pool, a);
        Assert.False(a.HasRoom);
        one.Responded();
        one.Complete(LeaseOutcome.Success);
        Assert.NotNull(a.Ejection);
        two.Complete(LeaseOutcome.Success);
        Assert.Null(a.Ejection);
        Assert.Equal("a b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H31")]
    public void A_trial_whose_caller_gives_up_is_somebody_elses()
    {
        ServerPool pool = Pool(2, o => o.CircuitBreaker.ConsecutiveFailures = 3);
        Server a = pool.Get("a");
        Fail(pool, a, 3);
        _time.Advance(TimeSpan.FromSeconds(30));
        Take(pool, a).Complete(LeaseOutcome.Ignored);
        Assert.True(a.HasRoom);
        Take(pool, a).Complete(Refused);
        Assert.False(a.Ejection!.IsTrial);
    }

    [Fact]
    [Trait("Row", "H31")]
    public void An_old_lease_decides_no_trial()
    {
        ServerPool pool = Pool(2, o => o.CircuitBreaker.ConsecutiveFailures = 3);
        Server a = pool.Get("a");
        ServerLease[] old = [Take(pool, a), Take(pool, a)];
        Fail(pool, a, 3);
        _time.Advance(TimeSpan.FromSeconds(30));
        old[0].Complete(LeaseOutcome.Success);
        old[1].Complete(Refused);
        Assert.True(a.Ejection!.IsTrial);
    }

    [Fact]
    [Trait("Row", "H31")]
    public void An_open_circuit_stays_open_even_if_nobody_else_is_there()
    {
        ServerPool pool = Pool(1, o => o.CircuitBreaker.ConsecutiveFailures = 3);
        Fail(pool, pool.Get("a"), 3);
        Assert.Equal(PickFailure.NoServer, pool.FailToPick());
    }

    [Fact]
    [Trait("Row", "H31")]
    public void A_circuit_opens_by_percentage()
    {
        ServerPool pool = Pool(2, o =>
        {
            o.Outlier.Enabled = false;
            o.CircuitBreaker.FailurePercentage = 50;
            o.CircuitBreaker.MinimumRequests = 10;
        });
        Server a = pool.Get("a");
        Fail(pool, a, 1);
        for (int n = 0; n < 5; n++) Succeed(pool, a);
        Fail(pool, a, 3);
        Assert.Null(a.Ejection);
        Fail(pool, a, 1);
        Assert.Equal(EjectionReason.CircuitOpen, a.Ejection?.Reason);
    }

    [Fact]
    [Trait("Row", "H32")]
    public void A_server_that_toggles_is_held_down()
    {
        ServerPool pool = Pool(2, o => o.FlapDamping.Flaps = 2);
        Server a = pool.Get("a");
        for (int n = 0; n < 2; n++) Toggle(pool, a);
        Assert.Equal("a b", pool.Usable());
        Toggle(pool, a);
        Assert.Equal("b", pool.Usable());
        Assert.Equal(EjectionReason.Flapping, a.Ejection!.Reason);
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal("a b", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H34")]
    public void Checks_may_take_out_only_a_part()
    {
        ServerPool pool = Pool(4, o => o.MaxDownPercent = 50);
        foreach (string name in (string[])["c", "a", "b", "d"])
        {
            pool.Down(name);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        // The first two to fail are out; the others are used although their checks fail.
        Assert.Equal("b d", pool.Usable());
        Assert.Equal(ServerStatus.Down, pool.Get("b").Status);
        pool.SetHealth(pool.Get("c"), ServerHealth.Up);
        Assert.Equal("c d", pool.Usable());
    }

    [Fact]
    [Trait("Row", "H23")]
    public async Task Ejections_are_told()
    {
        EventHub events = new();
        ServerPool pool = TestPool.Create(2, time: _time, events: events);
        Fail(pool, pool.Get("a"), 5);
        _time.Advance(TimeSpan.FromSeconds(30));
        ServerStatusChanged[] told = [.. (await events.Published()).OfType<ServerStatusChanged>()];
        Assert.Equal([ServerStatus.Ejected, ServerStatus.Up], told.Select(static e => e.To));
        Assert.Equal("5 failures in a row; out for 30s", told[0].Cause);
        Assert.Equal("ejection over", told[1].Cause);
    }

    private ServerPool Pool(int servers, Action<PoolOptions>? configure = null) => TestPool.Create(servers, configure: configure, time: _time);

    private static ServerLease Take(ServerPool pool, Server server) => pool.Pick(new PickContext { Excluded = AllBut(pool, server) });

    private static ServerSet AllBut(ServerPool pool, Server server) => pool.Servers.Where(s => s != server).Aggregate(default(ServerSet), static (set, s) => set.With(s));

    private static void Fail(ServerPool pool, Server server, int times) => Fail(pool, server, times, Refused);

    private static void Fail(ServerPool pool, Server server, int times, LeaseOutcome outcome)
    {
        for (int n = 0; n < times; n++) Take(pool, server).Complete(outcome);
    }

    private static void Succeed(ServerPool pool, Server server) => Take(pool, server).Complete(LeaseOutcome.Success);

    private static void Mix(ServerPool pool, Server server, int successes, int failures)
    {
        Fail(pool, server, failures);
        for (int n = 0; n < successes; n++) Succeed(pool, server);
    }

    private static void Toggle(ServerPool pool, Server server)
    {
        pool.SetHealth(server, ServerHealth.Down);
        pool.SetHealth(server, ServerHealth.Up);
    }

    private sealed class Draws(params double[] draws) : Random
    {
        private int _next;

        public override double NextDouble() => draws[_next++];
    }

    private int OutFor(ServerPool pool, Server server)
    {
        Fail(pool, server, 5);
        Assert.Equal(ServerStatus.Ejected, server.Status);
        for (int seconds = 0; ; seconds++)
        {
            if (server.Ejection is null) return seconds;
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
