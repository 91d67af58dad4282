using Lb.Testing;

namespace Lb.Core.Tests;

/// <summary>One server, constant work, requests at given milliseconds, no delay: a scenario that one works out by hand.</summary>
internal static class TinyScenario
{
    public static SimulationScenario Create(double work, int workers = 1, ServerCondition[]? conditions = null, params double[] arrivals) => new()
    {
        Servers = [new SimulatedServer { Workers = workers, Service = ServiceTime.Constant(Ms(work)), Conditions = conditions ?? [] }],
        Arrivals = Arrivals.At([.. arrivals.Select(Ms)]),
        Requests = arrivals.Length,
        WarmUp = TimeSpan.Zero,
        OneWayDelay = TimeSpan.Zero,
    };

    /// <summary>The latency in milliseconds of a single request.</summary>
    public static double Latency(double arrival, double work, params ServerCondition[] conditions)
    {
        SimulationResult result = Simulator.Run(Create(work, 1, conditions, arrival));
        Assert.Equal((1, 0), (result.Requests, result.Errors));
        return result.Max.TotalMilliseconds;
    }

    /// <summary>All latencies in milliseconds, sorted.</summary>
    public static double[] Latencies(SimulationScenario scenario)
    {
        SimulationResult result = Simulator.Run(scenario);
        int answered = result.Requests - result.Errors;
        return [.. Enumerable.Range(1, answered).Select(n => result.Percentile(100 * (n - 0.5) / answered).TotalMilliseconds)];
    }

    public static TimeSpan Ms(double milliseconds) => TimeSpan.FromTicks((long)Math.Round(milliseconds * TimeSpan.TicksPerMillisecond));
}
