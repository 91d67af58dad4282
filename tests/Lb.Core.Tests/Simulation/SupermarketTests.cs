using Lb.Testing;

namespace Lb.Core.Tests;

/// <summary>
/// The simulator against mathematics: many servers of one worker and exponential work, requests sent to the least loaded of d drawn servers. Mitzenmacher
/// and Vvedenskaya: the mean time of a request is Σ λ^((d^i − d)/(d − 1)) over i ≥ 1.
/// </summary>
public sealed class SupermarketTests
{
    [Theory]
    [InlineData(1, 0.7, 300_000)]
    [InlineData(2, 0.8, 200_000)]
    [InlineData(3, 0.8, 150_000)]
    [Trait("Row", "S15")]
    public void Draws_wait_as_long_as_the_formula_says(int draws, double load, int requests)
    {
        SimulationResult result = Simulator.Run(Supermarket(load, requests), balancer => new RandomDraws(draws, balancer.CreateRandom()));
        double expected = Formula(draws, load);
        Assert.Equal(1, result.Mean.TotalSeconds / expected, 0.03);
    }

    [Fact]
    [Trait("Row", "S15")]
    public void The_default_policy_waits_as_long_as_two_draws()
    {
        SimulationResult result = Simulator.Run(Supermarket(0.8, 200_000), static balancer => new PowerOfTwoChoices(balancer.CreateRandom()));
        Assert.Equal(1, result.Mean.TotalSeconds / Formula(2, 0.8), 0.03);
    }

    [Theory]
    [InlineData(1, 0.9, 10)]
    [InlineData(2, 0.9, 2.614)]
    [InlineData(3, 0.9, 2.028)]
    [InlineData(2, 0.99, 5.43)]
    public void The_formula_gives_the_published_values(int draws, double load, double expected) =>
        Assert.Equal(expected, Formula(draws, load), 0.005);

    private static double Formula(int draws, double load)
    {
        double sum = 0;
        for (int i = 1; i < 500; i++)
        {
            double term = Math.Pow(load, draws == 1 ? i - 1 : (Math.Pow(draws, i) - draws) / (draws - 1));
            if (term == 0) break;
            sum += term;
        }

        return sum;
    }

    // Work of one second: times are multiples of it.
    private static SimulationScenario Supermarket(double load, int requests) => new()
    {
        Servers = [.. Enumerable.Repeat(new SimulatedServer { Workers = 1, Service = ServiceTime.Exponential(TimeSpan.FromSeconds(1)) }, 500)],
        Arrivals = Arrivals.Poisson(load * 500),
        WarmUp = TimeSpan.FromSeconds(100),
        Requests = requests,
        OneWayDelay = TimeSpan.Zero,
    };
}
