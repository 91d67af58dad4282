using Lb.Testing;
using static Lb.Core.Tests.TinyScenario;

namespace Lb.Core.Tests;

/// <summary>Servers of a simulation, worked out by hand.</summary>
public sealed class ServerModelTests
{
    [Theory]
    [InlineData(1, "10 20 30")]
    [InlineData(2, "10 10 20")]
    [InlineData(3, "10 10 10")]
    [InlineData(int.MaxValue, "10 10 10")]
    public void Workers_take_the_queue_first_come_first_served(int workers, string expected) =>
        Assert.Equal(expected, string.Join(' ', Latencies(Create(10, workers, null, 0, 0, 0))));

    [Fact]
    public void An_idle_worker_does_not_work_ahead() =>
        Assert.Equal([10, 10, 15], Latencies(Create(10, 1, null, 0, 25, 30)));

    [Fact]
    public void The_way_there_and_back_takes_time()
    {
        SimulationResult result = Simulator.Run(Create(10, 1, null, 0) with { OneWayDelay = Ms(0.25) });
        Assert.Equal(Ms(10.5), result.Max);
    }

    [Fact]
    public void Speed_divides_the_work()
    {
        SimulationScenario scenario = Create(10, 1, null, 0);
        Assert.Equal([40], Latencies(scenario with { Servers = [scenario.Servers[0] with { Speed = 0.25 }] }));
    }

    // 100 ms at a tenth of the speed do 10 ms of work.
    [Theory]
    [InlineData(0, 20, 110)]
    [InlineData(0, 5, 50)]
    [InlineData(90, 20, 29)]
    [InlineData(100, 20, 20)]
    public void A_slow_window_slows_the_work_that_falls_into_it(double arrival, double work, double latency) =>
        Assert.Equal(latency, Latency(arrival, work, ServerCondition.Slow(Ms(0), Ms(100), 0.1)));

    [Fact]
    public void Work_begun_before_the_window_slows_down_too() =>
        Assert.Equal(10 + 100, Latency(90, 20, ServerCondition.Slow(Ms(100), Ms(250), 0.1)));

    [Theory]
    [InlineData(0, 30)]
    [InlineData(5, 30)]
    [InlineData(10, 25)]
    [InlineData(15, 20)]
    public void A_pause_shifts_the_end(double arrival, double latency) =>
        Assert.Equal(latency, Latency(arrival, 20, ServerCondition.Pause(Ms(5), Ms(15))));

    [Fact]
    public void Conditions_multiply() =>
        Assert.Equal(80, Latency(0, 20, ServerCondition.Slow(Ms(0), Ms(100), 0.5), ServerCondition.Slow(Ms(0), Ms(200), 0.5)));

    // The first of a hundred steps is at half speed and does 0.5 s of work in a second, the second is at 0.505.
    [Theory]
    [InlineData(0, 400, 800)]
    [InlineData(0, 1000, 1000 + (500 / 0.505))]
    [InlineData(100_000, 1000, 1000)]
    public void A_cold_server_warms_up_in_steps(double arrival, double work, double latency) =>
        Assert.Equal(latency, Latency(arrival, work, ServerCondition.ColdStart(Ms(0), Ms(100_000), 0.5)), 0.001);

    [Fact]
    public void A_server_is_at_full_speed_before_its_cold_start() =>
        Assert.Equal(1000, Latency(0, 1000, ServerCondition.ColdStart(Ms(5000), Ms(1000), 0.5)));

    [Fact]
    public void Every_step_of_a_cold_start_counts_once()
    {
        // The sum of all steps: 0.5 to 0.995, on average 0.7475, so ten seconds do 7.475 s of work.
        Assert.Equal(10_000 + 25, Latency(0, 7500, ServerCondition.ColdStart(Ms(0), Ms(10_000), 0.5)), 0.001);
    }

    [Fact]
    public void What_begins_in_a_failing_time_fails_at_once_and_frees_the_worker()
    {
        // Begin at 0, 1 and 2 ms; the window ends at 1.5 ms.
        SimulationResult result = Simulator.Run(Create(20, 1, [ServerCondition.FailFast(Ms(0), Ms(1.5), Ms(1))], 0, 0, 0));
        Assert.Equal((3, 2), (result.Requests, result.Errors));
        Assert.Equal(2.0 / 3, result.ErrorShare, 12);
        Assert.Equal(Ms(22), result.Max);
        Assert.Equal(new SimulatedServerResult("s1", 3, 2, 3, 1), Assert.Single(result.Servers));
    }

    [Fact]
    public void What_has_begun_before_does_not_fail() =>
        Assert.Equal(20, Latency(0, 20, ServerCondition.FailFast(Ms(5), Ms(10), Ms(1))));

    [Fact]
    public void A_fixed_time_asks_neither_work_nor_speed() =>
        Assert.Equal(2000, Latency(0, 20, ServerCondition.Slow(Ms(0), Ms(5000), 0.1), ServerCondition.FixedTime(Ms(0), Ms(100), Ms(2000))));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.2, 0.2)]
    [InlineData(1, 1)]
    public void Antagonists_slow_their_share_of_the_periods(double chance, double share)
    {
        // A request in each second, each at full speed or at half.
        double[] latencies = Latencies(Create(10, 1, [ServerCondition.Antagonists(Ms(1000), chance, 0.5)], [.. Enumerable.Range(0, 2000).Select(static n => n * 1000.0)]));
        Assert.Equal([], latencies.Except([10, 20]));
        Assert.Equal(share, latencies.Count(static l => l == 20) / 2000.0, 0.03);
    }

    [Fact]
    public void Who_finds_all_servers_full_gets_an_error()
    {
        SimulationScenario scenario = Create(10, 1, null, 0, 1, 11);
        SimulationResult result = Simulator.Run(scenario with { Servers = [scenario.Servers[0] with { MaxConnections = 1 }] });
        Assert.Equal((3, 1), (result.Requests, result.Errors));
        Assert.Equal(2, result.Servers[0].Requests);
    }

    [Fact]
    public void Requests_of_the_warm_up_run_but_do_not_count()
    {
        SimulationResult result = Simulator.Run(Create(10, 1, null, 0, 0, 5, 9) with { WarmUp = Ms(5), Requests = 1 });
        Assert.Equal((1, Ms(25)), (result.Requests, result.Max));
        Assert.Equal(1, result.Servers[0].Requests);
        Assert.Equal(3, result.Servers[0].Peak);
    }

    [Fact]
    public void A_scenario_that_makes_no_sense_is_refused()
    {
        SimulationScenario[] bad =
        [
            new() { Servers = [] },
            new() { Servers = [new SimulatedServer { Workers = 0 }] },
            new() { Servers = [new SimulatedServer { Speed = 0 }] },
            new() { Balancers = 0 },
            new() { Requests = 0 },
            new() { Clients = 0 },
            new() { WarmUp = TimeSpan.FromTicks(-1) },
            new() { OneWayDelay = TimeSpan.FromTicks(-1) },
        ];
        Assert.All(bad, static s => Assert.Contains("'scenario' needs ", Assert.Throws<ArgumentException>(() => Simulator.Run(s)).Message));
    }
}
