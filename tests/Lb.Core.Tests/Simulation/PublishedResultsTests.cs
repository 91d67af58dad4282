using Lb.Testing;

namespace Lb.Core.Tests;

/// <summary>What others have measured comes out here too.</summary>
public sealed class PublishedResultsTests
{
    // Linkerd, "Beyond Round Robin: Load Balancing for Latency" (2016): with a time-out of one second some 95 % succeed with round robin, 99 % with least
    // loaded, 99.9 % with peak EWMA. A server that gets a share s of the requests of half the time makes s/2 late: 1/22 with round robin.
    [Theory]
    [InlineData("roundrobin", 1 - (1 / 22.0), 0.003)]
    [InlineData("p2c", 0.995, 0.001)]
    [InlineData("leastconn", 0.995, 0.001)]
    [InlineData("peak-ewma", 0.9993, 0.0008)]
    [Trait("Row", "S23")]
    public void Linkerds_experiment_has_Linkerds_shares_below_a_second(string policy, double share, double tolerance)
    {
        SimulationResult result = Simulator.Run(SimulationScenarios.Find("linkerd")!, (options, _) => options.Balance = policy);
        Assert.Equal(0, result.Errors);
        Assert.Equal(share, 1 - result.LateShare, tolerance);
    }

    [Fact]
    [Trait("Row", "S15")]
    public void A_hundred_balancers_without_a_common_view_do_as_well_as_round_robin()
    {
        SimulationScenario scenario = SimulationScenarios.Find("b100")!;
        TimeSpan mean = Simulator.Run(scenario).Mean;
        TimeSpan roundRobin = Simulator.Run(scenario, static (options, _) => options.Balance = "roundrobin").Mean;
        Assert.True(mean <= 1.05 * roundRobin, $"{mean.TotalMilliseconds} ms, round robin {roundRobin.TotalMilliseconds} ms");
    }

    [Fact]
    [Trait("Row", "S15")]
    public void A_slow_server_hardly_shows_with_the_default_policy()
    {
        SimulationScenario scenario = SimulationScenarios.Find("slow1")!;
        TimeSpan mean = Simulator.Run(scenario).Mean;
        TimeSpan roundRobin = Simulator.Run(scenario, static (options, _) => options.Balance = "roundrobin").Mean;
        Assert.True(5 * mean < roundRobin, $"{mean.TotalMilliseconds} ms, round robin {roundRobin.TotalMilliseconds} ms");
    }
}
