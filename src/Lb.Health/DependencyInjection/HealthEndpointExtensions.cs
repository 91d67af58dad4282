using Lb;
using Lb.Health;
using Microsoft.Extensions.Diagnostics.HealthChecks;

// In the namespace of the builder, so that the verb is found without a using.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Pools in the host's own health endpoint.</summary>
public static class HealthEndpointExtensions
{
    /// <summary>
    /// Adds the health of the host's pools to its own (<c>AddHealthChecks()</c>, <c>MapHealthChecks</c>): unhealthy when nobody of a pool may be picked, its
    /// quorum is lost or too few are up; degraded when others than its main servers serve, or some of these are missing.
    /// </summary>
    /// <param name="builder">What <c>AddHealthChecks</c> has given.</param>
    /// <param name="configure">Names pools and sets limits.</param>
    /// <param name="name">Name of the check in the host's report; default <c>lb</c>. Checks of several names may look at several pools.</param>
    /// <param name="failureStatus">What is reported instead of unhealthy; default <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">Tags to choose checks by, for instance for an endpoint of readiness.</param>
    /// <exception cref="ArgumentOutOfRangeException">A share is not 0 to 100.</exception>
    public static IHealthChecksBuilder AddServerPools(
        this IHealthChecksBuilder builder,
        Action<ServerPoolsHealthOptions>? configure = null,
        string name = "lb",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ServerPoolsHealthOptions options = new();
        configure?.Invoke(options);
        Demand(options.DegradedBelow, nameof(options.DegradedBelow));
        Demand(options.UnhealthyBelow, nameof(options.UnhealthyBelow));
        builder.Services.AddLb();
        return builder.Add(new HealthCheckRegistration(
            name, provider => new ServerPoolsHealthCheck(provider.GetRequiredService<ServerPools>(), options), failureStatus, tags));
    }

    private static void Demand(int percent, string name)
    {
        if (percent is < 0 or > 100) throw new ArgumentOutOfRangeException(nameof(percent), percent, $"{name} must be 0 to 100");
    }
}
