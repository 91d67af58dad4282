namespace Lb.Testing;

/// <summary>
/// Plays a scenario against production pools and policies in virtual time: no threads, no wall clock, a minute of traffic in a fraction of a second. The
/// same scenario, seed and policy always go the same way. Any thread; runs share nothing.
/// </summary>
/// <remarks>
/// Each balancer has a pool of its own with <see cref="ManualTimeProvider"/> as its clock, so the pool's own timers fire in virtual time. A balancer reports
/// an answer by <see cref="ServerLease.Responded(long)"/> (not when it is an error) and completes the lease. There are no retries: an error is an error.
/// </remarks>
public static class Simulator
{
    /// <summary>Plays a scenario with pools as they are by default.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <exception cref="ArgumentException">The scenario is not valid.</exception>
    public static SimulationResult Run(SimulationScenario scenario) => Run(scenario, static (_, _) => { });

    /// <summary>Plays a scenario with a policy.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="policy">Makes the policy of one balancer; give it the balancer's <see cref="SimulatedBalancer.CreateRandom"/> if it draws.</param>
    /// <exception cref="ArgumentException">The scenario is not valid.</exception>
    public static SimulationResult Run(SimulationScenario scenario, Func<SimulatedBalancer, ISchedulingPolicy> policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return Run(scenario, (options, balancer) => options.Policy = () => policy(balancer));
    }

    /// <summary>Plays a scenario with pools of the caller's: policy, protections, limits.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="configure">
    /// Called for each balancer with options that have the servers already. <c>Balance</c> names are taken with the balancer's seed; a <c>Policy</c> that draws
    /// is to be given a seed by the caller. A <c>Subset</c> without <c>Client</c> or <c>ClientIndex</c> gets those of the balancer.
    /// </param>
    /// <exception cref="ArgumentException">The scenario or the options are not valid.</exception>
    public static SimulationResult Run(SimulationScenario scenario, Action<PoolOptions, SimulatedBalancer> configure)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentNullException.ThrowIfNull(configure);
        Check(scenario);
        return new SimulationRun(scenario, configure).Play();
    }

    // A latency of each is kept: eight bytes.
    private const int MostRequests = 100_000_000;

    private static void Check(SimulationScenario scenario)
    {
        Check(scenario.Servers.Count > 0, "at least one server");
        Check(scenario.Servers.All(static s => s.Workers > 0 && s.Speed > 0), "servers with a worker and a speed above 0");
        Check(scenario.Balancers > 0, "at least one balancer");
        Check(scenario.Requests is > 0 and <= MostRequests, "1 to 100000000 requests");
        Check(scenario.Clients > 0, "at least one client");
        Check(scenario.WarmUp >= TimeSpan.Zero && scenario.OneWayDelay >= TimeSpan.Zero, "times that are not negative");

        void Check(bool isGood, string need)
        {
            if (!isGood) throw new ArgumentException($"Scenario '{scenario.Name}' needs {need}.", nameof(scenario));
        }
    }
}
