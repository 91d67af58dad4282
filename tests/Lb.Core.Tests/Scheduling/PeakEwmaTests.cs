using Lb.Testing;

namespace Lb.Core.Tests.Scheduling;

public sealed class PeakEwmaTests
{
    [Fact]
    [Trait("Row", "S23")]
    public void The_average_jumps_to_a_peak_and_comes_down_with_time()
    {
        PeakEwma average = default;
        average.Observe(TimeSpan.FromMilliseconds(10), 0);
        Assert.Equal(10_000, average.Read(0));
        average.Observe(TimeSpan.FromMilliseconds(100), 1000);
        Assert.Equal(100_000, average.Read(1000));

        // After one time constant of 10 s: 100 ms / e, and half of a fast sample's way beyond that.
        Assert.Equal(100_000 / Math.E, average.Read(11_000), 0.5);
        average.Observe(TimeSpan.FromMilliseconds(10), 11_000);
        Assert.Equal((100_000 / Math.E) + (10_000 * (1 - (1 / Math.E))), average.Read(11_000), 0.5);
    }

    [Fact]
    [Trait("Row", "S23")]
    public void The_clock_may_wrap()
    {
        PeakEwma average = default;
        average.Observe(TimeSpan.FromMilliseconds(10), uint.MaxValue - 4999);
        Assert.Equal(10_000 / Math.E, average.Read(5000), 0.5);
    }

    [Fact]
    [Trait("Row", "S23")]
    public void The_slow_server_is_spared()
    {
        ManualTimeProvider time = new();
        ServerPool pool = Pool(time);
        Dictionary<string, int> picks = Run(pool, time, s => TimeSpan.FromMilliseconds(s.Name == "slow" ? 200 : 10), static _ => LeaseOutcome.Success);
        Assert.InRange(picks.GetValueOrDefault("slow"), 1, 20);
    }

    [Fact]
    [Trait("Row", "S23")]
    public void A_server_that_fails_fast_does_not_look_fast()
    {
        ManualTimeProvider time = new();
        ServerPool pool = Pool(time);
        Dictionary<string, int> picks = Run(
            pool,
            time,
            s => TimeSpan.FromMilliseconds(s.Name == "slow" ? 1 : 10),
            static s => s.Name == "slow" ? LeaseOutcome.Failure(FailureKind.Reset) : LeaseOutcome.Success);
        Assert.InRange(picks.GetValueOrDefault("slow"), 1, 20);
    }

    [Fact]
    [Trait("Row", "S23")]
    public void A_server_without_a_sample_is_tried_but_not_flooded()
    {
        ManualTimeProvider time = new();
        ServerPool pool = Pool(time);
        foreach (Server server in pool.Servers.Where(static s => s.Name != "slow"))
        {
            ServerPoolProbe.Sample(pool, server, time, TimeSpan.FromMilliseconds(10));
        }

        // Nothing comes back from the new one: it gets a first lease, and no second while the first is open.
        for (int i = 0; i < 50; i++)
        {
            Assert.True(pool.TryPick(default, out ServerLease lease, out _));
            if (lease.Server.Name != "slow") lease.Complete(LeaseOutcome.Success);
        }

        Assert.Equal(1, pool.Find("slow")!.InFlight);
    }

    private static ServerPool Pool(ManualTimeProvider time)
    {
        PoolOptions options = new() { Policy = static () => new PeakEwmaChoices(new Random(7)) };
        foreach (string name in (string[])["a", "b", "slow", "c", "d"])
            options.Servers.Add(new ServerOptions { Name = name, Address = "127.0.0.1:80" });
        return new ServerPool("latency", options, time: time);
    }

    private static Dictionary<string, int> Run(ServerPool pool, ManualTimeProvider time, Func<Server, TimeSpan> latency, Func<Server, LeaseOutcome> outcome)
    {
        Dictionary<string, int> picks = [];
        for (int i = 0; i < 400; i++)
        {
            Assert.True(pool.TryPick(default, out ServerLease lease, out _));
            picks[lease.Server.Name] = picks.GetValueOrDefault(lease.Server.Name) + 1;
            time.Advance(latency(lease.Server));
            lease.Responded();
            lease.Complete(outcome(lease.Server));
        }

        return picks;
    }

    private static class ServerPoolProbe
    {
        public static void Sample(ServerPool pool, Server server, ManualTimeProvider time, TimeSpan latency)
        {
            Assert.True(pool.TryPick(new PickContext { Prefer = server }, out ServerLease lease, out _));
            time.Advance(latency);
            lease.Responded();
            lease.Complete(LeaseOutcome.Success);
        }
    }
}
