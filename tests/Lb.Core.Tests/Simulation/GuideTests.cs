using Lb.Testing;

namespace Lb.Core.Tests;

/// <summary>The code of the guide's page about the simulator.</summary>
public sealed class GuideTests
{
    #region scenario
    // Five servers of four workers; after two seconds one of them runs at a tenth of its speed.
    private static SimulationScenario OneTurnsSlow { get; } = new()
    {
        Name = "one turns slow",
        Servers =
        [
            new SimulatedServer
            {
                Workers = 4,
                Service = ServiceTime.Exponential(TimeSpan.FromMilliseconds(20)),
                Conditions = [ServerCondition.Slow(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5), speed: 0.1)],
            },
            .. Enumerable.Repeat(new SimulatedServer { Workers = 4, Service = ServiceTime.Exponential(TimeSpan.FromMilliseconds(20)) }, 4),
        ],
        Arrivals = Arrivals.Poisson(perSecond: 600),
        Requests = 4000,
    };
    #endregion

    #region test
    [Fact]
    public void A_slow_server_does_not_slow_down_one_client_in_a_hundred()
    {
        SimulationResult result = Simulator.Run(OneTurnsSlow, balancer => new PowerOfTwoChoices(balancer.CreateRandom()));

        Assert.Equal(0, result.Errors);
        Assert.True(result.P99 < TimeSpan.FromMilliseconds(250), $"p99 is {result.P99}");
    }
    #endregion

    #region options
    [Fact]
    public void The_order_of_declaration_is_no_balance()
    {
        // Every server takes eight leases at most: the first ones work, the last ones get what overflows.
        SimulationScenario limited = OneTurnsSlow with { Servers = [.. OneTurnsSlow.Servers.Select(server => server with { MaxConnections = 8 })] };
        SimulationResult result = Simulator.Run(limited, (options, balancer) => options.Balance = "first");

        Assert.True(result.Servers[0].Requests > result.Servers[^1].Requests);
        Assert.Equal(result.Trace, Simulator.Run(limited, (options, balancer) => options.Balance = "first").Trace);
    }
    #endregion
}
