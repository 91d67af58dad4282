using Lb.Testing;

namespace Lb.Core.Tests;

/// <summary>A server that fails fast looks idle, and would attract what the others don't get.</summary>
public sealed class FastFailureTests
{
    private static SimulationScenario Scenario { get; } = SimulationScenarios.Find("fail1")!;

    [Fact]
    public void A_pool_with_its_defaults_lets_at_most_one_request_in_a_thousand_fail()
    {
        SimulationResult result = Simulator.Run(Scenario);
        Assert.InRange(result.ErrorShare, 0, 0.001);
    }

    [Fact]
    [Trait("Row", "S23")]
    public void Latency_with_a_penalty_for_failures_keeps_away_from_it() =>
        Assert.InRange(Simulator.Run(Scenario, static (options, _) => options.Balance = "peak-ewma").ErrorShare, 0, 0.001);
}
