using Lb.Testing;

namespace Lb.Core.Tests.Pools;

public sealed class LeaseTests
{
    [Fact]
    public void A_lease_counts_until_it_is_completed()
    {
        ServerPool pool = TestPool.Create(1);
        Server a = pool.Get("a");
        ServerLease one = pool.Pick(), two = pool.Pick(), three = pool.Pick();
        Assert.Equal((3, 3L), (a.InFlight, a.TotalLeases));
        one.Complete(LeaseOutcome.Success);
        two.Complete(LeaseOutcome.Failure(FailureKind.Connect));
        three.Complete(LeaseOutcome.Ignored);
        Assert.Equal((0, 3L, 1L, 1L), (a.InFlight, a.TotalLeases, a.TotalFailures, a.TotalIgnored));
    }

    [Fact]
    public void Completing_twice_is_counted_and_harmless()
    {
        ServerPool pool = TestPool.Create(1);
        ServerLease lease = pool.Pick();
        lease.Complete(LeaseOutcome.Success);
        lease.Complete(LeaseOutcome.Failure(FailureKind.Reset));
        lease.Complete(LeaseOutcome.Ignored);
        Server a = pool.Get("a");
        Assert.Equal(2, pool.LeaseMisuses);
        Assert.Equal((0, 1L, 0L, 0L), (a.InFlight, a.TotalLeases, a.TotalFailures, a.TotalIgnored));
        pool.Pick();
        Assert.Equal(1, a.InFlight);
    }

    [Fact]
    public void Completing_twice_on_many_threads_is_harmless_too()
    {
        // Two counts below zero at the same moment must both be taken back.
        ServerPool pool = TestPool.Create(1);
        ServerLease lease = pool.Pick();
        Parallel.For(0, 4, _ =>
        {
            for (int n = 0; n < 500_000; n++) lease.Complete(LeaseOutcome.Success);
        });
        Assert.Equal((0, 1L), (lease.Server.InFlight, lease.Server.TotalLeases));
        Assert.Equal(1_999_999, pool.LeaseMisuses);
    }

    [Fact]
    public void Latency_is_measured_from_the_pick_to_the_first_answer_and_averaged()
    {
        ManualTimeProvider time = new();
        ServerPool pool = TestPool.Create(1, time: time);
        Server a = pool.Get("a");
        Assert.Equal(TimeSpan.Zero, a.AverageLatency);

        ServerLease lease = pool.Pick();
        time.Advance(TimeSpan.FromMilliseconds(80));
        lease.Responded();
        time.Advance(TimeSpan.FromHours(1));
        lease.Complete(LeaseOutcome.Success);
        Assert.Equal(TimeSpan.FromMilliseconds(80), a.AverageLatency);

        lease = pool.Pick();
        time.Advance(TimeSpan.FromMilliseconds(160));
        lease.Responded(time.GetTimestamp());
        Assert.Equal(TimeSpan.FromMilliseconds(90), a.AverageLatency);
    }

    [Fact]
    public void The_callers_own_timestamp_starts_the_sample()
    {
        ManualTimeProvider time = new();
        ServerPool pool = TestPool.Create(1, time: time);
        long before = time.GetTimestamp();
        time.Advance(TimeSpan.FromMilliseconds(10));
        pool.Pick(new PickContext { Now = before }).Responded();
        Assert.Equal(TimeSpan.FromMilliseconds(10), pool.Get("a").AverageLatency);
    }

    [Fact]
    public void An_answer_within_the_clock_tick_is_a_sample_too()
    {
        ManualTimeProvider time = new();
        ServerPool pool = TestPool.Create(1, time: time);
        pool.Pick().Responded();
        Assert.Equal(TimeSpan.FromTicks(1), pool.Get("a").AverageLatency);
    }

    [Fact]
    public void Leases_are_equal_when_server_and_start_are()
    {
        ManualTimeProvider time = new();
        ServerPool pool = TestPool.Create(1, time: time);
        ServerLease one = pool.Pick(), same = pool.Pick();
        time.Advance(TimeSpan.FromTicks(1));
        ServerLease later = pool.Pick();
        Assert.True(one == same);
        Assert.True(one != later);
        Assert.Equal(one.GetHashCode(), same.GetHashCode());
        Assert.False(one.Equals((object)later));
        Assert.NotEqual(default, one);
    }

    [Fact]
    public void Outcomes_tell_success_failure_and_giving_up_apart()
    {
        Assert.True(LeaseOutcome.Success is { IsSuccess: true, IsFailure: false, IsIgnored: false });
        Assert.True(LeaseOutcome.Ignored is { IsSuccess: false, IsFailure: false, IsIgnored: true });
        Assert.True(LeaseOutcome.Failure(FailureKind.Timeout) is { IsSuccess: false, IsFailure: true, IsIgnored: false, FailureKind: FailureKind.Timeout });
        Assert.Equal(LeaseOutcome.Success, default);
        Assert.NotEqual(LeaseOutcome.Failure(FailureKind.Reset), LeaseOutcome.Failure(FailureKind.Connect));
    }

    [Fact]
    public void Totals_go_on_after_the_counters_sign_bit()
    {
        // 2^39 leases at 50 000 a second: some 127 days.
        ServerPool pool = TestPool.Create(1);
        Server a = pool.Get("a");
        Preset(a, ((1L << 39) - 1) << 24);
        pool.Pick();
        Assert.Equal((1L << 39, 1), (a.TotalLeases, a.InFlight));
    }

    private static void Preset(Server server, long value)
    {
        System.Reflection.FieldInfo field = typeof(Server).GetField("_load", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!;
        object load = field.GetValue(server)!;
        load.GetType().GetField("Value")!.SetValue(load, value);
        field.SetValue(server, load);
    }

    [Fact]
    public void The_rate_is_that_of_the_last_second()
    {
        ManualTimeProvider time = new();
        ServerPool pool = TestPool.Create(1, time: time);
        Server a = pool.Get("a");
        Assert.Equal(0, a.LeaseRate(time.GetTimestamp()));
        for (int n = 0; n < 10; n++) pool.Next();
        Assert.Equal(10, a.LeaseRate(time.GetTimestamp()));

        // The whole second before counts in full at first, then fades.
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(10, a.LeaseRate(time.GetTimestamp()));
        time.Advance(TimeSpan.FromMilliseconds(500));
        for (int n = 0; n < 4; n++) pool.Next();
        Assert.Equal(9, a.LeaseRate(time.GetTimestamp()));
        time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(4, a.LeaseRate(time.GetTimestamp()));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(0, a.LeaseRate(time.GetTimestamp()));
    }
}
