using System.Diagnostics.Metrics;
using Lb;
using Lb.Health;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

// In the namespace of the collection, so that the verbs are found without a using.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The verbs of Lb.Health.</summary>
public static class LbHealthExtensions
{
    /// <summary>Runs the health checks that the configuration names. The check verbs of a pool do it themselves. May be called often.</summary>
    /// <param name="builder">What <c>AddLb</c> has given.</param>
    public static ILbBuilder AddHealth(this ILbBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton(static provider =>
        {
            TimeProvider time = provider.GetRequiredService<TimeProvider>();
            HealthCheckers checkers = new(HealthCheckers.BuiltInRegistrations(time).Concat(provider.GetServices<HealthCheckerRegistration>()));
            HealthMonitor monitor = new(
                provider.GetRequiredService<ServerPools>(), checkers, provider, time,
                log: provider.GetService<ILogger<HealthMonitor>>(), events: provider.GetService<EventHub>(), addresses: provider.GetService<Func<ILocalAddresses>>());
            HealthMetrics.Create(provider.GetService<IMeterFactory>(), monitor.Environment, monitor.Stalls);
            return monitor;
        });
        builder.Services.TryAddSingleton<IHealthReports>(static provider => provider.GetRequiredService<HealthMonitor>());
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<ILbPart, HealthMonitor>(static provider => provider.GetRequiredService<HealthMonitor>()));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<INotifier, HealthMonitor>(static provider => provider.GetRequiredService<HealthMonitor>()));
        return builder;
    }

    /// <summary>Makes a kind of health check known by name, for <c>Type</c> in a configuration.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">The name; one that exists already is replaced.</param>
    /// <param name="create">Makes the checker for one check of one pool; it serves all servers of the pool at once.</param>
    public static IServiceCollection AddHealthChecker(this IServiceCollection services, string name, Func<CheckOptions, IHealthChecker> create)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(create);
        return services.AddSingleton(new HealthCheckerRegistration(name, create));
    }
}
